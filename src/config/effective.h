/* What follows from several settings at once, and what a command lacks. Internal to config/; main thread. */
#ifndef WEBSENTRY_CONFIG_EFFECTIVE_H
#define WEBSENTRY_CONFIG_EFFECTIVE_H

#include <stdbool.h>

struct reading;
struct setting_origin;

void effective_complete(struct reading *reading);
void effective_complete_database(struct reading *reading);
void effective_check_properties(struct reading *reading); /* against settings that say the same */
void effective_check_quarantine(struct reading *reading); /* which messages are meant */
void effective_complete_check(struct reading *reading); /* `check`: how often, and in which form */

/* The origin of a setting by name, borrowed until it is set again. */
const struct setting_origin *effective_origin(const struct reading *reading, const char *name);

/* Whether anybody gave a value, right or wrong: a wrong one was complained of already. */
bool effective_was_tried(const struct reading *reading, const char *name);

void effective_complain_missing(struct reading *reading, const char *name, const char *what);

#endif
