#include "check/report_row.h"

#include <stdlib.h>

void report_row_finish(struct report_row *row)
{
	free(row->storage);
	row->storage = NULL;
	free(row->round_storage);
	row->round_storage = NULL;
}

bool report_row_is_of_site(const struct report_row *row)
{
	return row->round.bytes == NULL || row->is_speaker;
}

enum outcome report_row_site_outcome(const struct report_row *row)
{
	return row->is_speaker ? row->round_outcome.value : row->outcome.value;
}

struct row_text report_row_site_reason(const struct report_row *row)
{
	return row->round_reason.bytes == NULL ? row->reason : row->round_reason;
}

struct row_text report_row_site_message(const struct report_row *row)
{
	return row->is_speaker ? row->round_message : row->message;
}
