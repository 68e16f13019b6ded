/* What a report that speaks for its round says of it, out of the field `round`. Pure; any thread. */
#ifndef WEBSENTRY_CODEC_REPORT_ROUND_H
#define WEBSENTRY_CODEC_REPORT_ROUND_H

struct report_row;

/* Fill round_outcome and its texts from the row's round, which was judged before. A round without an outcome has no speaker here. */
void report_round_read(struct report_row *row);

#endif
