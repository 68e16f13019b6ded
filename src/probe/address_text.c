#include "probe/address_text.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

typedef const char *print_function(int family, const void *bytes, char *text, socklen_t size);

static char *write_number(char *text, unsigned number)
{
	if (number >= 100)
		*text++ = (char)('0' + number / 100);
	if (number >= 10)
		*text++ = (char)('0' + number / 10 % 10);
	*text++ = (char)('0' + number % 10);
	return text;
}

size_t address_text_write_4(const unsigned char bytes[static 4],
			    char text[static ADDRESS_TEXT_4_SIZE])
{
	char *at = text;
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = write_number(at, bytes[i]);
	}
	*at = '\0';
	return (size_t)(at - text);
}

static const char *print_otherwise(int family, const void *bytes, char *text, socklen_t size)
{
	static print_function *found; /* the same, whichever thread finds it */
	print_function *print = __atomic_load_n(&found, __ATOMIC_RELAXED);
	if (print == NULL) {
		/* ISO C knows no pointer that may be either; POSIX has dlsym() return one. */
		*(void **)&print = dlsym(RTLD_NEXT, "inet_ntop");
		__atomic_store_n(&found, print, __ATOMIC_RELAXED);
	}
	return print(family, bytes, text, size);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): there they begin with __ */
const char *inet_ntop(int family, const void *restrict bytes, char *restrict text, socklen_t size)
{
	char four[ADDRESS_TEXT_4_SIZE];
	if (family != AF_INET)
		return print_otherwise(family, bytes, text, size);
	size_t length = address_text_write_4(bytes, four);
	if (length >= size) {
		errno = ENOSPC;
		return NULL;
	}
	memcpy(text, four, length + 1);
	return text;
}
