/*
 * IP addresses: which network one belongs to, however it is written, and blocks of them. Pure; any thread.
 *
 * IPv6 has forms that carry an IPv4 address (mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP). Who connects to one may
 * end at that, so it counts as much as the form itself.
 */
#ifndef WEBSENTRY_CHECK_ADDRESS_H
#define WEBSENTRY_CHECK_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;

struct address {
	uint8_t bytes[16]; /* of IPv4 the first four */
	bool is_v6;
};

struct address_block {
	struct address base; /* its first */
	unsigned bits;
};

/* How far inside an address lies: each network is nearer to this machine than the one before. */
enum address_scope {
	ADDRESS_PUBLIC, /* globally reachable */
	ADDRESS_PRIVATE, /* a private network, or no host's address at all (documentation, multicast …) */
	ADDRESS_LINK,    /* link-local: the metadata services of clouds, say */
	ADDRESS_MACHINE, /* this one: loopback, and what the kernel takes for it */
};

/* "192.0.2.1", "2001:db8::1": nothing but the address. 0, or -1 for anything else. */
int address_parse(const char *text, struct address *ret_address);
/*
 * A host of a URL as anybody might read it as an address, who is asked in our place, say: also short, octal and hexadecimal forms, a
 * dot at the end, a zone; and localhost. 0, or -1 for a name.
 */
int address_parse_host(const char *host, struct address *ret_address);
/* What is connected to. 0, or -1 where it is neither IPv4 nor IPv6. */
int address_of_socket(const struct sockaddr *socket_address, struct address *ret_address);

/*
 * What stands behind the '/' of a block: digits, without a sign or a zero in front, which some read as octal. 0, or -1 for what is none
 * or more than most.
 */
int address_parse_bits(const char *text, unsigned most, unsigned *ret_bits);
/* Whether a connection to one leads where that to the other does: one address, also where IPv6 maps it (::ffff:192.0.2.1). */
bool address_is_same(const struct address *address, const struct address *other);

/* "192.0.2.0/24", "2001:db8::/32", or one address. 0, or -1 for what is none. */
int address_parse_block(const char *text, struct address_block *ret_block);
/* Whether the address, or one that it carries, lies in the block. */
bool address_is_in_block(const struct address *address, const struct address_block *block);

/* Its scope, or that of what it carries where that lies further inside. */
enum address_scope address_scope(const struct address *address);

enum { ADDRESS_TEXT_SIZE = 48 };
void address_format(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);
enum { ADDRESS_BLOCK_TEXT_SIZE = ADDRESS_TEXT_SIZE + 4 };
void address_block_format(const struct address_block *block,
			  char text[static ADDRESS_BLOCK_TEXT_SIZE]);

#endif
