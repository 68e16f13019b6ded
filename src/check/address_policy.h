/*
 * Which addresses a site may be connected to, on any hop: `allow_private` and `deny_cidrs`. Made by config/, never changed
 * afterwards, read by every thread; many sites share one, and only the thread that makes and releases lists of sites counts them.
 */
#ifndef WEBSENTRY_CHECK_ADDRESS_POLICY_H
#define WEBSENTRY_CHECK_ADDRESS_POLICY_H

#include <stddef.h>

#include "check/address.h"

enum { ADDRESS_POLICY_DENIED_MAX = 1024 };

/* In the order of the setting's words. */
enum address_allow {
	ADDRESS_ALLOW_OWN, /* where the site itself is; its redirects no further inside than that */
	ADDRESS_ALLOW_ALL, /* true */
	ADDRESS_ALLOW_NONE, /* false: public addresses alone */
};

struct address_policy {
	enum address_allow allow;
	struct address_block *denied; /* always, whatever allow says */
	size_t denied_count;
	size_t users;
};

/* What holds for a site that says nothing: NULL stands for it. */
extern const struct address_policy address_policy_usual;

/* One more user of it; accepts NULL. */
struct address_policy *address_policy_take(struct address_policy *policy);
void address_policy_release(struct address_policy *policy); /* accepts NULL */
/* *place's, to be changed: made where there is none, a copy where others use it, too. */
struct address_policy *address_policy_change(struct address_policy **place);
/* Add a block. 0, or -1 where there are ADDRESS_POLICY_DENIED_MAX already. */
int address_policy_deny(struct address_policy *policy, const struct address_block *block);

/* Why an address may not be connected to. */
enum address_judgement {
	ADDRESS_FINE,
	ADDRESS_DENIED,     /* by a block */
	ADDRESS_TOO_INSIDE, /* further inside than reach */
};

/* ret_block (may be NULL): which one denies it. */
enum address_judgement address_policy_judge(const struct address_policy *policy,
					    const struct address *address, enum address_scope reach,
					    const struct address_block **ret_block);

#endif
