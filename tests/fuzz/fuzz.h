/*
 * What every fuzzer has in common. A promise that is broken ends the process, and libFuzzer keeps the input. `make fuzz` runs them;
 * with replay.c in libFuzzer's place each is a test that runs its seeds.
 */
#ifndef WEBSENTRY_TESTS_FUZZ_FUZZ_H
#define WEBSENTRY_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Called by libFuzzer. Both return 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* assert() under a name of its own: it must hold for every input. */
#define FUZZ_PROMISE(condition)                                                                    \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			(void)fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__,   \
				      #condition);                                                 \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
