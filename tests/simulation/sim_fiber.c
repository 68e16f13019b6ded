/* A jump to another stack is what we want, and what the checked longjmp() takes for a mistake. */
#undef _FORTIFY_SOURCE
#include "sim_fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

enum { STACK_BYTES = 256 * 1024 };

#ifdef __SANITIZE_ADDRESS__
/* It must be told of each switch, and has its own idea of longjmp(). */
static ucontext_t outside;
static const void *outside_stack;
static size_t outside_bytes;

static void switch_in(struct sim_fiber *fiber)
{
	void *fake = NULL;
	__sanitizer_start_switch_fiber(&fake, fiber->stack, STACK_BYTES);
	(void)swapcontext(&outside, &fiber->context);
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static void switch_out(struct sim_fiber *fiber, bool is_last)
{
	__sanitizer_start_switch_fiber(is_last ? NULL : &fiber->fake_stack, outside_stack,
				       outside_bytes);
	(void)swapcontext(&fiber->context, &outside);
	__sanitizer_finish_switch_fiber(fiber->fake_stack, &outside_stack, &outside_bytes);
}

void sim_fiber_begun(struct sim_fiber *fiber)
{
	(void)fiber;
	__sanitizer_finish_switch_fiber(NULL, &outside_stack, &outside_bytes);
}
#else
/* swapcontext() asks the kernel for the signal mask each time, which takes longer than all the rest. */
static jmp_buf outside;

static void switch_in(struct sim_fiber *fiber)
{
	if (_setjmp(outside) != 0)
		return;
	if (fiber->is_begun)
		_longjmp(fiber->inside, 1);
	fiber->is_begun = true;
	(void)setcontext(&fiber->context);
}

static void switch_out(struct sim_fiber *fiber, bool is_last)
{
	(void)is_last;
	if (_setjmp(fiber->inside) == 0)
		_longjmp(outside, 1);
}

void sim_fiber_begun(struct sim_fiber *fiber)
{
	(void)fiber;
}
#endif

void sim_fiber_make(struct sim_fiber *fiber, void (*entry)(void))
{
	if (fiber->stack == NULL) {
		fiber->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
		if (fiber->stack == MAP_FAILED)
			abort();
#ifdef VALGRIND_STACK_REGISTER
		(void)VALGRIND_STACK_REGISTER(fiber->stack, (char *)fiber->stack + STACK_BYTES);
#endif
	}
	(void)getcontext(&fiber->context);
	fiber->context.uc_stack.ss_sp = fiber->stack;
	fiber->context.uc_stack.ss_size = STACK_BYTES;
	fiber->context.uc_link = NULL;
	fiber->fake_stack = NULL;
	fiber->is_abandoned = fiber->is_begun = false;
	makecontext(&fiber->context, entry, 0);
}

void sim_fiber_enter(struct sim_fiber *fiber)
{
	switch_in(fiber);
}

void sim_fiber_leave(struct sim_fiber *fiber, bool is_last)
{
	fiber->is_abandoned = fiber->is_abandoned || is_last;
	switch_out(fiber, is_last);
	if (fiber->is_abandoned)
		sim_fiber_leave(fiber, true);
}

/* With AddressSanitizer it is entered once more, to give its fake stack back. */
void sim_fiber_abandon(struct sim_fiber *fiber)
{
#ifdef __SANITIZE_ADDRESS__
	if (fiber->fake_stack != NULL && !fiber->is_abandoned) {
		fiber->is_abandoned = true;
		sim_fiber_enter(fiber);
	}
#else
	(void)fiber;
#endif
}
