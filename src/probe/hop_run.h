/*
 * One hop of a check: the host of a URL, the way to it, its addresses as they are tried, and its phases. One thread: the loop's.
 */
#ifndef WEBSENTRY_PROBE_HOP_RUN_H
#define WEBSENTRY_PROBE_HOP_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "check/url.h"
#include "probe/address_guard.h"
#include "probe/phases.h"
#include "probe/resolver.h"
#include "probe/route.h"
#include "probe/trouble.h"

struct check_pin;
struct hop;
struct request;
struct transfer;

struct hop_run {
	struct address_guard
		guard; /* begun with address_guard_start(), for all hops of an attempt */
	struct url_parts parts;
	struct route route;        /* borrows from parts */
	struct resolver *resolver; /* that was asked for the host; NULL: none */
	bool is_stub_failing;
	bool is_forbidden; /* all that the host leads to is, and guard.text says why */
	struct resolver_address addresses[RESOLVER_ADDRESSES_MAX];
	size_t address_count;
	size_t address_rest; /* of a look-up for all of them: those that the name has beyond */
	size_t address_next; /* addresses tried so far */
	/* Of the first of them that failed by itself; REASON_OK: none. */
	struct trouble address_trouble;
	/* Where route.needs_site: the site's own, of which the proxy is told one after the other. */
	struct resolver_address targets[RESOLVER_ADDRESSES_MAX];
	size_t target_count; /* 0: not known yet */
	size_t target_at;
	struct trouble target_trouble; /* as address_trouble */
	mono_us started;
	mono_us resolved_at; /* 0: not yet */
};

/*
 * Begin a hop to a URL, the site's own or a redirect's; what it was before is released. Returns 0, or -1 with ERROR_REJECT where that is
 * no URL for us: the hop has no host then. It may be forbidden already. Released with hop_run_finish().
 */
int hop_run_begin(struct hop_run *hop, const struct request *request, const char *url,
		  bool is_redirected, mono_us now, struct error *err);
void hop_run_finish(struct hop_run *hop);

/* The name to look up now: the site's where its proxy is told its address, then that of whom to connect to. */
const char *hop_run_host(const struct hop_run *hop);
bool hop_run_looks_for_site(const struct hop_run *hop);

/* The site behind the proxy has these addresses. Returns how many of them the request takes and the address policy allows. */
size_t hop_run_set_targets(struct hop_run *hop, const struct request *request,
			   const struct resolver_address *addresses, size_t count);
/* The one that the proxy is told; NULL: it is told the host of the URL. */
const char *hop_run_target(const struct hop_run *hop);
/* The proxy did not reach that one. Returns whether there is another one to tell it. */
bool hop_run_next_target(struct hop_run *hop);

/* The host has these addresses. Returns how many of them the request takes and the address policy allows. */
size_t hop_run_set_addresses(struct hop_run *hop, const struct request *request,
			     const struct resolver_address *addresses, size_t count, mono_us now);

/* The same, those that are forbidden too, and how many there are beyond: nobody is going to connect to any now. */
size_t hop_run_list_addresses(struct hop_run *hop, const struct request *request,
			      const struct resolver_address *addresses, size_t count, mono_us now);

/* The addresses that nobody has to be asked for, as route_find_known(); of a pinned host (pin: NULL for none) there is one. */
size_t hop_run_find_known(const struct hop_run *hop, const struct check_pin *pin,
			  const struct request *request,
			  struct resolver_address known[static RESOLVER_ADDRESSES_MAX]);

bool hop_run_has_address(const struct hop_run *hop);

/*
 * The next address to try, of those that hop_run_has_address() tells of, and the part of left_us that it has: an even share, so that the
 * last one still has a chance.
 */
const char *hop_run_take_address(struct hop_run *hop, int64_t left_us, int64_t *share_us);

/* The address that was taken last is the next one once more. */
void hop_run_repeat_address(struct hop_run *hop);

/* An address gave no connection. is_own: a way that this machine does not have does not decide. */
void hop_run_note_address(struct hop_run *hop, const struct trouble *trouble, bool is_own);

/* Note its phases as of now. Returns how far it has come. */
enum phase hop_run_measure(const struct hop_run *hop, const struct transfer *transfer, mono_us now,
			   struct hop *noted);

#endif
