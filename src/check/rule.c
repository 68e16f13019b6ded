#include "check/rule.h"

#include <stdlib.h>
#include <string.h>

#include "check/decimal.h"
#include "check/json_pointer.h"

void rule_finish(struct site_rule *rule)
{
	free(rule->name);
	free(rule->text);
	*rule = (struct site_rule){0};
}

static bool is_equal(const struct site_rule *rule, const struct json_value *value)
{
	if (rule->kind != value->kind || value->is_cut)
		return false;
	switch (value->kind) {
	case JSON_NULL:
		return true;
	case JSON_NUMBER:
		return decimal_compare(rule->text, value->text) == 0;
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
		return is_number && decimal_compare(value->text, rule->text) < 0;
	case RULE_GREATER:
		return is_number && decimal_compare(value->text, rule->text) > 0;
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
