#include "check/token_shapes.h"

#include <ctype.h>
#include <string.h>

/*
 * How far is looked for what makes a token of one: from each place where one seems to begin, and a site may have one begin every few
 * bytes.
 */
enum {
	AWS_ID_BYTES = 20,
	WEB_TOKEN_MIN = 24,  /* bytes; {"alg":"none"} alone is 20 */
	WEB_HEAD_MAX = 1024, /* bytes to the dot; what is longer is no word, but somebody's data */
	DIGIT_WITHIN_MAX = 64, /* bytes behind the mark, where an id stands that has one */
};

struct shape {
	const char *mark;
	size_t min; /* bytes behind the mark; some of these services say how many, and change it */
	const char *more; /* what may stand behind it beside letters and digits */
	bool has_digit;   /* soon and always, unlike a name with hyphens */
};

static const struct shape shapes[] = {
	{"ghp_", 30, "", false},       {"gho_", 30, "", false},
	{"ghu_", 30, "", false},       {"ghs_", 30, "", false},
	{"ghr_", 30, "", false},       {"github_pat_", 40, "_", false},
	{"glpat-", 20, "-_.", false},  {"xoxb-", 16, "-", true},
	{"xoxp-", 16, "-", true},      {"xoxa-", 16, "-", true},
	{"xoxr-", 16, "-", true},      {"xoxs-", 16, "-", true},
	{"xoxe-", 16, "-", true},      {"xoxe.xox", 16, "-.", true},
	{"xapp-", 16, "-", true},      {"sk_live_", 16, "", false},
	{"sk_test_", 16, "", false},   {"rk_live_", 16, "", false},
	{"rk_test_", 16, "", false},   {"whsec_", 24, "+/=", false},
	{"AIza", 35, "-_", false},     {"ya29.", 20, "-_.", false},
	{"npm_", 36, "", false},       {"pypi-", 50, "-_", false},
	{"SG.", 40, "-_.", false},     {"dop_v1_", 40, "", false},
	{"hf_", 30, "", false},        {"sk-proj-", 20, "-_", false},
	{"sk-ant-", 20, "-_", false},  {"glsa_", 30, "_", false},
	{"services/T", 40, "/", true}, {"webhooks/", 75, "-_/", true}, /* Slack's, Discord's */
};

/* Whether one of these may begin so; most letters begin none. */
static bool begins_mark(char letter)
{
	return letter != '\0' && strchr("ASbdeghnprswxy", letter) != NULL;
}

/* \n, \u0020 and %20 are no letters and digits. */
static bool is_behind_escape(const char *bytes, size_t at)
{
	if (at >= 2 && bytes[at - 2] == '\\')
		return islower((unsigned char)bytes[at - 1]);
	if (at >= 6 && bytes[at - 6] == '\\' && bytes[at - 5] == 'u')
		return true;
	return at >= 3 && bytes[at - 3] == '%' && isxdigit((unsigned char)bytes[at - 2]) &&
	       isxdigit((unsigned char)bytes[at - 1]);
}

static bool is_beginning(const char *bytes, size_t at)
{
	return at == 0 || !isalnum((unsigned char)bytes[at - 1]) || is_behind_escape(bytes, at);
}

static bool has_digit_soon(const char *bytes, size_t length)
{
	size_t looked = length < DIGIT_WITHIN_MAX ? length : DIGIT_WITHIN_MAX;
	for (size_t i = 0; i < looked; i++)
		if (isdigit((unsigned char)bytes[i]))
			return true;
	return false;
}

static size_t shape_length(const struct shape *shape, const char *bytes, size_t length)
{
	size_t mark = strlen(shape->mark);
	size_t end = mark;
	if (length < mark + shape->min || memcmp(bytes, shape->mark, mark) != 0 ||
	    (shape->has_digit && !has_digit_soon(bytes + mark, length - mark)))
		return 0;
	while (end < length && (isalnum((unsigned char)bytes[end]) ||
				(bytes[end] != '\0' && strchr(shape->more, bytes[end]) != NULL)))
		end++;
	if (end < mark + shape->min)
		return 0;
	return !shape->has_digit || has_digit_soon(bytes + mark, end - mark) ? end : 0;
}

/* AKIA… and ASIA…, capitals and digits, and no more of them. */
static size_t aws_id_length(const char *bytes, size_t length)
{
	size_t end = 0;
	if (length < AWS_ID_BYTES ||
	    (memcmp(bytes, "AKIA", 4) != 0 && memcmp(bytes, "ASIA", 4) != 0))
		return 0;
	while (end < length &&
	       (isupper((unsigned char)bytes[end]) || isdigit((unsigned char)bytes[end])))
		end++;
	return end == AWS_ID_BYTES && (end == length || !isalpha((unsigned char)bytes[end])) ? end
											     : 0;
}

/* A JSON web token: eyJ….….…; and JSON in base64 that is too long to go on looking for its dot. */
static size_t web_token_length(const char *bytes, size_t length)
{
	static const char start[] = "eyJ"; /* {" in base64 */
	size_t end = 0;
	bool has_dot = false;
	if (length < WEB_TOKEN_MIN || memcmp(bytes, start, strlen(start)) != 0)
		return 0;
	for (; end < length && (isalnum((unsigned char)bytes[end]) ||
				(bytes[end] != '\0' && strchr("-_.", bytes[end]) != NULL));
	     end++)
		has_dot = has_dot || bytes[end] == '.';
	return (has_dot && end >= WEB_TOKEN_MIN) || end > WEB_HEAD_MAX ? end : 0;
}

/* A bot of Telegram, as its paths have it: bot123456:ABC… */
static size_t bot_token_length(const char *bytes, size_t length)
{
	enum { ID_MIN = 6, KEY_MIN = 30 };
	static const char mark[] = "bot";
	size_t begin = strlen(mark);
	if (length < begin + ID_MIN + 1 + KEY_MIN || memcmp(bytes, mark, begin) != 0)
		return 0;
	while (begin < length && isdigit((unsigned char)bytes[begin]))
		begin++;
	if (begin < strlen(mark) + ID_MIN || begin == length || bytes[begin] != ':')
		return 0;
	size_t end = ++begin;
	while (end < length &&
	       (isalnum((unsigned char)bytes[end]) || bytes[end] == '-' || bytes[end] == '_'))
		end++;
	return end - begin >= KEY_MIN ? end : 0;
}

size_t token_shapes_length(const char *bytes, size_t length, size_t at)
{
	const char *begin = bytes + at;
	const size_t left = length - at;
	if (left < TOKEN_SHAPES_MIN || !begins_mark(*begin) || !is_beginning(bytes, at))
		return 0;
	size_t found = *begin == 'e' ? web_token_length(begin, left) : aws_id_length(begin, left);
	if (*begin == 'b')
		return bot_token_length(begin, left);
	for (size_t i = 0; found == 0 && i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (shapes[i].mark[0] == *begin)
			found = shape_length(&shapes[i], begin, left);
	return found;
}

bool token_shapes_stand_in(const char *bytes, size_t length)
{
	for (size_t at = 0; at + TOKEN_SHAPES_MIN <= length; at++)
		if (begins_mark(bytes[at]) && token_shapes_length(bytes, length, at) > 0)
			return true;
	return false;
}
