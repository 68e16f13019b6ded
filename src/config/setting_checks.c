#include "config/setting_checks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/identity.h"
#include "base/memory.h"
#include "base/text.h"
#include "check/address_policy.h"
#include "check/url.h"
#include "config/address_list.h"
#include "config/dsn.h"
#include "config/file.h"
#include "config/older.h"
#include "pattern/pattern.h"

static bool has_control(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if (iscntrl((unsigned char)*at))
			return true;
	return false;
}

int setting_check_url(const char *text, char **ret_canonical, struct error *err)
{
	struct url_parts parts;
	if (url_parse(text, &parts, err) != 0)
		return -1;
	url_parts_finish(&parts);
	*ret_canonical = xstrdup(text);
	return 0;
}

int setting_check_pattern(const char *text, char **ret_canonical, struct error *err)
{
	struct pattern *pattern = pattern_compile(text, err);
	if (pattern == NULL)
		return -1;
	pattern_destroy(pattern);
	*ret_canonical = xstrdup(text);
	return 0;
}

/* "host", "host:port", "[v6]:port"; the port from min_port on. is_host_needed: ":8080" is none. */
static bool is_address(const char *text, size_t length, bool is_host_needed, bool is_port_needed,
		       int64_t min_port)
{
	char *copy = xstrndup(text, length);
	char *host = copy;
	char *port = NULL;
	bool is_good = false;
	int64_t number;
	if (copy[0] == '[') {
		char *end = strchr(copy, ']');
		if (end == NULL || (end[1] != ':' && end[1] != '\0'))
			goto out;
		port = end[1] == ':' ? end + 2 : NULL;
		*end = '\0';
		host = copy + 1;
		if (host[0] == '\0' || host[strspn(host, "0123456789abcdefABCDEF:.%")] != '\0')
			goto out;
	} else {
		char *colon = strchr(copy, ':');
		if (colon != NULL) {
			*colon = '\0';
			port = colon + 1;
		}
		for (const char *at = host; *at != '\0'; at++)
			if (!isalnum((unsigned char)*at) && strchr("._-*", *at) == NULL)
				goto out;
	}
	if (is_host_needed && host[0] == '\0')
		goto out;
	if (port == NULL)
		is_good = !is_port_needed;
	else
		is_good = port[0] != '-' && strlen(port) <= 5 &&
			  text_parse_int64(port, &number) == 0 && number >= min_port &&
			  number <= 65535;
out:
	free(copy);
	return is_good;
}

static int expect_servers(struct error *err)
{
	error_set(err, ERROR_REJECT, "expected brokers such as kafka:9092 or a:9092,b:9092");
	return -1;
}

int setting_check_servers(const char *text, char **ret_canonical, struct error *err)
{
	for (const char *at = text;;) {
		at += strspn(at, " ");
		size_t length = strcspn(at, ",");
		size_t used = length;
		while (used > 0 && at[used - 1] == ' ')
			used--;
		const char *scheme = memmem(at, used, "://", 3);
		const char *address = scheme == NULL ? at : scheme + 3;
		if (!is_address(address, used - (size_t)(address - at), true, false, 1))
			return expect_servers(err);
		if (at[length] == '\0')
			break;
		at += length + 1;
	}
	*ret_canonical = xstrdup(text);
	return 0;
}

int setting_check_cidrs(const char *text, char **ret_canonical, struct error *err)
{
	struct address_policy *policy = NULL;
	int result = address_list_deny(address_policy_change(&policy), text, err);
	address_policy_release(policy);
	if (result == 0)
		*ret_canonical = xstrdup(text);
	return result;
}

int setting_check_topic(const char *text, char **ret_canonical, struct error *err)
{
	size_t length = strlen(text);
	bool is_good =
		length >= 1 && length <= 249 && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
	for (const char *at = text; is_good && *at != '\0'; at++)
		is_good = (isalnum((unsigned char)*at) && (unsigned char)*at < 0x80) ||
			  strchr("._-", *at) != NULL;
	if (!is_good) {
		error_set(err, ERROR_REJECT,
			  "expected a topic's name: 1 to 249 letters, digits, '.', '_' or '-'");
		return -1;
	}
	*ret_canonical = xstrdup(text);
	return 0;
}

static int check_line(const char *text, size_t max, const char *expected, char **ret_canonical,
		      struct error *err)
{
	size_t length = strlen(text);
	if (length == 0 || length > max || has_control(text) || !text_is_utf8(text, length)) {
		error_set(err, ERROR_REJECT, "expected %s of at most %zu bytes", expected, max);
		return -1;
	}
	*ret_canonical = xstrdup(text);
	return 0;
}

