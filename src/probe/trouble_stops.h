/*
 * Why we broke a transfer off ourselves, in words for people: each bound on what a site may send has its own. Pure.
 */
#ifndef WEBSENTRY_PROBE_TROUBLE_STOPS_H
#define WEBSENTRY_PROBE_TROUBLE_STOPS_H

#include "check/observation.h"

struct trouble_facts;

/* Why facts->stopped_for, which is not STOP_NONE; the words may be cut off at their end. */
enum reason trouble_stops_tell(const struct trouble_facts *facts,
			       char ret_message[static OBSERVATION_MESSAGE_MAX]);

#endif
