/*
 * check/url.c and check/url_redact.c. The first line is any text where a URL was expected; of the next ones a URL is made that holds a
 * secret in each place where one may stand, and nothing may be left of it.
 */
#include "fuzz.h"

#include <locale.h>
#include <string.h>

#include "base/memory.h"
#include "check/url.h"
#include "input.h"

static const char secret[] = "c4nary";

static char *redact(const char *url)
{
	char *redacted = url_redact(url);
	size_t length = strlen(redacted);
	FUZZ_PROMISE(length <= URL_REDACTED_MAX);
	FUZZ_PROMISE(input_is_safe(redacted, length, false));
	/* What was cut may end in the middle of anything. */
	if (length + 4 <= URL_REDACTED_MAX) {
		char *again = url_redact(redacted);
		if (strcmp(again, redacted) != 0)
			(void)fprintf(stderr, "%s\nbecame %s\nbecame %s\n", url, redacted, again);
		FUZZ_PROMISE(strcmp(again, redacted) == 0);
		free(again);
	}
	return redacted;
}

static void look_at_parts(const struct url_parts *parts)
{
	FUZZ_PROMISE(strcmp(parts->scheme, parts->is_https ? "https" : "http") == 0);
	FUZZ_PROMISE(parts->port >= 1 && parts->port <= 65535);
	FUZZ_PROMISE(parts->host[0] != '\0');
	for (const char *at = parts->host; *at != '\0'; at++)
		FUZZ_PROMISE(*at > ' ' && *at != 0x7F && strchr("@/?#\\[]", *at) == NULL &&
			     !(*at >= 'A' && *at <= 'Z'));
}

/* A percent-encoded "@" before the host is taken for a plain one, to be on the safe side. */
static bool has_plain_authority(const char *url)
{
	const char *host = strstr(url, "//") + 2;
	return memchr(host, '%', strcspn(host, "/?#")) == NULL;
}

static void look_at(const char *url)
{
	struct url_parts parts;
	struct url_parts shown;
	struct error err;
	char *username;
	char *password;
	char *redacted = redact(url);
	url_take_userinfo(url, &username, &password);
	FUZZ_PROMISE((username == NULL) == (password == NULL));
	bool is_url = url_parse(url, &parts, &err) == 0;
	FUZZ_PROMISE(url_is_same_origin(url, url) == is_url);
	if (!is_url) {
		FUZZ_PROMISE(err.kind == ERROR_REJECT && err.message[0] != '\0');
		FUZZ_PROMISE(input_is_safe(err.message, strlen(err.message), false));
	} else {
		look_at_parts(&parts);
		if (has_plain_authority(url) && strlen(redacted) + 4 <= URL_REDACTED_MAX) {
			FUZZ_PROMISE(url_parse(redacted, &shown, NULL) == 0);
			FUZZ_PROMISE(strcmp(shown.host, parts.host) == 0 &&
				     shown.port == parts.port && shown.is_https == parts.is_https);
			FUZZ_PROMISE(url_is_same_origin(url, redacted));
			url_parts_finish(&shown);
		}
		url_parts_finish(&parts);
	}
	free(username);
	free(password);
	url_take_userinfo(redacted, &username, &password);
	FUZZ_PROMISE(username == NULL);
	free(redacted);
}

/* In place, without the bytes that would end the part of the URL in which the text is to stand. */
static char *without(char *text, const char *bytes)
{
	size_t used = 0;
	for (const char *at = text; *at != '\0'; at++)
		if (strchr(bytes, *at) == NULL)
			text[used++] = *at;
	text[used] = '\0';
	return text;
}

static void expect_hidden(const char *url)
{
	char *redacted = redact(url);
	if (strstr(redacted, secret) != NULL)
		(void)fprintf(stderr, "%s\nbecame %s\n", url, redacted);
	FUZZ_PROMISE(strstr(redacted, secret) == NULL);
	free(redacted);
}

/* Whether a text leads the search for a secret astray, because it holds the same one. */
static bool holds_secret(char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(texts[i], secret) != NULL)
			return true;
	return false;
}

static void hide(struct input *input)
{
	enum { USER, BEFORE, BEHIND, HOST, PATH, QUERY, VALUE, REST, TEXTS };
	static const char *const keys[] = {"token", "api_key", "X-Amz-Signature", "password"};
	char *texts[TEXTS];
	const char *key = keys[input_byte(input) % (sizeof(keys) / sizeof(keys[0]))];
	for (size_t i = 0; i < TEXTS; i++)
		texts[i] = input_line(input);
	without(texts[USER], "/?#\\:@&;");
	without(texts[BEFORE], "/?#\\");
	without(texts[BEHIND], "/?#\\");
	without(texts[HOST], "/?#\\@:[]%");
	without(texts[PATH], "?#");
	without(texts[QUERY], "#");
	without(texts[VALUE], "&;#");
	if (!holds_secret(texts, TEXTS)) {
		char *urls[] = {
			xasprintf("https://%s:%s%s%s@%s/%s", texts[USER], texts[BEFORE], secret,
				  texts[BEHIND], texts[HOST], texts[PATH]),
			xasprintf("http://%s/%s?%s&%s=%s%s&%s", texts[HOST], texts[PATH],
				  texts[QUERY], key, secret, texts[VALUE], texts[REST]),
			xasprintf("http://%s/%s?%s&%s=%s%s&%s", texts[HOST], texts[PATH],
				  texts[QUERY], key, texts[VALUE], secret, texts[REST]),
			xasprintf("http://%s/%s?%s#%s%s", texts[HOST], texts[PATH], texts[QUERY],
				  secret, texts[REST]),
			xasprintf("http://%s/?u=https://%s:%s@%s", texts[HOST], texts[USER], secret,
				  texts[HOST]),
		};
		for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
			expect_hidden(urls[i]);
			free(urls[i]);
		}
	}
	for (size_t i = 0; i < TEXTS; i++)
		free(texts[i]);
}

static void look_at_names(const char *text)
{
	char *body = xasprintf("%s&password=1", text);
	FUZZ_PROMISE(url_is_secret_body(body, strlen(body)));
	(void)url_is_secret_body(text, strlen(text));
	if (url_is_secret_name(text))
		FUZZ_PROMISE(url_is_secret_header(text, ""));
	(void)url_is_secret_header("X", text);
	free(body);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* as main() does, for libidn2 */
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = input_of(data, size);
	char *url = input_line(&input);
	look_at(url);
	look_at_names(url);
	hide(&input);
	free(url);
	return 0;
}
