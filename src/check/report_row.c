#include "check/report_row.h"

#include <stdlib.h>

void report_row_finish(struct report_row *row)
{
	free(row->storage);
	row->storage = NULL;
}
