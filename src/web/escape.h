/*
 * The one way by which text gets into HTML or JSON. Sites, operators and the database control what it says. Pure; any thread.
 */
#ifndef WEBSENTRY_WEB_ESCAPE_H
#define WEBSENTRY_WEB_ESCAPE_H

struct buffer;

/* Append text for element content or a double-quoted attribute: & < > " ' become references. NULL appends nothing. */
void escape_html(struct buffer *out, const char *text);

/* Append text as a JSON string with its quotes. NULL is "null". Also safe within HTML: < is written as an escape. */
void escape_json(struct buffer *out, const char *text);

#endif
