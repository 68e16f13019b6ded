/* Keys of a site that contradict each other, or of which one makes another useless. Internal to config/; main thread. */
#ifndef WEBSENTRY_CONFIG_SITE_CONFLICTS_H
#define WEBSENTRY_CONFIG_SITE_CONFLICTS_H

#include "config/site_entry.h"

/*
 * When all keys of the reader's entry were taken: a problem for each conflict, at the key of it in mapping. scope says what the
 * entry is: LEVEL_SITE, or LEVEL_DEFAULTS and LEVEL_FLAG for one of these keys alone, so that what they say between themselves
 * is said once, not for every site (reader->said_conflicts).
 */
void site_conflicts_find(struct entry_reader *reader, const struct node *mapping,
			 enum entry_level scope);

#endif