int setting_check_group(const char *text, char **ret_canonical, struct error *err)
{
	return check_line(text, 249, "a group's name", ret_canonical, err);
}

int setting_check_label(const char *text, char **ret_canonical, struct error *err)
{
	uint32_t character;
	if (text_is_utf8(text, strlen(text)) && !has_control(text) &&
	    text_find_invisible(text, &character)) {
		error_set(err, ERROR_REJECT,
			  "found the invisible character U+%04X, expected a name that is what it "
			  "looks like",
			  (unsigned)character);
		return -1;
	}
	return check_line(text, 255, "a name", ret_canonical, err);
}

int setting_check_plain(const char *text, char **ret_canonical, struct error *err)
{
	return check_line(text, 4096, "a line of text", ret_canonical, err);
}

int setting_check_database_part(const char *text, char **ret_canonical, struct error *err)
{
	if (dsn_is_whole(text)) {
		error_set(
			err, ERROR_REJECT,
			"found a whole DSN, expected a part of one (POSTGRES_DSN takes all of it)");
		return -1;
	}
	return setting_check_plain(text, ret_canonical, err);
}

int setting_check_site_key(const char *text, char **ret_canonical, struct error *err)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (length == 0 || text[length] != '=') {
		error_set(err, ERROR_REJECT, "expected KEY=VALUE such as method=POST");
		return -1;
	}
	if (has_control(text)) {
		error_set(err, ERROR_REJECT, "expected a value without control characters");
		return -1;
	}
	*ret_canonical = xstrdup(text);
	return 0;
}

/* Without blanks at both ends. */
static char *copy_trimmed(const char *text, size_t length)
{
	static const char blanks[] = " \t\r";
	size_t begin = 0;
	while (begin < length && strchr(blanks, text[begin]) != NULL)
		begin++;
	while (length > begin && strchr(blanks, text[length - 1]) != NULL)
		length--;
	return xstrndup(text + begin, length - begin);
}

static bool is_property_key(const char *key)
{
	for (const char *at = key; *at != '\0'; at++)
		if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL)
			return false;
	return key[0] != '\0';
}

int setting_check_property(const char *text, char **ret_canonical, struct error *err)
{
	const char *equals = strchr(text, '=');
	char *key = copy_trimmed(text, equals == NULL ? 0 : (size_t)(equals - text));
	char *value = equals == NULL ? NULL : copy_trimmed(equals + 1, strlen(equals + 1));
	int result = -1;
	if (!is_property_key(key)) {
		error_set(err, ERROR_REJECT, "expected key=value with a key such as linger.ms");
	} else if (has_control(value)) {
		error_set(err, ERROR_REJECT, "expected a value without control characters");
	} else {
		*ret_canonical = xasprintf("%s=%s", key, value);
		result = 0;
	}
	free(key);
	free(value);
	return result;
}

int setting_check_file(const char *text, char **ret_canonical, struct error *err)
{
	if (file_check_readable(text, err) != 0)
		return -1;
	*ret_canonical = xstrdup(text);
	return 0;
}

int setting_check_listen(const char *text, char **ret_canonical, struct error *err)
{
	bool is_off = text_equal_ignoring_case(text, "off");
	if (!is_off && !is_address(text, strlen(text), false, true, 0)) {
		error_set(err, ERROR_REJECT,
			  "expected an address such as 127.0.0.1:8080, [::1]:8080, :8080, or off");
		return -1;
	}
	*ret_canonical = xstrdup(is_off ? "off" : text);
	return 0;
}

int setting_check_dsn(const char *text, char **ret_canonical, struct error *err)
{
	if (dsn_check(text, err) != 0)
		return -1;
	*ret_canonical = xstrdup(text);
	return 0;
}

int setting_check_log_level(const char *text, char **ret_canonical, struct error *err)
{
	const char *word = older_log_level(text);
	if (word == NULL) {
		error_set(err, ERROR_REJECT, "expected one of error, warn, info, debug, trace");
		return -1;
	}
	*ret_canonical = xstrdup(word);
	return 0;
}

int setting_check_lost(const char *text, char **ret_canonical, struct error *err)
{
	struct identity_range range;
	char id[UUID_TEXT_SIZE];
	if (identity_parse_range(text, &range) != 0) {
		error_set(err, ERROR_REJECT, "expected PRODUCER_ID:FIRST-LAST as `audit` shows it");
		return -1;
	}
	uuid_format(&range.producer_id, id);
	*ret_canonical =
		xasprintf("%s:%lld-%lld", id, (long long)range.first, (long long)range.last);
	return 0;
}
