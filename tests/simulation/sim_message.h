/* The reports of the simulated sites: their bodies, and how to find out again which one a message is. Pure. */
#ifndef WEBSENTRY_SIM_MESSAGE_H
#define WEBSENTRY_SIM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/identity.h"

/* Bytes of a batch, and so of a message, that the brokers take; a body may be larger, and larger still when shrunk. */
enum { SIM_BATCH_BYTES_MAX = 900, SIM_BODY_MAX = 4096, SIM_NONCES = 512 };

enum sim_size { SIM_SIZE_SMALL, SIM_SIZE_SHRINKS, SIM_SIZE_HUGE };

struct sim_message {
	struct identity identity;
	bool has_prev;
	struct identity prev;
	int nonce;
	const char *rest; /* what follows the identity and prev */
};

/* Keep bytes until the next reset. */
void sim_message_reset(void);
const char *sim_message_keep(const void *bytes, size_t length);

/* A body; returns its length. */
size_t sim_message_body(char *body, int nonce, enum sim_size size);

/* What a body becomes when it is shrunk, into text of SIM_BODY_MAX; 0 where it can't be. Also of whole messages. */
size_t sim_message_shrink(char *text, const char *message, size_t length);

/* False: not a message of ours. */
bool sim_message_parse(const char *bytes, size_t length, struct sim_message *ret_message);

#endif
