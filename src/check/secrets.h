/*
 * What a site sends may repeat secrets, its own and ours: a page that shows its visitor's request, a cookie, a link with a password.
 * Whatever of it leaves the prober goes through here. It errs on the side of hiding. Pure; any thread.
 */
#ifndef WEBSENTRY_CHECK_SECRETS_H
#define WEBSENTRY_CHECK_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

struct buffer;
struct secrets;
struct site;

/* Everything secret that the site's request carries: of its URL, headers, cookies and body. NULL where it carries none. */
struct secrets *secrets_create(const struct site *site);
/* The same, and the values of cookies that redirects have set ("a=1; b=2"; NULL: none). */
struct secrets *secrets_create_with(const struct site *site, const char *cookies);
void secrets_destroy(struct secrets *secrets); /* accepts NULL */

/*
 * Append bytes to out, any bytes, with "***" in place of the secrets (NULL: none are known), of the user in a URL, and of values with
 * a name that looks like a secret's. With is_cut, the beginning of a secret at the end goes, too. The result is not yet safe text.
 */
void secrets_hide(const struct secrets *secrets, const char *bytes, size_t length, bool is_cut,
		  struct buffer *out);

/* The users of URLs alone: for our own words, which speak of names that look like a secret's. */
void secrets_hide_users(const char *bytes, size_t length, struct buffer *out);

/* The same of a value with a name, as safe text of at most max bytes, to be freed by the caller: "***" where the name is a secret's. */
char *secrets_hide_value(const struct site *site, const char *cookies, const char *name,
			 const char *bytes, size_t length, size_t max);

#endif
