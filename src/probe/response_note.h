/* What a transfer's response says, into the observation of its check. */
#ifndef WEBSENTRY_PROBE_RESPONSE_NOTE_H
#define WEBSENTRY_PROBE_RESPONSE_NOTE_H

#include <stdbool.h>

#include "base/clock.h"

struct check_start;
struct kept_connection;
struct observation;
struct site;
struct transfer;

/*
 * Note the response, complete or not; nothing where no transfer was started. The certificate's issuer moves, and the heads that somebody
 * wants to see follow those of the hop's earlier transfers. kept: the site's connections, NULL where none is kept.
 */
void response_note(struct observation *observation, struct transfer *transfer,
		   struct kept_connection *kept);

enum { RESPONSE_TEXT_MAX = 64 };

/* Over TLS a server may agree to less than the site asked for: false, and what is wrong. */
bool response_is_as_asked(const struct observation *observation, const struct site *site,
			  char text[static RESPONSE_TEXT_MAX]);

/* Lend the observation the bytes that came, the transfer's until it is cleared, and cookies (struct raw_response). And what else its head says. */
void response_note_raw(struct observation *observation, const struct transfer *transfer,
		       const char *cookies);

/* The check has begun: when, and how late. */
void response_note_start(struct observation *observation, const struct check_start *start,
			 wall_us checked_at);

/* The last hop goes to the list, and another follows. */
void response_note_redirect(struct observation *observation, const char *url);

/* The secrets of the site's request go where the site has put them into something else that is told: a redirect, a name. */
void response_hide_secrets(struct observation *observation, const struct site *site);

#endif
