#include "probe/address_guard.h"

#include <stdio.h>
#include <string.h>

#include "check/address_policy.h"
#include "check/request.h"
#include "probe/resolver.h"

void address_guard_start(struct address_guard *guard, const struct address_policy *policy,
			 bool was_public)
{
	*guard = (struct address_guard){
		.policy = policy != NULL ? policy : &address_policy_usual,
		.is_public = was_public,
	};
}

static enum address_scope reach_of(const struct address_guard *guard)
{
	switch (guard->policy->allow) {
	case ADDRESS_ALLOW_ALL:
		return ADDRESS_MACHINE;
	case ADDRESS_ALLOW_NONE:
		return ADDRESS_PUBLIC;
	case ADDRESS_ALLOW_OWN:
		break;
	}
	if (guard->is_redirected)
		return guard->home;
	return guard->is_public ? ADDRESS_PUBLIC : ADDRESS_MACHINE;
}

void address_guard_start_hop(struct address_guard *guard, bool is_redirected)
{
	guard->is_redirected = is_redirected;
	guard->reach = reach_of(guard);
	guard->text[0] = '\0';
}

static const char *name_of(enum address_scope scope)
{
	switch (scope) {
	case ADDRESS_PUBLIC:
		return "a public address";
	case ADDRESS_PRIVATE:
		return "a private address";
	case ADDRESS_LINK:
		return "a link-local address";
	case ADDRESS_MACHINE:
		break;
	}
	return "an address of this machine";
}

/* What the operator can do about it stands at the end. */
static void explain_inside(struct address_guard *guard, const char *address,
			   const struct address *inside)
{
	const char *kind = name_of(address_scope(inside));
	const char *way_out = "`allow_private: true` would allow it";
	char *text = guard->text;
	const size_t size = sizeof(guard->text);
	if (guard->policy->allow == ADDRESS_ALLOW_NONE)
		(void)snprintf(text, size, "%s is forbidden: %s, and `allow_private` is false",
			       address, kind);
	else if (guard->is_redirected)
		(void)snprintf(text, size,
			       "%s is forbidden: the redirect leads to %s, and the site itself is "
			       "at %s; %s",
			       address, kind, name_of(guard->home), way_out);
	else
		(void)snprintf(text, size,
			       "%s is forbidden: %s, and the site was at public ones before; %s",
			       address, kind, way_out);
}

static void explain_denied(struct address_guard *guard, const char *address,
			   const struct address_block *block)
{
	char block_text[ADDRESS_BLOCK_TEXT_SIZE];
	address_block_format(block, block_text);
	(void)snprintf(guard->text, sizeof(guard->text), "%s is forbidden: `deny_cidrs` has %s",
		       address, block_text);
}

/* Asked three times a check: only what is refused becomes text. */
static bool is_fine(struct address_guard *guard, const struct address *address)
{
	const struct address_block *block = NULL;
	char text[ADDRESS_TEXT_SIZE];
	enum address_judgement judgement =
		address_policy_judge(guard->policy, address, guard->reach, &block);
	if (judgement == ADDRESS_FINE)
		return true;
	address_format(address, text);
	if (judgement == ADDRESS_DENIED)
		explain_denied(guard, text, block);
	else
		explain_inside(guard, text, address);
	return false;
}

static bool is_text_fine(struct address_guard *guard, const char *text)
{
	struct address address;
	if (address_parse(text, &address) == 0)
		return is_fine(guard, &address);
	(void)snprintf(guard->text, sizeof(guard->text), "%.100s is forbidden: no address", text);
	return false;
}

void address_guard_see(struct address_guard *guard, const struct resolver_address *addresses,
		       size_t count)
{
	size_t public_count = 0;
	struct address address;
	for (size_t i = 0; i < count; i++)
		public_count += address_parse(addresses[i].text, &address) == 0 &&
				address_scope(&address) == ADDRESS_PUBLIC;
	if (!guard->is_redirected && count > 0 && public_count == count)
		guard->is_public = true;
}

bool address_guard_would_allow(const struct address_guard *guard, const struct address *address)
{
	return address_policy_judge(guard->policy, address, guard->reach, NULL) == ADDRESS_FINE;
}

size_t address_guard_filter(struct address_guard *guard, struct resolver_address *addresses,
			    size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (is_text_fine(guard, addresses[i].text))
			addresses[kept++] = addresses[i];
	return kept;
}

bool address_guard_may_ask_for(struct address_guard *guard, const char *host,
			       const struct request_host *known)
{
	struct address address;
	if (address_parse_host(host, &address) == 0) {
		if (!guard->is_redirected)
			guard->home = address_scope(&address);
		return is_fine(guard, &address);
	}
	for (size_t i = 0; known != NULL && i < known->address_count; i++) {
		if (!is_text_fine(guard, known->addresses[i]))
			return false;
		/* which of them the proxy takes is not known: the site may be at each */
		if (!guard->is_redirected && address_parse(known->addresses[i], &address) == 0 &&
		    address_scope(&address) > guard->home)
			guard->home = address_scope(&address);
	}
	return true;
}

void address_guard_note(struct address_guard *guard, const char *address)
{
	struct address at;
	if (!guard->is_redirected && address_parse(address, &at) == 0)
		guard->home = address_scope(&at);
}

bool address_guard_allows(struct address_guard *guard, const struct sockaddr *socket_address)
{
	struct address address;
	if (address_of_socket(socket_address, &address) == 0)
		return is_fine(guard, &address);
	(void)snprintf(guard->text, sizeof(guard->text),
		       "an address of an unknown kind is forbidden");
	return false;
}
