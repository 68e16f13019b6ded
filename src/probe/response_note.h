/* What a transfer's response says, into the observation of its check. */
#ifndef WEBSENTRY_PROBE_RESPONSE_NOTE_H
#define WEBSENTRY_PROBE_RESPONSE_NOTE_H

struct kept_connection;
struct observation;
struct transfer;

/*
 * Note the response, complete or not; nothing where no transfer was started. The certificate's issuer moves. kept: the site's
 * connections, NULL where none is kept.
 */
void response_note(struct observation *observation, struct transfer *transfer,
		   struct kept_connection *kept);

/* What was noted of a response that another one follows. */
void response_forget(struct observation *observation);

#endif
