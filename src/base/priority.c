#include "base/priority.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

/* Each step is a tenth less of the processor; this many make a third. */
enum { GIVE_WAY = 5, NICE_MAX = 19 };

void priority_give_way(void)
{
	errno = 0;
	int of_main = getpriority(PRIO_PROCESS, (id_t)getpid()); /* -1 may be a value */
	if (of_main == -1 && errno != 0)
		return;
	int wanted = of_main + GIVE_WAY < NICE_MAX ? of_main + GIVE_WAY : NICE_MAX;
	(void)setpriority(PRIO_PROCESS, 0, wanted); /* 0: the calling thread */
}
