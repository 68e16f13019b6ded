#include "check/rule.h"

#include <stdlib.h>
#include <string.h>

#include "check/json_pointer.h"

void rule_finish(struct site_rule *rule)
{
	free(rule->name);
	free(rule->text);
	*rule = (struct site_rule){0};
}

/* As JSON writes them; strtod() takes all of that in the C locale, which the program never leaves. */
static double number_of(const char *text)
{
	return strtod(text, NULL);
}

static bool is_whole(const char *number)
{
	return strspn(number, "-0123456789") == strlen(number);
}

/* 1, 1.0 and 1e0 are one number; of whole numbers that a double can't tell apart the digits count, which JSON writes in one way. */
static bool is_same_number(const char *a, const char *b)
{
	double number = number_of(a);
	if (number != 0 && is_whole(a) && is_whole(b))
		return strcmp(a, b) == 0;
	return number == number_of(b);
}

/* Both are whole; JSON writes no zeros in front. */
static bool is_whole_less(const char *a, const char *b)
{
	bool is_negative = a[0] == '-';
	if (is_negative != (b[0] == '-'))
		return is_negative;
	size_t a_length = strlen(a);
	size_t b_length = strlen(b);
	if (a_length != b_length)
		return (a_length < b_length) != is_negative;
	int order = strcmp(a, b);
	return is_negative ? order > 0 : order < 0;
}

static bool is_less(const char *a, const char *b)
{
	double number = number_of(a);
	double other = number_of(b);
	if (number != 0 && number == other && is_whole(a) && is_whole(b))
		return is_whole_less(a, b);
	return number < other;
}

static bool is_equal(const struct site_rule *rule, const struct json_value *value)
{
	if (rule->kind != value->kind || value->is_cut)
		return false;
	switch (value->kind) {
	case JSON_NULL:
		return true;
	case JSON_NUMBER:
		return is_same_number(rule->text, value->text);
	case JSON_BOOL:
	case JSON_TEXT:
		return !value->is_bad_text && strlen(rule->text) == value->length &&
		       memcmp(rule->text, value->text, value->length) == 0;
	case JSON_OBJECT:
	case JSON_ARRAY:
	case JSON_KEY:
	case JSON_OBJECT_END:
	case JSON_ARRAY_END:
		break;
	}
	return false;
}

static bool holds(const struct site_rule *rule, const struct json_value *value)
{
	bool is_number = value->kind == JSON_NUMBER && !value->is_cut;
	switch (rule->test) {
	case RULE_EXISTS:
		return true;
	case RULE_EQUALS:
		return is_equal(rule, value);
	case RULE_LESS:
		return is_number && is_less(value->text, rule->text);
	case RULE_GREATER:
		return is_number && is_less(rule->text, value->text);
	case RULE_MATCHES:
		break;
	}
	return false;
}

enum match_state rule_compare(const struct site_rule *rule, const struct json_value *value)
{
	if (value == NULL)
		return MATCH_MISSING;
	return holds(rule, value) ? MATCH_FOUND : MATCH_NOT_FOUND;
}
