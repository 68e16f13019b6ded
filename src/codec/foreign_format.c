/*
 * The rule: an object that names an address and a result, in any spelling (case, "_", "-", "." and spaces do not count),
 * and has none of our identity. Both older services wrote one flat JSON object for each check.
 */
#include "codec/foreign_format.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MAX_BYTES = 32 };

static const struct {
	const char *name; /* lower case, letters and digits only */
	enum { ADDRESS, RESULT } sign;
} foreign_names[] = {
	{"url", ADDRESS},
	{"uri", ADDRESS},
	{"website", ADDRESS},
	{"websiteurl", ADDRESS},
	{"site", ADDRESS},
	{"siteurl", ADDRESS},
	{"target", ADDRESS},
	{"targeturl", ADDRESS},
	{"endpoint", ADDRESS},
	{"address", ADDRESS},
	{"link", ADDRESS},
	{"domain", ADDRESS},
	{"status", RESULT},
	{"statuscode", RESULT},
	{"httpstatus", RESULT},
	{"httpcode", RESULT},
	{"httpstatuscode", RESULT},
	{"code", RESULT},
	{"responsecode", RESULT},
	{"returncode", RESULT},
	{"responsetime", RESULT},
	{"responsetimems", RESULT},
	{"elapsed", RESULT},
	{"elapsedtime", RESULT},
	{"latency", RESULT},
	{"duration", RESULT},
	{"time", RESULT},
	{"timestamp", RESULT},
	{"ts", RESULT},
	{"datetime", RESULT},
	{"date", RESULT},
	{"checkedat", RESULT},
	{"checktime", RESULT},
	{"createdat", RESULT},
	{"requesttime", RESULT},
	{"success", RESULT},
	{"error", RESULT},
	{"regexp", RESULT},
	{"regexpmatch", RESULT},
	{"regexpmatched", RESULT},
	{"regex", RESULT},
	{"regexmatch", RESULT},
	{"patternmatch", RESULT},
	{"patternfound", RESULT},
	{"contentmatch", RESULT},
	{"matched", RESULT},
};

void foreign_format_note(struct foreign_signs *signs, const char *name, size_t length)
{
	char plain[NAME_MAX_BYTES + 1];
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)name[i]))
			continue;
		if (used == NAME_MAX_BYTES)
			return;
		plain[used++] = (char)tolower((unsigned char)name[i]);
	}
	plain[used] = '\0';
	for (size_t i = 0; i < sizeof(foreign_names) / sizeof(foreign_names[0]); i++) {
		if (strcmp(foreign_names[i].name, plain) != 0)
			continue;
		if (foreign_names[i].sign == ADDRESS)
			signs->names_address = true;
		else
			signs->names_result = true;
	}
}

bool foreign_format_is_likely(const struct foreign_signs *signs)
{
	return signs->names_address && signs->names_result;
}
