#include "probe/response_note.h"

#include <stdlib.h>
#include <string.h>

#include "check/observation.h"
#include "probe/kept_connection.h"
#include "probe/transfer.h"

void response_note(struct observation *observation, struct transfer *transfer,
		   struct kept_connection *kept)
{
	struct certificate *certificate = &transfer->certificate;
	if (transfer->started_at == 0)
		return;
	observation->final.http_status_code = transfer_status(transfer);
	if (observation->final.http_status_code != 0) {
		observation->final.http_version = transfer_http_version(transfer);
		observation->body_bytes = transfer_body_bytes(transfer);
		observation->decoded_bytes = transfer->decoded_bytes;
	}
	memcpy(observation->tls_version, certificate->tls_version,
	       sizeof(observation->tls_version));
	observation->cert_not_after = certificate->not_after;
	observation->chain_not_after = certificate->chain_not_after;
	free(observation->cert_issuer);
	observation->cert_issuer = certificate->issuer;
	certificate->issuer = NULL;
	if (kept == NULL || observation->final.http_status_code == 0)
		return;
	if (transfer_is_reused(transfer)) {
		observation->is_keepalive = true;
		kept_connection_recall(kept, observation);
	} else {
		kept_connection_note(kept, observation);
	}
}

void response_forget(struct observation *observation)
{
	observation->body_bytes = -1;
	observation->decoded_bytes = -1;
	observation->tls_version[0] = '\0';
	observation->cert_not_after = TIME_UNKNOWN;
	observation->chain_not_after = TIME_UNKNOWN;
	free(observation->cert_issuer);
	observation->cert_issuer = NULL;
}
