/* Sites files that are wrong: the place, what was found, what was expected; all of it at once. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct bad_case {
	const char *name;
	const char *text;  /* of s.yaml */
	const char *lines; /* all of them */
	size_t length;     /* 0: strlen(text) */
};

#define SITE(keys) "[{url: http://a/, " keys "}]"

static const struct bad_case form_cases[] = {
	{"an empty file", "", "s.yaml: is empty, expected a list of sites\n", 0},
	{"comments only", "# nothing\n", "s.yaml: is empty, expected a list of sites\n", 0},
	{"null", "~", "s.yaml: is empty, expected a list of sites\n", 0},
	{"a URL in place of the list", "sites: https://me:sesame@a/",
	 "s.yaml:1:8: found 'https://a/', expected a list of sites\n", 0},
	{"a URL in place of the file", "https://me:sesame@a/?token=sesame",
	 "s.yaml:1:1: found 'https://a/?token=***', expected `sites:` and a list of sites\n", 0},
	{"a URL as a key", "https://me:sesame@a/: x",
	 "s.yaml:1:1: unknown key `https://a/`, expected sites and defaults\n"
	 "s.yaml:1:1: found no `sites`, expected a list of them\n",
	 0},
	{"a file of variables", "POSTGRES_PASSWORD=sesame",
	 "s.yaml:1:1: found 'POSTGRES_PASSWORD=***', expected `sites:` and a list of sites\n", 0},
	{"a long URL in place of the list",
	 "sites: https://me:"
	 "sesamesesamesesamesesamesesamesesamesesamesesamesesamesesamesesamesesamesesame@a/",
	 "s.yaml:1:8: found 'https://a/', expected a list of sites\n", 0},
	{"a name server that is a URL", SITE("dns_servers: 'http://me:sesame@a/'"),
	 "s.yaml:1:32: found 'http://a/', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"an empty list", "[]", "s.yaml:1:1: found an empty list, expected at least one site\n", 0},
	{"an empty list of sites", "sites: []",
	 "s.yaml:1:8: found an empty list, expected at least one site\n", 0},
	{"sites without a list", "sites:\n",
	 "s.yaml:1:7: found nothing, expected a list of sites\n", 0},
	{"sites as a mapping", "sites: {a: b}",
	 "s.yaml:1:8: found a mapping, expected a list of sites\n", 0},
	{"text", "hello", "s.yaml:1:1: found 'hello', expected `sites:` and a list of sites\n", 0},
	{"sites misspelt", "Sites: [http://a/]",
	 "s.yaml:1:1: unknown key `Sites`, did you mean `sites`?\n", 0},
	{"a URL misspelt", "[{urll: http://a/}]",
	 "s.yaml:1:3: unknown key `urll`, did you mean `url`?\n", 0},
	{"no sites", "defaults: {}\n", "s.yaml:1:1: found no `sites`, expected a list of them\n",
	 0},
	{"an older service's name beside ours", "sites: [http://a/]\ntargets: [http://b/]",
	 "s.yaml:2:1: found `targets` beside `sites`, expected one of them\n", 0},
	{"an unknown key at the top", "sits: []\nsites: [http://a/]",
	 "s.yaml:1:1: unknown key `sits`, did you mean `sites`?\n", 0},
	{"a far key at the top", "modules: {}\nsites: [http://a/]",
	 "s.yaml:1:1: unknown key `modules`, expected sites and defaults\n", 0},
	{"defaults as a list", "{defaults: [], sites: [http://a/]}",
	 "s.yaml:1:12: found an empty list, expected a mapping for `defaults`\n", 0},
	{"a URL in the defaults", "{defaults: {url: http://b/}, sites: [http://a/]}",
	 "s.yaml:1:13: found `url` in the defaults, expected it in a site\n", 0},
	{"a mistake in the defaults, once",
	 "{defaults: {method: G=T}, sites: [http://a/, http://b/]}",
	 "s.yaml:1:21: found 'G=T', expected a method such as GET, HEAD or POST\n", 0},
	{"an unclosed list", "sites: [a,\n",
	 "s.yaml:2:1: did not find expected node content while parsing a flow node\n", 0},
	{"a tab", "sites:\n\t- url: x\n", "s.yaml:2:1: found a tab, expected spaces\n", 0},
	{"a colon in plain text", "sites:\n- url: http://a/: b\n",
	 "s.yaml:2:17: mapping values are not allowed in this context\n", 0},
	{"no UTF-8", "sites:\n- url: http://\xe9/\n",
	 "s.yaml:2:15: found the byte 0xE9, expected UTF-8\n", 0},
	{"UTF-16", "\xff\xfe[\0]\0", "s.yaml:1:1: found the byte 0xFF, expected UTF-8\n", 6},
	{"a NUL byte", "sites: [\0]", "s.yaml:1:9: control characters are not allowed\n", 10},
	{"a second document", "[http://a/]\n---\n[http://b/]\n",
	 "s.yaml:2:1: found a second document, expected one a file\n", 0},
	{"an unknown alias", "[*a]",
	 "s.yaml:1:2: found an alias, but no anchor of this name before it; text that begins with "
	 "'*' is to be put in quotes\n",
	 0},
	{"an alias of itself", "&a [*a]",
	 "s.yaml:1:5: found an alias within what it stands for, expected it outside\n", 0},
	{"a password that looks like an alias",
	 SITE("basic_auth: {username: a, password: *sesame}"),
	 "s.yaml:1:55: found an alias, but no anchor of this name before it; text that begins with "
	 "'*' is to be put in quotes\n",
	 0},
	{"a password that looks like a tag", SITE("basic_auth: {username: a, password: !sesame x}"),
	 "s.yaml:1:55: found an unknown tag, expected none or one of !!str, !!int, !!float, "
	 "!!bool, !!null, !!seq and !!map that fits it; text that begins with '!' is to be put in "
	 "quotes\n",
	 0},
	{"a password that looks like an anchor", SITE("bearer_token: &sesame"),
	 "s.yaml:1:33: found an anchor without a value, expected one; text that begins with '&' is "
	 "to be put in quotes\n",
	 0},
	{"a list as a key", "{[a]: b}",
	 "s.yaml:1:2: found a list or a mapping as a key, expected a word\n", 0},
	{"a key twice", "[{url: http://a/,\n  url: http://b/}]",
	 "s.yaml:2:3: `url` is given twice (first on line 1), expected it once\n", 0},
	{"a tag that is not of the core schema", "- !foo http://a/\n- {url: http://b/, url: x}\n",
	 "s.yaml:1:3: found an unknown tag, expected none or one of !!str, !!int, !!float, !!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in quotes\n"
	 "s.yaml:2:20: `url` is given twice (first on line 2), expected it once\n",
	 0},
	{"a core tag that does not fit", SITE("max_redirects: !!int some"),
	 "s.yaml:1:34: found the tag !!int, expected none or one of !!str, !!int, "
	 "!!float, !!bool, !!null, !!seq and !!map that fits it\n",
	 0},
	{"a tag before what is wrong anyway", SITE("interval: !foo x, max_redirects: y"),
	 "s.yaml:1:29: found an unknown tag, expected none or one of !!str, !!int, !!float, "
	 "!!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in quotes\n"
	 "s.yaml:1:52: found 'y', expected a whole number from 0 to 20 for `max_redirects`\n",
	 0},
	{"a list that says it is a mapping", "!!map [http://a/]",
	 "s.yaml:1:1: found the tag !!map, expected none or one of !!str, !!int, "
	 "!!float, !!bool, !!null, !!seq and !!map that fits it\n",
	 0},
	{"a tag of another schema", "[!!python/object http://a/]",
	 "s.yaml:1:2: found an unknown tag, expected none or one of !!str, !!int, !!float, !!bool, "
	 "!!null, !!seq and !!map that fits it; text that begins with '!' is to be put in quotes\n",
	 0},
	{"a character in two halves, as JSON has it",
	 "{\"sites\": [\n{\"url\": \"http://\xC3\xA4/\", "
	 "\"name\": \"a \\ud83D\\uDe00 b\"}]}",
	 "s.yaml:2:33: found '\\ud83D\\uDe00', which is how JSON escapes a character in two "
	 "halves, "
	 "expected the character itself or '\\U0001F600'\n",
	 0},
	{"half a character", "[{\"url\": \"http://a/\", \"name\": \"\\ud83d\"}]",
	 "s.yaml:1:32: found '\\ud83d', which is half a character, expected a whole one\n", 0},
	{"a half without another", "[\"\\udc00\\udc00\"]",
	 "s.yaml:1:3: found '\\udc00', which is half a character, expected a whole one\n", 0},
	{"a half before what is none", "[\"\\ud83d\\u0041\"]",
	 "s.yaml:1:3: found '\\ud83d', which is half a character, expected a whole one\n", 0},
	{"half a character at the end", "[\"\\ud83d",
	 "s.yaml:1:3: found '\\ud83d', which is half a character, expected a whole one\n", 0},
	{"a key behind a list, whose letters are digits",
	 "- http://a/\ndefaults:\n  interval: 5s\n",
	 "s.yaml:2:1: did not find expected '-' indicator while parsing a block collection\n", 0},
	{"a character that there is not", "[\"\\U00110000\"]",
	 "s.yaml:1:5: found invalid Unicode character escape code while parsing a quoted scalar\n",
	 0},
	{"a merge of no mapping", "[{<<: 5, url: http://a/}]",
	 "s.yaml:1:7: expected a mapping of at most 256 keys to merge (<<)\n", 0},
};

static const struct bad_case value_cases[] = {
	{"no URL", "[{name: x}]", "s.yaml:1:2: found a site without `url`, expected one\n", 0},
	{"an empty URL", "[{url: }]", "s.yaml:1:8: found nothing, expected text for `url`\n", 0},
	{"a list as a URL", "[{url: [a]}]", "s.yaml:1:8: found a list, expected text for `url`\n",
	 0},
	{"another scheme", "- url: ftp://a/",
	 "s.yaml:1:8: found 'ftp://a/': a URL that does not begin with http:// or https://\n", 0},
	{"no scheme", "- example.com",
	 "s.yaml:1:3: found 'example.com': a URL that does not begin with http:// or https://\n",
	 0},
	{"a URL with a newline", "- url: \"http://a/\\r\\nX: y\"",
	 "s.yaml:1:8: found the control character 0x0D in `url`, expected one line of text\n", 0},
	{"a bad URL with a password", "- url: http://u:sesame@a:x/",
	 "s.yaml:1:8: found 'http://a:***/': not a URL: Port number was not a decimal number "
	 "between 0 and 65535\n",
	 0},
	{"a list as a site", "[[]]",
	 "s.yaml:1:2: found an empty list, expected a site such as {url: https://example.com}\n",
	 0},
	{"nothing as a site", "- \n",
	 "s.yaml:1:2: found nothing, expected a site such as {url: https://example.com}\n", 0},
	{"an unknown key", SITE("intervall: 5s"),
	 "s.yaml:1:19: unknown key `intervall`, did you mean `interval`?\n", 0},
	{"a far key", SITE("frobnicate: 5s"),
	 "s.yaml:1:19: unknown key `frobnicate`, expected one of docs/sites.md\n", 0},
	{"a name twice", "- {url: http://a/, name: n}\n- {url: http://b/, name: n}\n",
	 "s.yaml:2:3: found the name 'n' again (first at s.yaml:1:3), expected it once\n", 0},
	{"an empty name", SITE("name: ''"),
	 "s.yaml:1:25: found 0 bytes, expected 1 to 512 for `name`\n", 0},
	{"a name with a password", SITE("name: 'the shop, https://me:sesame@a/'"),
	 "s.yaml:1:25: found a URL with a secret in `name`, expected text that everybody may see\n",
	 0},
	{"a name with a token", SITE("name: 'https://a/?token=sesame'"),
	 "s.yaml:1:25: found a URL with a secret in `name`, expected text that everybody may see\n",
	 0},
	{"a label with a password", SITE("labels: {team: 'https://me:sesame@a/'}"),
	 "s.yaml:1:34: found a URL with a secret in `team`, expected text that everybody may see\n",
	 0},
	{"nothing as a text", SITE("fail_if_body_contains: [~]"),
	 "s.yaml:1:43: found nothing, expected text for `fail_if_body_contains`\n", 0},
	{"nothing as a label", SITE("labels: {team: null}"),
	 "s.yaml:1:34: found nothing, expected text for `team`\n", 0},
	{"a URL that reads from the right", "- url: \"http://a\u202eb/\"",
	 "s.yaml:1:8: found 'http://a<U+202E>b/': a URL without a usable host name\n", 0},
	{"a name that reads from the right", SITE("name: \"pay\u202eLAP\""),
	 "s.yaml:1:25: found the invisible character U+202E in `name`, expected a name that is "
	 "what it looks like\n",
	 0},
	{"a name with a space of no width", SITE("name: \"shop\\u200B\""),
	 "s.yaml:1:25: found the invisible character U+200B in `name`, expected a name that is "
	 "what it looks like\n",
	 0},
	{"a URL with a mark, and no name", "- url: \"http://a/\u200e\"",
	 "s.yaml:1:3: found the invisible character U+200E in the URL of a site without a "
	 "`name`, expected it percent-encoded\n",
	 0},
	{"a path that reads from the right, and no name", "- url: \"http://a/\u202eb\"",
	 "s.yaml:1:3: found the invisible character U+202E in the URL of a site without a "
	 "`name`, expected it percent-encoded\n",
	 0},
	{"a method that is none", SITE("method: 'GET /'"),
	 "s.yaml:1:27: found 'GET /', expected a method such as GET, HEAD or POST\n", 0},
	{"a method for proxies", SITE("method: Connect"),
	 "s.yaml:1:27: found the method 'Connect', expected one that asks a site\n", 0},
	{"a method that smuggles", SITE("method: \"GET / HTTP/1.1\\r\\nX: y\""),
	 "s.yaml:1:27: found the control character 0x0D in `method`, expected one line of text\n",
	 0},
	{"headers as a list", SITE("headers: [a]"),
	 "s.yaml:1:28: found a list, expected a mapping for `headers`\n", 0},
	{"a header's name", SITE("headers: {a b: c}"),
	 "s.yaml:1:29: found 'a …', expected a header's name such as Accept\n", 0},
	{"a header that smuggles", SITE("headers: {a: \"b\\nc: d\"}"),
	 "s.yaml:1:32: found the control character 0x0A in `a`, expected one line of text\n", 0},
	{"a header with a NUL", SITE("headers: {a: \"b\\0\"}"),
	 "s.yaml:1:32: found a NUL byte in `a`, expected text without\n", 0},
	{"a header twice", SITE("headers: {a: b, A: c}"),
	 "s.yaml:1:35: the header 'A' is given twice, expected it once\n", 0},
	{"a header that frames", SITE("headers: {content-length: 5}"),
	 "s.yaml:1:29: found 'content-length', expected no header that frames the body\n", 0},
	{"a header's value", SITE("headers: {a: {b: c}}"),
	 "s.yaml:1:32: found a mapping, expected text for `a`\n", 0},
	{"a header without a value in its list", SITE("headers: {a: []}"),
	 "s.yaml:1:32: found an empty list, expected at least one value for `a`\n", 0},
	{"a header that smuggles in its list", SITE("headers: {a: [x, \"b\\rc: d\"]}"),
	 "s.yaml:1:36: found the control character 0x0D in `a`, expected one line of text\n", 0},
	{"a header's name with a newline", SITE("headers: {\"a: b\\r\\nc\": d}"),
	 "s.yaml:1:29: found 'a:…', expected a header's name such as Accept\n", 0},
	{"a header without its space", SITE("headers: {X-Api-Key:sesame}"),
	 "s.yaml:1:29: found 'X-Api-Key:…', expected a header's name such as Accept\n", 0},
	{"headers as text", SITE("headers: 'Authorization: Bearer sesame'"),
	 "s.yaml:1:28: found text, expected a mapping for `headers`\n", 0},
	{"a body with HEAD", SITE("method: head, body: x"),
	 "s.yaml:1:2: found `body` with the method HEAD, expected a method that sends one, such "
	 "as POST\n",
	 0},
	{"a body twice", SITE("body: x, form: {a: b}"),
	 "s.yaml:1:34: found `form` beside `body`, expected one of them\n", 0},
	{"a body's file that is missing", SITE("body_file: none.bin"),
	 "s.yaml:1:30: none.bin does not exist\n", 0},
	{"a form as text", SITE("form: a=b"),
	 "s.yaml:1:25: found text, expected a mapping for `form`\n", 0},
	{"a form's field", SITE("form: {a: {b: c}}"),
	 "s.yaml:1:29: found a mapping, expected text without NUL for the field `a`\n", 0},
	{"a form with GET", SITE("method: get, form: {a: b}"),
	 "s.yaml:1:2: found a `form` with the method GET, expected one such as POST, or the "
	 "fields in the URL\n",
	 0},
	{"credentials twice", SITE("bearer_token: sesame, basic_auth: {username: x}"),
	 "s.yaml:1:53: found `basic_auth` beside `bearer_token`, expected one of them\n", 0},
	{"credentials beside a header", SITE("headers: {AUTHORIZATION: sesame}, bearer_token: y"),
	 "s.yaml:1:67: found `bearer_token` beside `headers: Authorization`, expected one of "
	 "them\n",
	 0},
	{"credentials beside a user in the URL", "[{url: 'http://u:sesame@a/', bearer_token: y}]",
	 "s.yaml:1:2: found `bearer_token` beside a user in the URL, expected one of them\n", 0},
	{"basic_auth: a far key", SITE("basic_auth: {user: x}"),
	 "s.yaml:1:32: unknown key `user`, expected username, username_file, password or "
	 "password_file\n",
	 0},
	{"basic_auth: a near key", SITE("basic_auth: {username: x, pasword: sesame}"),
	 "s.yaml:1:45: unknown key `pasword`, did you mean `password`?\n", 0},
	{"basic_auth: nobody", SITE("basic_auth: {password: sesame}"),
	 "s.yaml:1:31: found `basic_auth` without `username`, expected one\n", 0},
	{"basic_auth: a colon", SITE("basic_auth: {username: 'a:b'}"),
	 "s.yaml:1:31: found a ':' in the username of `basic_auth`, expected none\n", 0},
	{"basic_auth: a password twice",
	 SITE("basic_auth: {username: x, password: sesame, password_file: y}"),
	 "s.yaml:1:78: found `password_file` beside `password`, expected one of them\n", 0},
	{"basic_auth: a newline", SITE("basic_auth: {username: x, password: \"sesame\\n\"}"),
	 "s.yaml:1:55: found the control character 0x0A in `password`, expected one line of "
	 "text\n",
	 0},
	{"basic_auth: text", SITE("basic_auth: 'me:sesame'"),
	 "s.yaml:1:31: found text, expected a mapping for `basic_auth`\n", 0},
	{"basic_auth: a key without its space", SITE("basic_auth: {username: me, password:sesame}"),
	 "s.yaml:1:46: unknown key `password:…`, did you mean `password`?\n", 0},
	{"authorization: a key with its value", SITE("authorization: {Bearer sesame}"),
	 "s.yaml:1:35: unknown key `Bearer …`, expected type, credentials or credentials_file\n",
	 0},
	{"header that must be there, with its value",
	 SITE("fail_if_header_missing: 'Authorization: sesame'"),
	 "s.yaml:1:43: found 'Authorization:…', expected the name of a header\n", 0},
	{"a label with its value", SITE("labels: {'password=sesame': 1}"),
	 "s.yaml:1:28: found 'password=…', expected a label of letters, digits and '_'\n", 0},
	{"authorization: text", SITE("authorization: Bearer sesame"),
	 "s.yaml:1:34: found text, expected a mapping for `authorization`\n", 0},
	{"authorization: nothing", SITE("authorization: {type: Bearer}"),
	 "s.yaml:1:34: found `authorization` without `credentials`, expected some\n", 0},
	{"authorization: a scheme", SITE("authorization: {type: 'a b', credentials: sesame}"),
	 "s.yaml:1:41: found 'a…', expected a scheme alone such as Bearer\n", 0},
	{"a token that smuggles", SITE("bearer_token: \"sesame\\r\\nX: y\""),
	 "s.yaml:1:33: found the control character 0x0D in `bearer_token`, expected one line of "
	 "text\n",
	 0},
	{"a token's file that is missing", SITE("bearer_token_file: none"),
	 "s.yaml:1:38: none does not exist\n", 0},
	{"a token's file of lines", SITE("bearer_token_file: s.yaml, # sesame\nname: x"),
	 "s.yaml:1:38: s.yaml holds the control character 0x0A, expected one line of text\n", 0},
	{"a cookie's name", SITE("cookies: {'a b': c}"),
	 "s.yaml:1:29: found 'a …', expected a cookie's name\n", 0},
	{"a cookie that smuggles", SITE("cookies: {a: 'sesame; b=c'}"),
	 "s.yaml:1:32: found what is no value of the cookie 'a', expected printable ASCII without "
	 "';'\n",
	 0},
	{"a cookie without its space", SITE("cookies: {session=sesame}"),
	 "s.yaml:1:29: found 'session=…', expected a cookie's name\n", 0},
	{"cookies as text", SITE("cookies: session=sesame"),
	 "s.yaml:1:28: found text, expected a mapping for `cookies`\n", 0},
	{"cookies beside their header", SITE("cookies: {a: b}, headers: {cookie: c=d}"),
	 "s.yaml:1:46: found `headers: Cookie` beside `cookies`, expected one of them\n", 0},
	{"user_agent beside its header", SITE("headers: {User-Agent: x}, user_agent: y"),
	 "s.yaml:1:57: found `user_agent` beside `headers: User-Agent`, expected one of them\n", 0},
	{"a label's name", SITE("labels: {a-b: c}"),
	 "s.yaml:1:28: found 'a-b', expected a label of letters, digits and '_'\n", 0},
	{"a pattern", SITE("pattern: '(a'"),
	 "s.yaml:1:28: found '(a': missing closing parenthesis at offset 2\n", 0},
	{"a pattern in a list", SITE("fail_if_body_matches_regexp: [a, '[']"),
	 "s.yaml:1:52: found '[': missing terminating ] for character class at offset 1\n", 0},
	{"a mapping as a pattern", SITE("fail_if_body_matches_regexp: {a: b}"),
	 "s.yaml:1:49: unknown key `a`, expected regexp or ignore_case\n", 0},
	{"an interval that is none", SITE("interval: soon"),
	 "s.yaml:1:29: found 'soon', expected a time such as 30s, 1m30s or {minutes: 1} for "
	 "`interval`\n",
	 0},
	{"an interval of nothing", SITE("interval: 0"),
	 "s.yaml:1:29: found 0s, expected 100ms to 366d for `interval`\n", 0},
	{"an interval below zero", SITE("interval: -5s"),
	 "s.yaml:1:29: found -5s, expected 100ms to 366d for `interval`\n", 0},
	{"an interval too long", SITE("interval: {weeks: 53}"),
	 "s.yaml:1:29: found 371d, expected 100ms to 366d for `interval`\n", 0},
	{"an interval beyond counting", SITE("interval: {weeks: 9999999999, days: 99999999999}"),
	 "s.yaml:1:37: found '9999999999', expected a number of weeks\n", 0},
	{"an empty interval", SITE("interval: {}"),
	 "s.yaml:1:29: found a mapping, expected a time such as 30s, 1m30s or {minutes: 1} for "
	 "`interval`\n",
	 0},
	{"a key of an interval", SITE("interval: {minute: 1}"),
	 "s.yaml:1:30: unknown key `minute`, did you mean `minutes`?\n", 0},
	{"a far key of an interval", SITE("interval: {years: 1}"),
	 "s.yaml:1:30: unknown key `years`, expected weeks, days, hours, minutes or seconds\n", 0},
	{"a number of an interval", SITE("interval: {minutes: one}"),
	 "s.yaml:1:39: found 'one', expected a number of minutes\n", 0},
	{"a list as an interval", SITE("interval: [5]"),
	 "s.yaml:1:29: found a list, expected a time such as 30s, 1m30s or {minutes: 1} for "
	 "`interval`\n",
	 0},
	{"a timeout too long", SITE("timeout: 2h"),
	 "s.yaml:1:28: found 2h, expected 1ms to 1h for `timeout`\n", 0},
	{"a timeout above its interval", SITE("interval: 5s, timeout: 6s"),
	 "s.yaml:1:42: found the timeout 6s, expected at most the interval, 5s\n", 0},
	{"a timeout above the default interval", SITE("timeout: 2m"),
	 "s.yaml:1:28: found the timeout 2m, expected at most the interval, 1m\n", 0},
	{"defaults that contradict each other",
	 "{defaults: {interval: 5s, timeout: 6s}, sites: [http://a/]}",
	 "s.yaml:1:36: found the timeout 6s, expected at most the interval, 5s\n", 0},
	{"request_kwargs: a timeout above its interval",
	 SITE("interval: {seconds: 5}, request_kwargs: {timeout: 6}"),
	 "s.yaml:1:69: found the timeout 6s, expected at most the interval, 5s\n", 0},
	{"request_kwargs: an unknown key", SITE("request_kwargs: {timeuot: 5}"),
	 "s.yaml:1:36: unknown key `timeuot` in request_kwargs, did you mean `timeout`?\n", 0},
	{"request_kwargs: an unknown key without a value", SITE("request_kwargs: {timeuot: }"),
	 "s.yaml:1:36: unknown key `timeuot` in request_kwargs, did you mean `timeout`?\n", 0},
	{"request_kwargs: a key that holds its value", SITE("request_kwargs: {auth:sesame}"),
	 "s.yaml:1:36: unknown key `auth:…` in request_kwargs, expected timeout, headers, "
	 "allow_redirects, ssl, data or json\n",
	 0},
	{"request_kwargs: a far key", SITE("request_kwargs: {proxy: x}"),
	 "s.yaml:1:36: unknown key `proxy` in request_kwargs, expected timeout, headers, "
	 "allow_redirects, ssl, data or json\n",
	 0},
	{"request_kwargs: a list", SITE("request_kwargs: [timeout]"),
	 "s.yaml:1:35: found a list, expected a mapping for `request_kwargs`\n", 0},
	{"request_kwargs: what the site says too",
	 SITE("timeout: 3s, request_kwargs: {timeout: 5}"),
	 "s.yaml:1:49: `timeout` is given here and on line 1, expected it once\n", 0},
	{"request_kwargs: ssl", SITE("request_kwargs: {ssl: maybe}"),
	 "s.yaml:1:41: expected true or false for `ssl`\n", 0},
	{"request_kwargs: allow_redirects", SITE("request_kwargs: {allow_redirects: 5}"),
	 "s.yaml:1:53: found '5', expected true or false for `follow_redirects`\n", 0},
	{"a status", SITE("valid_status_codes: [99]"),
	 "s.yaml:1:40: found '99', expected a status such as 200 or a range such as 200-299, from "
	 "100 to 599\n",
	 0},
	{"a status too high", SITE("valid_status_codes: [200-600]"),
	 "s.yaml:1:40: found '200-600', expected a status such as 200 or a range such as 200-299, "
	 "from 100 to 599\n",
	 0},
	{"a range backwards", SITE("valid_status_codes: [299-200]"),
	 "s.yaml:1:40: found '299-200', expected a status such as 200 or a range such as 200-299, "
	 "from 100 to 599\n",
	 0},
	{"statuses as a mapping", SITE("valid_status_codes: {a: b}"),
	 "s.yaml:1:39: found a mapping, expected a list of at most 64 statuses such as [200-299, "
	 "404]\n",
	 0},
	{"a switch that is none", SITE("follow_redirects: 1"),
	 "s.yaml:1:37: found '1', expected true or false for `follow_redirects`\n", 0},
	{"too many redirects", SITE("max_redirects: 21"),
	 "s.yaml:1:34: found '21', expected a whole number from 0 to 20 for `max_redirects`\n", 0},
	{"a size", SITE("match_bytes: 17MiB"),
	 "s.yaml:1:32: found '17MiB', expected a size from 1 to 16777216 bytes, such as 64KiB, for "
	 "`match_bytes`\n",
	 0},
	{"authorities that are missing", SITE("ca_file: none.pem"),
	 "s.yaml:1:28: none.pem does not exist\n", 0},
	{"a key of tls_config", SITE("tls_config: {insecure_skip_verfy: true}"),
	 "s.yaml:1:32: unknown key `insecure_skip_verfy`, did you mean `insecure_skip_verify`?\n",
	 0},
	{"a far key of tls_config", SITE("tls_config: {ciphers: x}"),
	 "s.yaml:1:32: unknown key `ciphers`, expected ca_file, cert_file, key_file, server_name, "
	 "min_version, max_version or insecure_skip_verify\n",
	 0},
	{"tls_config as text", SITE("tls_config: x"),
	 "s.yaml:1:31: found text, expected a mapping for `tls_config`\n", 0},
	{"a server_name that is none", SITE("tls_config: {server_name: 'a/b'}"),
	 "s.yaml:1:45: found 'a/b', expected a host's name for `server_name`\n", 0},
	{"a server_name with a port", SITE("tls_config: {server_name: 'a:443'}"),
	 "s.yaml:1:45: found 'a:443', expected a host's name for `server_name`\n", 0},
	{"a version of TLS", SITE("tls_config: {min_version: SSL3}"),
	 "s.yaml:1:45: found 'SSL3', expected TLS10, TLS11, TLS12 or TLS13 for `min_version`\n", 0},
	{"verification twice",
	 SITE("insecure_skip_verify: true, tls_config: {insecure_skip_verify: false}"),
	 "s.yaml:1:82: found `tls_config: insecure_skip_verify` beside `insecure_skip_verify`, "
	 "expected one of them\n",
	 0},
	{"versions of TLS that leave none",
	 SITE("tls_config: {min_version: 1.3, max_version: 1.2}"),
	 "s.yaml:1:31: found a `min_version` above `max_version`, expected at most that\n", 0},
	{"resolve to a name", SITE("resolve: {a: b.test}"),
	 "s.yaml:1:32: found 'b.test', expected an address such as 192.0.2.1 or 2001:db8::1\n", 0},
	{"resolve to nothing", SITE("resolve: {a: []}"),
	 "s.yaml:1:32: found an empty list, expected 1 to 16 addresses of a name\n", 0},
	{"resolve of an address", SITE("resolve: {127.0.0.1: 127.0.0.2}"),
	 "s.yaml:1:29: found '127.0.0.1', expected a host's name\n", 0},
	{"resolve of a URL", SITE("resolve: {'http://a/': 127.0.0.2}"),
	 "s.yaml:1:29: found 'http://a/', expected a host's name\n", 0},
	{"resolve as text", SITE("resolve: 'a:80:127.0.0.1'"),
	 "s.yaml:1:28: found text, expected a mapping for `resolve`\n", 0},
	{"an IP version", SITE("ip_protocol: 5"),
	 "s.yaml:1:32: found '5', expected 4, 6 or any for `ip_protocol`\n", 0},
	{"some addresses", SITE("addresses: two"),
	 "s.yaml:1:30: found 'two', expected one or all for `addresses`\n", 0},
	{"no address needed", SITE("addresses: all, addresses_needed: 0"),
	 "s.yaml:1:53: found '0', expected a whole number from 1 to 16 for `addresses_needed`\n",
	 0},
	{"too many addresses needed", SITE("addresses: all, addresses_needed: 17"),
	 "s.yaml:1:53: found '17', expected a whole number from 1 to 16 for `addresses_needed`\n",
	 0},
	{"addresses needed of one", SITE("addresses_needed: 2"),
	 "s.yaml:1:2: found `addresses_needed` without `addresses: all`, expected both\n", 0},
	{"all addresses over one connection", SITE("addresses: all, keepalive: true"),
	 "s.yaml:1:2: found `keepalive: true` and `addresses: all`, expected at most one (one "
	 "connection is kept for a site)\n",
	 0},
	{"all addresses through a proxy", SITE("addresses: all, proxy: 'http://p:1'"),
	 "s.yaml:1:2: found a `proxy` and `addresses: all`, expected `proxy: none` (a proxy "
	 "chooses the address itself)\n",
	 0},
	{"an IP version twice", SITE("ip_protocol: 4, preferred_ip_protocol: ip6"),
	 "s.yaml:1:58: found `preferred_ip_protocol` beside `ip_protocol`, expected one of them\n",
	 0},
	{"a source that is a device", SITE("source_address: eth0"),
	 "s.yaml:1:35: found 'eth0', expected an address of this machine, or one of IPv4 and one "
	 "of "
	 "IPv6, for `source_address`\n",
	 0},
	{"two sources of one kind", SITE("source_address: [127.0.0.1, 127.0.0.2]"),
	 "s.yaml:1:35: found a list, expected an address of this machine, or one of IPv4 and one "
	 "of "
	 "IPv6, for `source_address`\n",
	 0},
	{"a proxy that is no URL", SITE("proxy: 'me:sesame@p:3128'"),
	 "s.yaml:1:26: found 'p:3128': a URL that does not begin with http:// or https://; "
	 "expected "
	 "none or a proxy such as http://proxy.example:3128 for `proxy`\n",
	 0},
	{"a proxy of another kind", SITE("proxy_url: 'socks5://me:sesame@p/'"),
	 "s.yaml:1:30: found 'socks5://p/': a URL that does not begin with http:// or https://; "
	 "expected none or a proxy such as http://proxy.example:3128 for `proxy_url`\n",
	 0},
	{"a proxy's user that smuggles", SITE("proxy: 'http://me%0d%0aX:sesame@p/'"),
	 "s.yaml:1:26: found 'http://p/': a URL with a control character in its user; expected "
	 "none or a proxy such as http://proxy.example:3128 for `proxy`\n",
	 0},
	{"a proxy with a path", SITE("proxy: 'http://me:sesame@p/x'"),
	 "s.yaml:1:26: found a path behind the proxy of `proxy`, expected none\n", 0},
	{"a proxy twice", SITE("proxy: none, proxy_url: 'http://p/'"),
	 "s.yaml:1:43: found `proxy_url` beside `proxy`, expected one of them\n", 0},
	{"a host without proxy", SITE("no_proxy: [a, 'http://b/']"),
	 "s.yaml:1:33: found 'http://b/', expected a host, an address, a block such as "
	 "192.0.2.0/24 "
	 "or * in `no_proxy`\n",
	 0},
	{"a block without proxy", SITE("no_proxy: 192.0.2.0/33"),
	 "s.yaml:1:29: found '192.0.2.0/33', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"a block without proxy, and a sign", SITE("no_proxy: [b, '10.0.0.0/-0']"),
	 "s.yaml:1:33: found '10.0.0.0/-0', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"a block without proxy, with a zero in front", SITE("no_proxy: [b, '10.0.0.0/08']"),
	 "s.yaml:1:33: found '10.0.0.0/08', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"an address that some read as octal", SITE("no_proxy: [b, '010.0.0.1']"),
	 "s.yaml:1:33: found '010.0.0.1', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"the same with the root's dot", SITE("no_proxy: [b, '010.0.0.1.']"),
	 "s.yaml:1:33: found '010.0.0.1.', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"a number that some read as an address", SITE("no_proxy: [b, '10']"),
	 "s.yaml:1:33: found '10', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"a range of addresses", SITE("no_proxy: [b, '10.0.0.1-10.0.0.9']"),
	 "s.yaml:1:33: found '10.0.0.1-10.0.0.9', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"five parts of an address", SITE("no_proxy: [b, '1.2.3.4.5']"),
	 "s.yaml:1:33: found '1.2.3.4.5', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"a port behind the host", SITE("no_proxy: [b, 'a.test:8080']"),
	 "s.yaml:1:33: found 'a.test:8080', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"nobody without proxy", SITE("no_proxy: ' , '"),
	 "s.yaml:1:29: found ' , ', expected a host, an address, a block such as "
	 "192.0.2.0/24 or * in `no_proxy`\n",
	 0},
	{"private, but how", SITE("allow_private: maybe"),
	 "s.yaml:1:34: found 'maybe', expected true, false or own for `allow_private`\n", 0},
	{"a denied block that is too narrow", SITE("deny_cidrs: 192.0.2.0/33"),
	 "s.yaml:1:31: found '192.0.2.0/33', expected addresses or blocks such as 10.0.0.0/8 or "
	 "fd00::/8, not '192.0.2.0/33' for `deny_cidrs`\n",
	 0},
	{"a denied block with a zero in front", SITE("deny_cidrs: 192.0.2.0/08"),
	 "s.yaml:1:31: found '192.0.2.0/08', expected addresses or blocks such as 10.0.0.0/8 or "
	 "fd00::/8, not '192.0.2.0/08' for `deny_cidrs`\n",
	 0},
	{"a denied name among blocks", SITE("deny_cidrs: [10.0.0.0/8, '::1, a.test']"),
	 "s.yaml:1:44: found '::1, a.test', expected addresses or blocks such as 10.0.0.0/8 or "
	 "fd00::/8, not 'a.test' for `deny_cidrs`\n",
	 0},
	{"a denied short form", SITE("deny_cidrs: 10/8"),
	 "s.yaml:1:31: found '10/8', expected addresses or blocks such as 10.0.0.0/8 or "
	 "fd00::/8, not '10/8' for `deny_cidrs`\n",
	 0},
	{"nothing denied", SITE("deny_cidrs: ','"),
	 "s.yaml:1:31: found ',', expected addresses or blocks such as 10.0.0.0/8 or fd00::/8, not "
	 "',' for `deny_cidrs`\n",
	 0},
	{"a name server by name", SITE("dns_servers: dns.test"),
	 "s.yaml:1:32: found 'dns.test', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"a name server without a port", SITE("dns_servers: '192.0.2.53:'"),
	 "s.yaml:1:32: found '192.0.2.53:', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"a name server's port", SITE("dns_servers: '192.0.2.53:65536'"),
	 "s.yaml:1:32: found '192.0.2.53:65536', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"a name server in half a bracket", SITE("dns_servers: '[::1:53'"),
	 "s.yaml:1:32: found '[::1:53', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"a name server with a tail", SITE("dns_servers: '[::1]53'"),
	 "s.yaml:1:32: found '[::1]53', expected a name server such as 192.0.2.53 or "
	 "[2001:db8::53]:5353\n",
	 0},
	{"no name server", SITE("dns_servers: []"),
	 "s.yaml:1:32: found an empty list, expected 1 to 8 name servers\n", 0},
	{"a compression", SITE("compression: zip"),
	 "s.yaml:1:32: found 'zip', expected true, false, gzip, br, deflate, zstd or identity for "
	 "`compression`\n",
	 0},
	{"a version of HTTP", SITE("http_version: 3"),
	 "s.yaml:1:33: found '3', expected auto, 1.1 or 2 for `http_version`\n", 0},
	{"a version of HTTP twice", SITE("http_version: 2, enable_http2: false"),
	 "s.yaml:1:50: found `enable_http2` beside `http_version`, expected one of them\n", 0},
	{"all of them at once",
	 "- url: ftp://a/\n  intervall: 1\n- method: x/\n- {url: http://b/, timeout: no}\n",
	 "s.yaml:1:8: found 'ftp://a/': a URL that does not begin with http:// or https://\n"
	 "s.yaml:2:3: unknown key `intervall`, did you mean `interval`?\n"
	 "s.yaml:3:3: found a site without `url`, expected one\n"
	 "s.yaml:3:11: found 'x/', expected a method such as GET, HEAD or POST\n"
	 "s.yaml:4:29: found 'no', expected a time such as 30s, 1m30s or {minutes: 1} for "
	 "`timeout`\n",
	 0},
};

static void check_bad(void **state)
{
	const struct bad_case *row = *state;
	const struct fixture_input input = {
		.args = {"run", "s.yaml"}, .files = {{"s.yaml", row->text}}, .length = row->length};
	struct fixture fixture;
	fixture_read(&fixture, &input);
	assert_string_equal(fixture.lines, row->lines);
	assert_null(strstr(fixture.lines, "sesame"));
	fixture_finish(&fixture);
}

static void expect(const struct fixture_input *input, const char *lines)
{
	struct fixture fixture;
	fixture_read(&fixture, input);
	assert_string_equal(fixture.lines, lines);
	fixture_finish(&fixture);
}

static void files_that_are_none(void **state)
{
	(void)state;
	expect(&(struct fixture_input){.args = {"run", "--sites=none.yaml"}},
	       "none.yaml: does not exist\n");
	expect(&(struct fixture_input){.args = {"run", "none.yaml"}},
	       "none.yaml: does not exist\n");
	assert_int_equal(mkdir("empty", 0700), 0);
	expect(&(struct fixture_input){.args = {"run", "empty"}},
	       "empty: found no *.yaml file in this folder, expected some\n");
	assert_int_equal(rmdir("empty"), 0);
}

static void a_timeout_by_flag_names_the_flag(void **state)
{
	(void)state;
	expect(&(struct fixture_input){.args = {"run", "s.yaml", "--timeout=6s"},
				       .files = {{"s.yaml",
						  "[{url: http://a/, interval: 5s}, http://b/]"}}},
	       "s.yaml:1:2: the timeout 6s (--timeout) is longer than the interval 5s\n");
}

static void sites_in_config_are_placed_there(void **state)
{
	(void)state;
	expect(&(struct fixture_input){.args = {"run", "--config=c.yaml"},
				       .files = {{"c.yaml", "sites:\n- method: GET\n"}}},
	       "c.yaml:2:3: found a site without `url`, expected one\n");
}

/* Nine levels of nine: 387 million values from 90. */
static void aliases_cannot_explode(void **state)
{
	(void)state;
	char text[2048] = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
	for (int i = 1; i < 9; i++) {
		size_t used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used,
			       "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n",
			       i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	}
	struct fixture fixture;
	const struct fixture_input input = {.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}};
	fixture_read(&fixture, &input);
	assert_string_equal(
		fixture.lines,
		"s.yaml:7:15: aliases expand this file of 28 values to more than 1000448 from "
		"here on\n");
	fixture_finish(&fixture);
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	char text[300];
	memset(text, '[', 200);
	text[200] = '\0';
	expect(&(struct fixture_input){.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}},
	       "s.yaml:1:65: found more than 64 values within one another\n");
}

