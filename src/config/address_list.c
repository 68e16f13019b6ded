#include "config/address_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "check/address_policy.h"
#include "config/settings.h"

static int deny_one(struct address_policy *policy, const char *word, struct error *err)
{
	struct address_block block;
	if (address_parse_block(word, &block) != 0) {
		error_set(
			err, ERROR_REJECT,
			"expected addresses or blocks such as 10.0.0.0/8 or fd00::/8, not '%.80s'",
			word);
		return -1;
	}
	if (address_policy_deny(policy, &block) != 0) {
		error_set(err, ERROR_REJECT, "expected at most %d blocks",
			  (int)ADDRESS_POLICY_DENIED_MAX);
		return -1;
	}
	return 0;
}

int address_list_deny(struct address_policy *policy, const char *text, struct error *err)
{
	char *copy = xstrdup(text);
	char *rest = NULL;
	int result = 0;
	char *word = strtok_r(copy, ", ", &rest);
	if (word == NULL)
		result = deny_one(policy, text, err);
	for (; word != NULL && result == 0; word = strtok_r(NULL, ", ", &rest))
		result = deny_one(policy, word, err);
	free(copy);
	return result;
}

struct address_policy *address_list_of_settings(const struct settings *settings)
{
	struct address_policy *policy = NULL;
	if (settings->allow_private != ADDRESS_ALLOW_OWN)
		address_policy_change(&policy)->allow = (enum address_allow)settings->allow_private;
	if (settings->deny_cidrs != NULL) /* checked with the settings */
		(void)address_list_deny(address_policy_change(&policy), settings->deny_cidrs, NULL);
	return policy;
}
