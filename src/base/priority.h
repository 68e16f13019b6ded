/* Which threads the kernel lets go first. Linux: a nice value belongs to a thread. */
#ifndef WEBSENTRY_BASE_PRIORITY_H
#define WEBSENTRY_BASE_PRIORITY_H

/*
 * Have the calling thread give way to the process's other threads where both want the same processor: a third of their weight.
 * Against the main thread's, so a second call changes nothing, nor does it matter who started the thread. Where that is not
 * allowed nothing happens.
 */
void priority_give_way(void);

#endif
