#include "probe/check_env.h"

#include <ares.h>
#include <pthread.h>
#include <stdbool.h>

#include "probe/client_certificate.h"
#include "probe/kept_memory.h"
#include "probe/network.h"
#include "probe/poller.h"
#include "probe/resolver_pool.h"
#include "probe/trust.h"

static pthread_once_t libraries_once = PTHREAD_ONCE_INIT;
static bool are_libraries_ready;

static void prepare_libraries(void)
{
	are_libraries_ready = kept_memory_prepare_curl() == 0 &&
			      ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
}

int check_env_prepare(struct error *err)
{
	(void)pthread_once(&libraries_once, prepare_libraries);
	if (are_libraries_ready)
		return 0;
	error_set(err, ERROR_FATAL, "libcurl or c-ares could not be prepared");
	return -1;
}

int check_env_create(struct check_env *env, void (*on_ended)(void *context, CURLcode code),
		     const char *dns_servers, struct error *err)
{
	env->trust = trust_create();
	env->certificates = client_certificates_create();
	env->network = network_create(env->loop);
	env->poller = poller_create(env->loop, on_ended, err);
	if (env->poller == NULL)
		return -1;
	env->resolvers = resolver_pool_create(env->loop, dns_servers, err);
	return env->resolvers == NULL ? -1 : 0;
}

void check_env_close(struct check_env *env)
{
	network_close(env->network);
	resolver_pool_close(env->resolvers);
	poller_close(env->poller);
}

void check_env_destroy(struct check_env *env)
{
	poller_destroy(env->poller);
	resolver_pool_destroy(env->resolvers);
	network_destroy(env->network);
	trust_destroy(env->trust);
	client_certificates_destroy(env->certificates);
}
