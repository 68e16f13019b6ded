#include "probe/check_env.h"

#include "probe/client_certificate.h"
#include "probe/network.h"
#include "probe/poller.h"
#include "probe/resolver_pool.h"
#include "probe/trust.h"

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
