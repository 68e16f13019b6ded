/*
 * check/url.c's url_resolve() and probe/redirect.c: where a site's Location headers lead, one after the other. A byte chooses request and
 * statuses, the first line is the site's URL, each further one a Location.
 */
#include "fuzz.h"

#include <locale.h>
#include <string.h>

#include "base/memory.h"
#include "check/request.h"
#include "check/site.h"
#include "check/url.h"
#include "input.h"
#include "probe/redirect.h"

enum { HOPS_MAX = 6, HAS_BODY = 8, HAS_SECRET = 16 };

/* RFC 3986, 5.4: what references mean at this base. A fragment is not sent, so it is dropped; schemes that are not ours are refused. */
static const char rfc_base[] = "http://a/b/c/d;p?q";
static const struct {
	const char *location;
	const char *target; /* NULL: refused */
} rfc[] = {
	{"g:h", NULL},
	{"g", "http://a/b/c/g"},
	{"./g", "http://a/b/c/g"},
	{"g/", "http://a/b/c/g/"},
	{"/g", "http://a/g"},
	{"//g", "http://g/"},
	{"?y", "http://a/b/c/d;p?y"},
	{"g?y", "http://a/b/c/g?y"},
	{"#s", "http://a/b/c/d;p?q"},
	{"g#s", "http://a/b/c/g"},
	{"g?y#s", "http://a/b/c/g?y"},
	{";x", "http://a/b/c/;x"},
	{"g;x", "http://a/b/c/g;x"},
	{"g;x?y#s", "http://a/b/c/g;x?y"},
	{".", "http://a/b/c/"},
	{"./", "http://a/b/c/"},
	{"..", "http://a/b/"},
	{"../", "http://a/b/"},
	{"../g", "http://a/b/g"},
	{"../..", "http://a/"},
	{"../../", "http://a/"},
	{"../../g", "http://a/g"},
	{"../../../g", "http://a/g"},
	{"../../../../g", "http://a/g"},
	{"/./g", "http://a/g"},
	{"/../g", "http://a/g"},
	{"g.", "http://a/b/c/g."},
	{".g", "http://a/b/c/.g"},
	{"g..", "http://a/b/c/g.."},
	{"..g", "http://a/b/c/..g"},
	{"./../g", "http://a/b/g"},
	{"./g/.", "http://a/b/c/g/"},
	{"g/./h", "http://a/b/c/g/h"},
	{"g/../h", "http://a/b/c/h"},
	{"g;x=1/./y", "http://a/b/c/g;x=1/y"},
	{"g;x=1/../y", "http://a/b/c/y"},
	{"g?y/./x", "http://a/b/c/g?y/./x"},
	{"g?y/../x", "http://a/b/c/g?y/../x"},
	{"g#s/./x", "http://a/b/c/g"},
	{"g#s/../x", "http://a/b/c/g"},
};

static void compare_with_rfc(const char *base, const char *location, const char *target)
{
	if (strcmp(base, rfc_base) != 0)
		return;
	for (size_t i = 0; i < sizeof(rfc) / sizeof(rfc[0]); i++) {
		if (strcmp(location, rfc[i].location) != 0)
			continue;
		FUZZ_PROMISE((target == NULL) == (rfc[i].target == NULL));
		FUZZ_PROMISE(target == NULL || strcmp(target, rfc[i].target) == 0);
	}
}

/* What may be asked for, whatever a site has sent. */
static void look_at_target(const char *url)
{
	struct url_parts parts;
	FUZZ_PROMISE(strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0);
	for (const char *at = url; *at != '\0'; at++)
		FUZZ_PROMISE((unsigned char)*at > ' ' && *at != 0x7F && *at != '#');
	FUZZ_PROMISE(url_parse(url, &parts, NULL) == 0);
	url_parts_finish(&parts);
	char *again = url_resolve(url, url, NULL);
	FUZZ_PROMISE(again != NULL && strcmp(again, url) == 0);
	free(again);
}

