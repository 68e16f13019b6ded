#include "check/address_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

const struct address_policy address_policy_usual;

struct address_policy *address_policy_take(struct address_policy *policy)
{
	if (policy != NULL)
		policy->users++;
	return policy;
}

void address_policy_release(struct address_policy *policy)
{
	if (policy == NULL || --policy->users > 0)
		return;
	free(policy->denied);
	free(policy);
}

struct address_policy *address_policy_change(struct address_policy **place)
{
	const struct address_policy *old = *place;
	if (old != NULL && old->users == 1)
		return *place;
	struct address_policy *own = xcalloc(1, sizeof(*own));
	own->users = 1;
	if (old != NULL) {
		own->allow = old->allow;
		own->denied_count = old->denied_count;
		own->denied = xcalloc(old->denied_count, sizeof(own->denied[0]));
		if (old->denied_count > 0)
			memcpy(own->denied, old->denied,
			       old->denied_count * sizeof(own->denied[0]));
	}
	address_policy_release(*place);
	*place = own;
	return own;
}

int address_policy_deny(struct address_policy *policy, const struct address_block *block)
{
	if (policy->denied_count == ADDRESS_POLICY_DENIED_MAX)
		return -1;
	policy->denied =
		xreallocarray(policy->denied, policy->denied_count + 1, sizeof(policy->denied[0]));
	policy->denied[policy->denied_count++] = *block;
	return 0;
}

enum address_judgement address_policy_judge(const struct address_policy *policy,
					    const struct address *address, enum address_scope reach,
					    const struct address_block **ret_block)
{
	for (size_t i = 0; i < policy->denied_count; i++) {
		if (!address_is_in_block(address, &policy->denied[i]))
			continue;
		if (ret_block != NULL)
			*ret_block = &policy->denied[i];
		return ADDRESS_DENIED;
	}
	return address_scope(address) > reach ? ADDRESS_TOO_INSIDE : ADDRESS_FINE;
}
