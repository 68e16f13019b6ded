#include "decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "rows.h"

static int is_bad(const char *reason, const char **ret_reason, char *ret_detail, size_t detail_size)
{
	*ret_reason = reason;
	(void)snprintf(ret_detail, detail_size, "because");
	return 1;
}

int decode_line(const char *bytes, size_t length, struct report_row *ret_row,
		const char **ret_reason, char *ret_detail, size_t detail_size)
{
	(void)length;
	char site[64];
	char id[64];
	long long seq = 0;
	long long second = 0;
	if (bytes == NULL)
		return is_bad("empty", ret_reason, ret_detail, detail_size);
	if (strncmp(bytes, "foreign", 7) == 0)
		return is_bad("foreign_format", ret_reason, ret_detail, detail_size);
	struct uuid producer_id = rows_producer(1);
	struct identity prev = {.seq = -1};
	const char *at_prev = strstr(bytes, "\"prev\":{\"producer_id\":\"");
	const char *at_site = strstr(bytes, "\"site\"");
	if (at_site != NULL) { /* whole messages of `run` */
		if (sscanf(bytes, "{\"v\":1,\"producer_id\":\"%36[^\"]\",\"seq\":%lld,", id,
			   &seq) != 2 ||
		    sscanf(at_site, "\"site\":\"%63[^\"]\",\"at\":%lld}", site, &second) != 2)
			return is_bad("not_json", ret_reason, ret_detail, detail_size);
		(void)uuid_parse(id, 36, &producer_id);
		if (at_prev != NULL) {
			(void)sscanf(at_prev,
				     "\"prev\":{\"producer_id\":\"%36[^\"]\",\"seq\":%lld}", id,
				     (long long *)&prev.seq);
			(void)uuid_parse(id, 36, &prev.producer_id);
		}
	} else if (sscanf(bytes, "%63s %lld", site, &second) != 2) {
		return is_bad("not_json", ret_reason, ret_detail, detail_size);
	} else {
		seq = second;
	}
	char *storage = xstrdup(site);
	*ret_row = rows_make(storage, producer_id, seq, ROWS_NOON + second * 1000000, OUTCOME_UP);
	ret_row->storage = storage;
	ret_row->has_prev = at_prev != NULL;
	ret_row->prev = prev;
	return 0;
}