/* Where a Location leads; NULL: nowhere. The caller's. */
static char *resolve(const char *base, const char *location)
{
	struct error err = {0};
	char *target = url_resolve(base, location, &err);
	compare_with_rfc(base, location, target);
	if (target == NULL) {
		FUZZ_PROMISE(err.kind == ERROR_REJECT && err.message[0] != '\0');
		FUZZ_PROMISE(input_is_safe(err.message, strlen(err.message), false));
	} else {
		look_at_target(target);
	}
	return target;
}

/* What goes into a request's head. */
static void look_at_cookies(const struct redirect *redirect)
{
	FUZZ_PROMISE(redirect->cookies.count <= COOKIES_MAX);
	FUZZ_PROMISE(redirect->cookies.bytes <= COOKIES_BYTES_MAX);
	for (const char *at = redirect->cookie_field; at != NULL && *at != '\0'; at++)
		FUZZ_PROMISE(((unsigned char)*at >= ' ' || *at == '\t') && *at != 0x7F);
}

/* One hop after the other, as a check goes them. A Location serves as a cookie, too. */
static void follow(const struct site *site, unsigned choice, struct input *input)
{
	static const int statuses[] = {301, 302, 303, 307, 308};
	struct redirect redirect;
	redirect_init(&redirect, site);
	for (unsigned i = 0; i < HOPS_MAX && input->left > 0; i++) {
		struct error err = {0};
		char *location = input_line(input);
		char *before = xstrdup(redirect.url);
		bool was_trusted = redirect.is_trusted_origin;
		char *target = resolve(before, location);
		int status = statuses[(choice + i) % (sizeof(statuses) / sizeof(statuses[0]))];
		redirect_take_cookies(&redirect, location, 0);
		if (redirect_follow(&redirect, site, status, location, &err) == 0) {
			/* It was looked at. */
			FUZZ_PROMISE(target != NULL && strcmp(redirect.url, target) == 0);
			FUZZ_PROMISE(was_trusted || !redirect.is_trusted_origin);
			look_at_cookies(&redirect);
			bool is_home = url_is_same_origin(site->url, redirect.url);
			FUZZ_PROMISE(redirect.is_trusted_origin == (was_trusted && is_home));
			bool may_know = redirect.is_trusted_origin;
			FUZZ_PROMISE(may_know || redirect.username == NULL);
			FUZZ_PROMISE(may_know || redirect.password == NULL);
			FUZZ_PROMISE(may_know || redirect.body == NULL ||
				     (choice & HAS_SECRET) == 0);
		} else {
			FUZZ_PROMISE(err.kind == ERROR_REJECT && err.message[0] != '\0');
			FUZZ_PROMISE(strcmp(redirect.url, before) == 0);
			FUZZ_PROMISE(redirect.is_trusted_origin == was_trusted);
		}
		free(target);
		free(location);
		free(before);
	}
	redirect_finish(&redirect);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* as main() does, for libidn2 */
	for (size_t i = 0; i < sizeof(rfc) / sizeof(rfc[0]); i++)
		free(resolve(rfc_base, rfc[i].location));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = {"GET", "POST", "HEAD", "DELETE"};
	struct url_parts parts;
	struct input input = input_of(data, size);
	unsigned choice = input_byte(&input);
	char *url = input_line(&input);
	if (url_parse(url, &parts, NULL) == 0) {
		struct site site;
		site_init(&site);
		site.url = xstrdup(url);
		free(site.method);
		site.method = xstrdup(methods[choice % (sizeof(methods) / sizeof(methods[0]))]);
		if ((choice & HAS_BODY) != 0) {
			site.body = xstrdup("body");
			site.body_length = 4;
		}
		request_make(&site)->is_body_secret = (choice & HAS_SECRET) != 0;
		follow(&site, choice, &input);
		site_finish(&site);
		url_parts_finish(&parts);
	}
	free(url);
	return 0;
}
