/*
 * IPv4 addresses as text, quickly. libcurl asks the C library's inet_ntop() for six of them a check, which makes each with sprintf(): a
 * twelfth of what a plain check takes in user space. So this program's inet_ntop() stands before the C library's, for everybody and in
 * every thread: it says the same, and leaves all but IPv4 to it.
 */
#ifndef WEBSENTRY_PROBE_ADDRESS_TEXT_H
#define WEBSENTRY_PROBE_ADDRESS_TEXT_H

#include <stddef.h>

enum { ADDRESS_TEXT_4_SIZE = sizeof("255.255.255.255") };

/* "192.0.2.1" and its NUL; returns its length. */
size_t address_text_write_4(const unsigned char bytes[static 4],
			    char text[static ADDRESS_TEXT_4_SIZE]);

#endif
