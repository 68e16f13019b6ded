/* The keys that say through whom a site is asked. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "check/request.h"
#include "check/site.h"
#include "check/url.h"
#include "config/site_entry.h"
#include "config/site_keys.h"

/* Nothing may follow the port: it would be lost. */
static bool has_path(const char *url)
{
	const char *host = strstr(url, "//") + 2;
	const char *rest = host + strcspn(host, "/?#");
	return rest[0] != '\0' && strcmp(rest, "/") != 0;
}

/* The URL with http or https in the place of a proxy's own scheme, for the one parser that there is. NULL: it is neither of SOCKS. */
static char *with_scheme(const char *url, const char *scheme, enum request_proxy_kind *ret_kind)
{
	static const struct {
		const char *start;
		enum request_proxy_kind kind;
	} schemes[] = {{"socks5://", REQUEST_PROXY_SOCKS5}, {"socks5h://", REQUEST_PROXY_SOCKS5H}};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t length = strlen(schemes[i].start);
		if (strncasecmp(url, schemes[i].start, length) == 0) {
			*ret_kind = schemes[i].kind;
			return xasprintf("%s://%s", scheme, url + length);
		}
	}
	return NULL;
}

/* The port that SOCKS has where the URL names none: that is so where the port goes with the scheme. */
static int socks_port(const char *url, const struct url_parts *as_http)
{
	enum { PORT_DEFAULT = 1080 };
	enum request_proxy_kind kind;
	struct url_parts as_https;
	int port = as_http->port;
	char *other = with_scheme(url, "https", &kind);
	if (other != NULL && url_parse(other, &as_https, NULL) == 0) {
		if (as_https.port != port)
			port = PORT_DEFAULT;
		url_parts_finish(&as_https);
	}
	free(other);
	return port;
}

/* What SOCKS can't say: the length of either is one byte. */
static bool is_user_too_long(const struct request_proxy *proxy)
{
	return proxy->kind != REQUEST_PROXY_HTTP && proxy->username != NULL &&
	       (strlen(proxy->username) > REQUEST_SOCKS_TEXT_MAX ||
		strlen(proxy->password) > REQUEST_SOCKS_TEXT_MAX);
}

/* NULL with a problem, in which the user of the URL does not stand. */
static struct request_proxy *read_proxy(struct entry_reader *reader, const char *name,
					const struct node *value, const char *text)
{
	struct url_parts parts;
	struct error err;
	enum request_proxy_kind kind = REQUEST_PROXY_HTTP;
	char *socks = with_scheme(text, "http", &kind);
	const char *url = socks != NULL ? socks : text;
	if (url_parse(url, &parts, &err) != 0) {
		char *redacted = url_redact(text);
		entry_problem(reader, value,
			      "found '%.200s': %s; expected none or a proxy such as "
			      "http://proxy.example:3128 or socks5h://proxy.example:1080 for `%s`",
			      redacted, err.message, name);
		free(redacted);
		free(socks);
		return NULL;
	}
	if (has_path(url)) {
		entry_problem(reader, value, "found a path behind the proxy of `%s`, expected none",
			      name);
		url_parts_finish(&parts);
		free(socks);
		return NULL;
	}
	struct request_proxy *proxy = xcalloc(1, sizeof(*proxy));
	proxy->kind = kind;
	proxy->port = socks != NULL ? socks_port(text, &parts) : parts.port;
	proxy->host = parts.host;
	proxy->is_host_ip = parts.is_host_ip;
	proxy->is_https = parts.is_https;
	parts.host = NULL;
	url_parts_finish(&parts);
	url_take_userinfo(url, &proxy->username, &proxy->password);
	free(socks);
	if (!is_user_too_long(proxy))
		return proxy;
	entry_problem(reader, value,
		      "found a user or password of more than %d bytes for `%s`, expected at most "
		      "that many for SOCKS",
		      (int)REQUEST_SOCKS_TEXT_MAX, name);
	request_proxy_destroy(proxy);
	return NULL;
}

static void take_proxy(struct entry_reader *reader, const char *name, const struct node *value)
{
	struct request_proxy *proxy = NULL;
	char *url;
	if (!entry_claim(reader, SLOT_PROXY, name, value) ||
	    entry_take_text(reader, name, value, URL_MAX, &url) != 0)
		return;
	bool is_none = text_equal_ignoring_case(url, "none");
	if (!is_none)
		proxy = read_proxy(reader, name, value, url);
	free(url);
	if (!is_none && proxy == NULL)
		return;
	struct request *request = request_make(&reader->entry->site);
	request_proxy_destroy(request->proxy);
	request->proxy = proxy;
}