static void a_huge_file_is_not_read(void **state)
{
	(void)state;
	FILE *out = fopen("huge.yaml", "w");
	assert_non_null(out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(truncate("huge.yaml", (off_t)300 * 1024 * 1024), 0); /* sparse */
	expect(&(struct fixture_input){.args = {"run", "huge.yaml"}},
	       "huge.yaml: is larger than 262144 KiB\n");
	assert_int_equal(remove("huge.yaml"), 0);
}

static void a_pipe_that_nobody_writes_to_does_not_hold_us_up(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("pipe.yaml", 0600), 0);
	expect(&(struct fixture_input){.args = {"run", "pipe.yaml"}},
	       "pipe.yaml: is empty, expected a list of sites\n");
	assert_int_equal(remove("pipe.yaml"), 0);
}

static void many_problems_end_in_a_count(void **state)
{
	(void)state;
	char text[4000] = "sites:\n";
	for (int i = 0; i < 150; i++)
		strncat(text, "- [a]\n", sizeof(text) - strlen(text) - 1);
	struct fixture fixture;
	const struct fixture_input input = {.args = {"run", "s.yaml"}, .files = {{"s.yaml", text}}};
	fixture_read(&fixture, &input);
	assert_int_equal(fixture.problems.error_count, 150);
	assert_int_equal(fixture.problems.count, PROBLEMS_MAX + 1);
	fixture_expect_line(fixture.lines, "settings: 50 more problems are not shown");
	fixture_finish(&fixture);
}

int main(void)
{
	FIXTURE_ADD_TABLE(form_cases, check_bad);
	FIXTURE_ADD_TABLE(value_cases, check_bad);
	FIXTURE_ADD(files_that_are_none);
	FIXTURE_ADD(a_timeout_by_flag_names_the_flag);
	FIXTURE_ADD(sites_in_config_are_placed_there);
	FIXTURE_ADD(aliases_cannot_explode);
	FIXTURE_ADD(nesting_is_bounded);
	FIXTURE_ADD(a_huge_file_is_not_read);
	FIXTURE_ADD(a_pipe_that_nobody_writes_to_does_not_hold_us_up);
	FIXTURE_ADD(many_problems_end_in_a_count);
	return fixture_run("sites_bad");
}
