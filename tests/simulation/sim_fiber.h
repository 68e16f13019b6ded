/* A coroutine: a stack of its own, and the registers. AddressSanitizer is told of each switch. */
#ifndef WEBSENTRY_SIM_FIBER_H
#define WEBSENTRY_SIM_FIBER_H

#include <setjmp.h>
#include <stdbool.h>
#include <ucontext.h>

struct sim_fiber {
	ucontext_t context; /* where it begins */
	jmp_buf inside;     /* where it goes on */
	void *stack;        /* kept for the next one */
	bool is_begun;
	void *fake_stack;
	bool is_abandoned;
};

/* The next sim_fiber_enter() begins at entry(), which must call sim_fiber_begun() first and end with sim_fiber_leave(). */
void sim_fiber_make(struct sim_fiber *fiber, void (*entry)(void));
void sim_fiber_begun(struct sim_fiber *fiber);

/* From outside: run it until it leaves. */
void sim_fiber_enter(struct sim_fiber *fiber);

/* From inside. is_last: for good. */
void sim_fiber_leave(struct sim_fiber *fiber, bool is_last);

/* It is never entered again. */
void sim_fiber_abandon(struct sim_fiber *fiber);

#endif
