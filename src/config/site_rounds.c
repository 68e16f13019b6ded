/* The keys that say whether all addresses of a name are checked, and how many of them must work. */
#include "check/request.h"
#include "check/round.h"
#include "check/url.h"
#include "config/site_entry.h"
#include "config/site_keys.h"

void site_keys_take_addresses(struct entry_reader *reader, const struct node *value)
{
	static const struct site_keys_choice choices[] = {{"one", 0}, {"all", 1}, {NULL, 0}};
	int choice = site_keys_take_choice(reader, value, choices, "one or all for `addresses`");
	if (choice < 0) {
		entry_note_mistaken(reader->entry, "addresses");
		return;
	}
	request_make(&reader->entry->site)->is_all_addresses = choice == 1;
	reader->entry->addresses_level = reader->level;
}

void site_keys_take_addresses_needed(struct entry_reader *reader, const struct node *value)
{
	int64_t number;
	if (entry_take_integer(reader, "addresses_needed", value, 1, ROUND_ADDRESSES_MAX,
			       &number) != 0)
		return;
	request_make(&reader->entry->site)->addresses_needed = (int)number;
	reader->entry->addresses_needed_level = reader->level;
}

/* A proxy connects to whom it likes. */
static bool is_proxied(const struct site *site)
{
	struct url_parts parts;
	if (site->url == NULL || url_parse(site->url, &parts, NULL) != 0)
		return false;
	bool is_proxied = request_find_proxy(request_of(site), parts.host) != NULL;
	url_parts_finish(&parts);
	return is_proxied;
}

void site_keys_finish_rounds(struct entry_reader *reader, const struct node *node)
{
	const struct entry *entry = reader->entry;
	const struct request *request = request_of(&entry->site);
	if (!request->is_all_addresses) {
		/* in the defaults it is for those sites that say `all` */
		bool is_meant = entry->addresses_needed_level > LEVEL_SETTINGS &&
				entry->addresses_needed_level >= entry->addresses_level;
		if (request->addresses_needed != 0 && is_meant &&
		    !entry_is_mistaken(entry, "addresses"))
			entry_problem(reader, node,
				      "found `addresses_needed` without `addresses: all`, expected "
				      "both");
		return;
	}
	if (request->is_keepalive)
		entry_problem(reader, node,
			      "found `keepalive: true` and `addresses: all`, expected at most one "
			      "(one connection is kept for a site)");
	if (is_proxied(&entry->site))
		entry_problem(reader, node,
			      "found a `proxy` and `addresses: all`, expected `proxy: none` (a "
			      "proxy chooses the address itself)");
}
