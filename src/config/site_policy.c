/* The keys that say which addresses a site may be connected to. */
#include <stdlib.h>

#include "base/error.h"
#include "check/address_policy.h"
#include "config/address_list.h"
#include "config/site_entry.h"
#include "config/site_keys.h"

void site_keys_take_allow_private(struct entry_reader *reader, const struct node *value)
{
	static const struct site_keys_choice choices[] = {
		{"own", ADDRESS_ALLOW_OWN},    {"true", ADDRESS_ALLOW_ALL},
		{"yes", ADDRESS_ALLOW_ALL},    {"on", ADDRESS_ALLOW_ALL},
		{"false", ADDRESS_ALLOW_NONE}, {"no", ADDRESS_ALLOW_NONE},
		{"off", ADDRESS_ALLOW_NONE},   {NULL, 0},
	};
	int allow = site_keys_take_choice(reader, value, choices,
					  "true, false or own for `allow_private`");
	if (allow >= 0)
		address_policy_change(&reader->entry->site.address_policy)->allow =
			(enum address_allow)allow;
}

/* They add up: a site takes back nothing of what the settings and the defaults deny. */
void site_keys_take_deny_cidrs(struct entry_reader *reader, const struct node *value)
{
	enum { TEXT_MAX = 64 * 1024 };
	size_t count = value->kind == NODE_SEQUENCE ? value->count : 1;
	if (entry_is_empty_list(reader, "deny_cidrs", value))
		return;
	for (size_t i = 0; i < count; i++) {
		const struct node *item = value->kind == NODE_SEQUENCE ? value->items[i] : value;
		struct error err;
		char *text;
		if (entry_take_text(reader, "deny_cidrs", item, TEXT_MAX, &text) != 0)
			return;
		int result = address_list_deny(
			address_policy_change(&reader->entry->site.address_policy), text, &err);
		if (result != 0)
			entry_problem(reader, item, "found '%.80s', %s for `deny_cidrs`", text,
				      err.message);
		free(text);
		if (result != 0)
			return;
	}
}
