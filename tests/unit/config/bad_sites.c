#include "bad_sites.h"

#include <string.h>

#include "fixture.h"

void bad_sites_check(void **state)
{
	const struct bad_sites_case *row = *state;
	const struct fixture_input input = {
		.args = {"run", "s.yaml"}, .files = {{"s.yaml", row->text}}, .length = row->length};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, row->lines);
	assert_null(strstr(fixture.lines, "sesame"));
	fixture_finish(&fixture);
}
