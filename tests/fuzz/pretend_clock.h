/*
 * The clocks that only go forward, for our code and the libraries that it uses: they go on by a little whenever they are asked, and by as
 * much as is left to wait. So nothing is waited for, and an input does the same on a busy machine. The time of day and what was taken of
 * the processor stay the real ones.
 */
#ifndef WEBSENTRY_TESTS_FUZZ_PRETEND_CLOCK_H
#define WEBSENTRY_TESTS_FUZZ_PRETEND_CLOCK_H

#include <stdint.h>

void pretend_clock_skip(int64_t ms);

#endif
