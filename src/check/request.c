#include "check/request.h"

#include <stdlib.h>

#include "base/memory.h"
#include "check/site.h"

const struct request request_usual;

const struct request *request_of(const struct site *site)
{
	return site->request != NULL ? site->request : &request_usual;
}

struct request *request_make(struct site *site)
{
	if (site->request == NULL) {
		site->request = xcalloc(1, sizeof(*site->request));
		*site->request = request_usual;
	}
	return site->request;
}

void request_destroy(struct request *request)
{
	if (request == NULL)
		return;
	free(request->accept_encoding);
	free(request->cert_file);
	free(request->key_file);
	free(request->server_name);
	free(request);
}
