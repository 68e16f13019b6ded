/*
 * One report for people, as `websentry check` prints it: the outcome first, then where the time went. check_print_write()
 * is pure; check_print_choose_style() asks the terminal and the environment how to look.
 */
#ifndef WEBSENTRY_APP_CHECK_PRINT_H
#define WEBSENTRY_APP_CHECK_PRINT_H

#include <stdbool.h>
#include <stdio.h>

struct buffer;
struct report;

enum {
	CHECK_PRINT_WIDTH_DEFAULT = 80,
	CHECK_PRINT_WIDTH_MIN = 30,
	CHECK_PRINT_WIDTH_MAX = 120,  /* a longer bar tells no more */
	CHECK_PRINT_MAX = 256 * 1024, /* bytes of text */
};

struct check_print_style {
	int width; /* columns; taken into the bounds above */
	bool is_coloured;
	bool is_utf8;
	bool is_explained; /* each expectation with what was found */
};

void check_print_write(struct buffer *out, const struct report *report,
		       const struct check_print_style *style);

/* Colours on a terminal without NO_COLOR, blocks where the locale says UTF-8, the terminal's width; nothing is explained. */
void check_print_choose_style(FILE *out, struct check_print_style *ret_style);

#endif
