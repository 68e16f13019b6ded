/* config/sites.c with the YAML tree below it: a sites file, whatever it is, is read or complained of. */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/site.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/sites.h"

static char folder[] = "/tmp/websentry-fuzz-XXXXXX";
static char file_name[64];
static struct settings settings;

static void clean_up(void)
{
	settings_finish(&settings);
	(void)unlink(file_name);
	(void)rmdir(folder);
}

static void write_file(const uint8_t *bytes, size_t length)
{
	FILE *file = fopen(file_name, "wbe");
	FUZZ_PROMISE(file != NULL && fwrite(bytes, 1, length, file) == length);
	FUZZ_PROMISE(fclose(file) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	FUZZ_PROMISE(mkdtemp(folder) != NULL);
	(void)snprintf(file_name, sizeof(file_name), "%s/sites.yaml", folder);
	char home[128];
	(void)snprintf(home, sizeof(home), "HOME=%s", folder);
	char program[] = "websentry";
	char command[] = "run";
	char *words[] = {program, command, file_name, NULL};
	char *environment[] = {home, NULL};
	struct problems problems;
	problems_init(&problems);
	write_file((const uint8_t *)"", 0);
	settings_read(3, words, environment, &settings, &problems);
	FUZZ_PROMISE(problems.error_count == 0);
	problems_finish(&problems);
	(void)atexit(clean_up);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems;
	struct site_list list;
	write_file(data, size);
	problems_init(&problems);
	sites_load(&settings, &list, &problems);
	FUZZ_PROMISE(list.count > 0 || problems.error_count > 0);
	for (size_t i = 0; i < list.count; i++)
		FUZZ_PROMISE(list.sites[i].url != NULL && list.sites[i].name != NULL);
	site_list_finish(&list);
	problems_finish(&problems);
	return 0;
}