void site_keys_take_proxy(struct entry_reader *reader, const struct node *value)
{
	take_proxy(reader, "proxy", value);
}

/* blackbox_exporter's name of it. */
void site_keys_take_proxy_url(struct entry_reader *reader, const struct node *value)
{
	take_proxy(reader, "proxy_url", value);
}

/* A header line each, in the place of the defaults'. */
static void add_value(struct site *site, const char *name, char *taken_value, bool is_first)
{
	struct request *request = request_make(site);
	if (is_first)
		request_remove_proxy_header(request, name);
	request_add_proxy_header(request, name, taken_value);
}

static void take_proxy_headers(struct entry_reader *reader, const char *name,
			       const struct node *value)
{
	if (!entry_claim(reader, SLOT_PROXY_HEADERS, name, value) ||
	    !entry_is_mapping(reader, name, value, SITE_HEADERS_MAX))
		return;
	for (size_t i = 0; i < value->count; i++)
		if (site_keys_is_header(reader, value, i))
			site_keys_take_values(reader, &value->pairs[i], add_value);
	if (request_of(&reader->entry->site)->proxy_header_count > SITE_HEADERS_MAX)
		entry_problem(reader, value,
			      "found more than %d headers with the defaults', expected at most "
			      "that many",
			      (int)SITE_HEADERS_MAX);
}

void site_keys_take_proxy_headers(struct entry_reader *reader, const struct node *value)
{
	take_proxy_headers(reader, "proxy_headers", value);
}

/* blackbox_exporter's name of it. */
void site_keys_take_proxy_connect_header(struct entry_reader *reader, const struct node *value)
{
	take_proxy_headers(reader, "proxy_connect_header", value);
}

/* No name ends in a number: it is an address in a form that not all read alike (010.0.0.1), a range of them, or a slip. */
static bool ends_in_number(const char *host)
{
	size_t length = strlen(host);
	length -= length > 0 && host[length - 1] == '.' ? 1 : 0; /* the root's */
	const char *dot = memrchr(host, '.', length);
	const char *label = dot == NULL ? host : dot + 1;
	size_t digits = strspn(label, "0123456789");
	return digits > 0 && label + digits == host + length;
}

/* The entry in the form that request_find_proxy() takes; NULL for what is none. */
static char *read_no_proxy(const char *text)
{
	if (strcmp(text, "*") == 0 || request_is_block(text))
		return xstrdup(text);
	char *host = site_keys_read_host(text + (text[0] == '.'));
	if (host == NULL || !ends_in_number(host))
		return host;
	free(host);
	return NULL;
}

static int add_no_proxy(struct entry_reader *reader, const struct node *place, const char *text)
{
	struct request *request = request_make(&reader->entry->site);
	char *entry = read_no_proxy(text);
	if (entry == NULL) {
		entry_problem(reader, place,
			      "found '%.80s', expected a host, an address, a block such as "
			      "192.0.2.0/24 or * in `no_proxy`",
			      text);
		return -1;
	}
	if (request->no_proxy_count == REQUEST_NO_PROXY_MAX) {
		entry_problem(reader, place, "found more than %d hosts, expected at most that many",
			      (int)REQUEST_NO_PROXY_MAX);
		free(entry);
		return -1;
	}
	request->no_proxy = xreallocarray(request->no_proxy, request->no_proxy_count + 1,
					  sizeof(request->no_proxy[0]));
	request->no_proxy[request->no_proxy_count++] = entry;
	return 0;
}

/* A list, or as everybody's environment has it, with commas. */
void site_keys_take_no_proxy(struct entry_reader *reader, const struct node *value)
{
	enum { NO_PROXY_TEXT_MAX = 16 * 1024 };
	request_forget_no_proxy(request_make(&reader->entry->site));
	if (entry_is_empty_list(reader, "no_proxy", value))
		return;
	size_t count = value->kind == NODE_SEQUENCE ? value->count : 1;
	for (size_t i = 0; i < count; i++) {
		const struct node *item = value->kind == NODE_SEQUENCE ? value->items[i] : value;
		char *text;
		char *rest = NULL;
		if (entry_take_text(reader, "no_proxy", item, NO_PROXY_TEXT_MAX, &text) != 0)
			return;
		char *word = strtok_r(text, ", ", &rest);
		int result = 0;
		if (word == NULL)
			result = add_no_proxy(reader, item, item->text);
		for (; word != NULL && result == 0; word = strtok_r(NULL, ", ", &rest))
			result = add_no_proxy(reader, item, word);
		free(text);
		if (result != 0)
			return;
	}
}
