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

static ucontext_t outside;

#ifdef __SANITIZE_ADDRESS__
static const void *outside_stack;
static size_t outside_bytes;

static void before_switch(void **ret_fake, const void *stack, size_t bytes)
{
	__sanitizer_start_switch_fiber(ret_fake, stack, bytes);
}

static void after_switch(void *fake, bool is_inside)
{
	const void **stack = is_inside ? &outside_stack : NULL;
	__sanitizer_finish_switch_fiber(fake, stack, is_inside ? &outside_bytes : NULL);
}
#else
static const void *const outside_stack = NULL;
static const size_t outside_bytes = 0;

static void before_switch(void **ret_fake, const void *stack, size_t bytes)
{
	(void)ret_fake;
	(void)stack;
	(void)bytes;
}

static void after_switch(void *fake, bool is_inside)
{
	(void)fake;
	(void)is_inside;
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
	fiber->is_abandoned = false;
	makecontext(&fiber->context, entry, 0);
}

void sim_fiber_begun(struct sim_fiber *fiber)
{
	(void)fiber;
	after_switch(NULL, true);
}

void sim_fiber_enter(struct sim_fiber *fiber)
{
	void *fake = NULL;
	before_switch(&fake, fiber->stack, STACK_BYTES);
	(void)swapcontext(&outside, &fiber->context);
	after_switch(fake, false);
}

void sim_fiber_leave(struct sim_fiber *fiber, bool is_last)
{
	before_switch(is_last ? NULL : &fiber->fake_stack, outside_stack, outside_bytes);
	(void)swapcontext(&fiber->context, &outside);
	after_switch(fiber->fake_stack, true);
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
