#include "check/request.h"

#include <stdlib.h>
#include <string.h>

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

const struct request_host *request_find_host(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->host_count; i++)
		if (strcmp(request->hosts[i].name, name) == 0)
			return &request->hosts[i];
	return NULL;
}

void request_host_finish(struct request_host *host)
{
	free(host->name);
	for (size_t i = 0; i < host->address_count; i++)
		free(host->addresses[i]);
	free(host->addresses);
	*host = (struct request_host){0};
}

void request_set_host(struct request *request, const struct request_host *taken)
{
	for (size_t i = 0; i < request->host_count; i++) {
		if (strcmp(request->hosts[i].name, taken->name) == 0) {
			request_host_finish(&request->hosts[i]);
			request->hosts[i] = *taken;
			return;
		}
	}
	request->hosts =
		xreallocarray(request->hosts, request->host_count + 1, sizeof(*request->hosts));
	request->hosts[request->host_count++] = *taken;
}

void request_destroy(struct request *request)
{
	if (request == NULL)
		return;
	free(request->accept_encoding);
	free(request->cert_file);
	free(request->key_file);
	free(request->server_name);
	for (size_t i = 0; i < request->host_count; i++)
		request_host_finish(&request->hosts[i]);
	free(request->hosts);
	free(request->source_4);
	free(request->source_6);
	free(request);
}
