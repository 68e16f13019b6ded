#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
	if (err == NULL)
		return;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	err->kind = kind;
}

void error_set_errno(struct error *err, enum error_kind kind, int errno_value, const char *format,
		     ...)
{
	if (err == NULL)
		return;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	size_t used = strlen(err->message);
	char text[128];
	(void)snprintf(err->message + used, sizeof(err->message) - used, ": %s",
		       strerror_r(errno_value, text, sizeof(text)));
	err->kind = kind;
}

void error_prefix(struct error *err, const char *format, ...)
{
	if (err == NULL)
		return;
	char joined[ERROR_MESSAGE_MAX];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(joined, sizeof(joined), format, args);
	va_end(args);
	size_t used = strlen(joined);
	(void)snprintf(joined + used, sizeof(joined) - used, "%s", err->message);
	memcpy(err->message, joined, sizeof(joined));
}
