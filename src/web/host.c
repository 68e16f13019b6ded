#include "web/host.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static bool is_address(const char *name)
{
	unsigned char binary[sizeof(struct in6_addr)];
	return inet_pton(AF_INET, name, binary) == 1 || inet_pton(AF_INET6, name, binary) == 1;
}

static bool is_below_localhost(const char *name)
{
	static const char suffix[] = ".localhost";
	size_t length = strlen(name);
	size_t suffix_length = sizeof(suffix) - 1;
	return length > suffix_length &&
	       text_equal_ignoring_case(name + length - suffix_length, suffix);
}

static bool is_own_name(const char *name)
{
	char own[HOST_NAME_MAX + 1] = "";
	return gethostname(own, sizeof(own) - 1) == 0 && own[0] != '\0' &&
	       text_equal_ignoring_case(name, own);
}

/* Returns 0, or -1 where the name is longer than any name. */
static int strip_port(const char *host, char name[static HOST_NAME_MAX + 1])
{
	const char *end = host + strlen(host);
	if (host[0] == '[') {
		host++;
		end = strchr(host, ']');
		if (end == NULL)
			return -1;
	} else if (strchr(host, ':') != NULL) {
		end = strchr(host, ':');
	}
	size_t length = (size_t)(end - host);
	if (length > 0 && host[length - 1] == '.')
		length--; /* a name may end with its root */
	if (length > HOST_NAME_MAX)
		return -1;
	memcpy(name, host, length);
	name[length] = '\0';
	return 0;
}

bool host_is_local(const char *host)
{
	char name[HOST_NAME_MAX + 1];
	if (host == NULL)
		return true;
	if (strip_port(host, name) < 0)
		return false;
	return is_address(name) || text_equal_ignoring_case(name, "localhost") ||
	       is_below_localhost(name) || is_own_name(name);
}
