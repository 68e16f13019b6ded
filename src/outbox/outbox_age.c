#include "outbox/outbox_age.h"

#include <string.h>

void outbox_age_init(struct outbox_age *age)
{
	*age = (struct outbox_age){.spacing_us = CLOCK_US_PER_S};
}

/* Every other mark goes, the oldest stays. */
static void thin_out(struct outbox_age *age)
{
	for (size_t i = 0; i < OUTBOX_AGE_MARKS / 2; i++)
		age->marks[i] = age->marks[2 * i];
	age->count = OUTBOX_AGE_MARKS / 2;
	age->spacing_us *= 2;
}

void outbox_age_note(struct outbox_age *age, int64_t id, wall_us now)
{
	if (age->count > 0) {
		int64_t passed = now - age->marks[age->count - 1].at;
		if (passed >= 0 && passed < age->spacing_us)
			return;
	}
	if (age->count == OUTBOX_AGE_MARKS)
		thin_out(age);
	age->marks[age->count++] = (struct outbox_age_mark){.id = id, .at = now};
}

wall_us outbox_age_of(struct outbox_age *age, int64_t id)
{
	size_t passed = 0;
	while (passed + 1 < age->count && age->marks[passed + 1].id <= id)
		passed++;
	if (passed > 0) {
		age->count -= passed;
		memmove(age->marks, age->marks + passed, age->count * sizeof(age->marks[0]));
	}
	if (age->count <= 1)
		age->spacing_us = CLOCK_US_PER_S;
	return age->count == 0 || age->marks[0].id > id ? 0 : age->marks[0].at;
}
