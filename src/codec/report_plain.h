/*
 * The short way to read a message as our own encoder writes most of them: one object without space, its fields in the order of the
 * table, each once, lists and objects empty. Pure; any thread.
 */
#ifndef WEBSENTRY_CODEC_REPORT_PLAIN_H
#define WEBSENTRY_CODEC_REPORT_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "check/report_row.h"

/*
 * Fill the row, whose storage has room for the message. Returns false where the message is not such a one, or has anything wrong:
 * that says nothing about it, the row may be half filled, and report_decode() reads it the long way. Where it returns true, the
 * long way would have found the same.
 */
bool report_plain_read(const char *bytes, size_t length, struct report_row *row);

#endif
