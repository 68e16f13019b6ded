/*
 * Stands in for libFuzzer: runs a fuzzer once over each file that it is given, or that lies in a folder that it is given, and over
 * nothing at all. One case for each fuzzer; a broken promise ends the process, so the file is named beforehand.
 */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

/* Not every fuzzer has something to prepare. */
extern int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

enum { SEED_MAX = 1 << 20 };

static size_t seeds;

static void run_file(const char *path)
{
	static uint8_t bytes[SEED_MAX];
	FILE *file = fopen(path, "rbe");
	FUZZ_PROMISE(file != NULL);
	size_t length = fread(bytes, 1, sizeof(bytes), file);
	FUZZ_PROMISE(length < sizeof(bytes));
	(void)fclose(file);
	(void)printf("# %s\n", path);
	(void)fflush(stdout);
	uint8_t *exact = xmemdup(bytes, length); /* so that a sanitizer sees its end */
	(void)LLVMFuzzerTestOneInput(exact, length);
	free(exact);
	seeds++;
}

static void run_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort);
	FUZZ_PROMISE(count >= 0);
	for (int i = 0; i < count; i++) {
		char *name = xasprintf("%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			run_file(name);
		free(name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	static const uint8_t nothing[1];
	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	(void)printf("1..1\n");
	(void)LLVMFuzzerTestOneInput(nothing, 0);
	for (int i = 1; i < argc; i++) {
		struct stat status;
		FUZZ_PROMISE(stat(argv[i], &status) == 0);
		if (S_ISDIR(status.st_mode))
			run_folder(argv[i]);
		else
			run_file(argv[i]);
	}
	(void)printf("%s 1 - %zu seeds\n", seeds > 0 ? "ok" : "not ok", seeds);
	return seeds > 0 ? 0 : 1;
}
