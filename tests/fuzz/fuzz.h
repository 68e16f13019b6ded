/*
 * What every fuzzer has in common. A promise that is broken ends the process, and libFuzzer keeps the input. `make fuzz` runs them.
 */
#ifndef WEBSENTRY_TESTS_FUZZ_FUZZ_H
#define WEBSENTRY_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Called by libFuzzer. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* assert() under a name of its own: it must hold for every input. */
#define FUZZ_PROMISE(condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#endif
