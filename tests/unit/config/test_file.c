/* Files that settings name, and what is said of those that can't be had. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file.h"

enum { NOBODY = 65534 };

static void write_file(const char *name, const char *text)
{
	FILE *out = fopen(name, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void reads_the_bytes(void **state)
{
	(void)state;
	struct error err;
	size_t length = 0;
	write_file("f", "hello\n");
	char *text = file_read("f", 6, &length, &err);
	assert_string_equal(text, "hello\n");
	assert_int_equal(length, 6);
	free(text);
	assert_null(file_read("f", 5, &length, &err));
	assert_string_equal(err.message, "f is larger than 0 KiB");
	assert_int_equal(remove("f"), 0);
}

/* A device has no size to look at beforehand. */
static void an_endless_file_ends_at_the_bound(void **state)
{
	(void)state;
	struct error err;
	size_t length;
	assert_null(file_read("/dev/zero", (size_t)1024 * 1024, &length, &err));
	assert_string_equal(err.message, "/dev/zero is larger than 1024 KiB");
}

static void names_what_is_in_the_way(void **state)
{
	(void)state;
	struct error err;
	write_file("f", "");
	assert_int_equal(file_check_readable("none", &err), -1);
	assert_string_equal(err.message, "none does not exist");
	assert_int_equal(file_check_readable("f/below", &err), -1);
	assert_string_equal(err.message, "f/below: Not a directory");
	assert_int_equal(file_check_readable("/", &err), -1);
	assert_string_equal(err.message, "/ is a folder, expected a file");
	assert_int_equal(file_check_readable("f", &err), 0);
	assert_int_equal(remove("f"), 0);
}

/* As in a container, whose user is not the one who owns the mounted key. */
static void a_matter_of_permission_names_our_uid(void **state)
{
	(void)state;
	struct error err;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(".", 0755), 0);
	write_file("key", "secret");
	assert_int_equal(chmod("key", 0600), 0);
	assert_int_equal(mkdir("closed", 0700), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	int result = file_check_readable("key", &err);
	struct error folder_err;
	int folder_result = file_check_folder("closed", true, &folder_err);
	struct error below_err;
	int below_result = file_check_readable("closed/key", &below_err);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(result, -1);
	assert_string_equal(
		err.message,
		"key: permission denied for uid 65534 (the file belongs to uid 0, mode 0600)");
	assert_int_equal(folder_result, -1);
	assert_non_null(strstr(folder_err.message, "permission denied for uid 65534"));
	assert_int_equal(below_result, -1);
	assert_string_equal(below_err.message, "closed/key: permission denied for uid 65534");
	assert_int_equal(remove("key"), 0);
	assert_int_equal(rmdir("closed"), 0);
}

static void a_folder_may_be_there_or_be_made(void **state)
{
	(void)state;
	struct error err;
	assert_int_equal(file_check_folder(fixture_folder(), true, &err), 0);
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/a/b/c", fixture_folder());
	assert_int_equal(file_check_folder(path, true, &err), 0);
	assert_int_equal(access("a", F_OK), -1); /* only looked at */
}

int main(void)
{
	FIXTURE_ADD(reads_the_bytes);
	FIXTURE_ADD(an_endless_file_ends_at_the_bound);
	FIXTURE_ADD(names_what_is_in_the_way);
	FIXTURE_ADD(a_matter_of_permission_names_our_uid);
	FIXTURE_ADD(a_folder_may_be_there_or_be_made);
	return fixture_run("file");
}
