/*
 * What is globally reachable and what is not: IANA's registries of special-purpose addresses for IPv4 and IPv6 (RFC 6890, with
 * their entries up to 2024, RFC 9637's 3fff::/20 included), and multicast. The first row that an address lies in counts.
 */
#include "check/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/text.h"

enum { V4_BITS = 32, V6_BITS = 128, MAPPED_BITS = 96, CARRIED_MAX = 3, PARTS_MAX = 4 };

struct special {
	uint8_t prefix[16];
	unsigned bits;
	enum address_scope scope;
};

static const struct special special_v4[] = {
	{{0}, 8, ADDRESS_MACHINE}, /* "this host": Linux connects 0.0.0.0 to itself */
	{{127}, 8, ADDRESS_MACHINE},
	{{169, 254}, 16, ADDRESS_LINK},
	{{10}, 8, ADDRESS_PRIVATE},
	{{100, 64}, 10, ADDRESS_PRIVATE}, /* shared, RFC 6598 */
	{{172, 16}, 12, ADDRESS_PRIVATE},
	{{192, 168}, 16, ADDRESS_PRIVATE},
	{{192, 0, 0, 9}, 32, ADDRESS_PUBLIC},  /* Port Control Protocol anycast */
	{{192, 0, 0, 10}, 32, ADDRESS_PUBLIC}, /* TURN anycast */
	{{192, 0, 0}, 24, ADDRESS_PRIVATE},    /* IETF protocol assignments */
	{{192, 0, 2}, 24, ADDRESS_PRIVATE},    /* documentation */
	{{192, 88, 99}, 24, ADDRESS_PRIVATE},  /* 6to4 relays, deprecated */
	{{198, 18}, 15, ADDRESS_PRIVATE},      /* benchmarks */
	{{198, 51, 100}, 24, ADDRESS_PRIVATE}, /* documentation */
	{{203, 0, 113}, 24, ADDRESS_PRIVATE},  /* documentation */
	{{224}, 3, ADDRESS_PRIVATE},           /* multicast, reserved, broadcast */
	{{0}, 0, ADDRESS_PUBLIC},
};

static const struct special special_v6[] = {
	{{0}, 128, ADDRESS_MACHINE},                         /* ::, as 0.0.0.0 */
	{{[15] = 1}, 128, ADDRESS_MACHINE},                  /* ::1 */
	{{[10] = 0xFF, [11] = 0xFF}, 96, ADDRESS_PUBLIC},    /* mapped */
	{{0, 0x64, 0xFF, 0x9B}, 96, ADDRESS_PUBLIC},         /* NAT64 */
	{{0xFE, 0x80}, 10, ADDRESS_LINK},                    /* link-local */
	{{0x20, 0x01, 0, 0}, 32, ADDRESS_PUBLIC},            /* Teredo */
	{{0x20, 0x01, 0, 1, [15] = 1}, 128, ADDRESS_PUBLIC}, /* Port Control Protocol anycast */
	{{0x20, 0x01, 0, 1, [15] = 2}, 128, ADDRESS_PUBLIC}, /* TURN anycast */
	{{0x20, 0x01, 0, 1, [15] = 3}, 128, ADDRESS_PUBLIC}, /* DNS-SD registration anycast */
	{{0x20, 0x01, 0, 3}, 32, ADDRESS_PUBLIC},            /* AMT */
	{{0x20, 0x01, 0, 4, 1, 0x12}, 48, ADDRESS_PUBLIC},   /* AS112 */
	{{0x20, 0x01, 0, 0x20}, 28, ADDRESS_PUBLIC},         /* ORCHIDv2 */
	{{0x20, 0x01, 0, 0x30}, 28, ADDRESS_PUBLIC},         /* DRIP */
	{{0x20, 0x01}, 23, ADDRESS_PRIVATE},                 /* IETF protocol assignments */
	{{0x20, 0x01, 0x0D, 0xB8}, 32, ADDRESS_PRIVATE},     /* documentation */
	{{0x3F, 0xFF}, 20, ADDRESS_PRIVATE},                 /* documentation */
	{{0x20}, 3, ADDRESS_PUBLIC},                         /* global unicast, 6to4 in it */
	{{0},
	 0,
	 ADDRESS_PRIVATE}, /* unique local, site-local, multicast, discard, 64:ff9b:1::/48, and whatever else is not given out */
};

/* Forms of IPv6 that carry an IPv4 address, and where in them. */
static const struct carrier {
	uint8_t prefix[16];
	unsigned bits;
	unsigned at;
	bool is_inverted;
} carriers[] = {
	{{0}, 96, 12, false},                         /* compatible */
	{{[10] = 0xFF, [11] = 0xFF}, 96, 12, false},  /* mapped */
	{{[8] = 0xFF, [9] = 0xFF}, 96, 12, false},    /* translated (SIIT) */
	{{0, 0x64, 0xFF, 0x9B}, 96, 12, false},       /* NAT64 */
	{{0, 0x64, 0xFF, 0x9B, 0, 1}, 48, 12, false}, /* NAT64 of a network's own */
	{{0x20, 0x02}, 16, 2, false},                 /* 6to4 */
	{{0x20, 0x01, 0, 0}, 32, 4, false},           /* Teredo's server … */
	{{0x20, 0x01, 0, 0}, 32, 12, true},           /* … and client */
};

static bool has_prefix(const uint8_t *bytes, const uint8_t *prefix, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned mask = 0xFFU << (8 - bits % 8) & 0xFFU;
	return memcmp(bytes, prefix, whole) == 0 &&
	       (bits % 8 == 0 || (bytes[whole] & mask) == (prefix[whole] & mask));
}

static bool is_isatap(const uint8_t bytes[static 16])
{
	return (bytes[8] & 0xFD) == 0 && bytes[9] == 0 && bytes[10] == 0x5E && bytes[11] == 0xFE;
}

static struct address carried_at(const struct address *address, unsigned at, bool is_inverted)
{
	struct address carried = {0};
	for (unsigned i = 0; i < 4; i++)
		carried.bytes[i] = (uint8_t)(address->bytes[at + i] ^ (is_inverted ? 0xFFU : 0U));
	return carried;
}

/* The IPv4 addresses that one of IPv6 carries. Returns how many. */
static size_t take_carried(const struct address *address, struct address carried[CARRIED_MAX])
{
	static const struct address loopback = {.bytes = {[15] = 1}, .is_v6 = true};
	size_t count = 0;
	if (!address->is_v6 || memcmp(address->bytes, loopback.bytes, V6_BITS / 8) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++)
		if (has_prefix(address->bytes, carriers[i].prefix, carriers[i].bits))
			carried[count++] =
				carried_at(address, carriers[i].at, carriers[i].is_inverted);
	if (is_isatap(address->bytes) && count < CARRIED_MAX)
		carried[count++] = carried_at(address, 12, false);
	return count;
}

static enum address_scope own_scope(const struct address *address)
{
	const struct special *row = address->is_v6 ? special_v6 : special_v4;
	while (!has_prefix(address->bytes, row->prefix, row->bits))
		row++;
	return row->scope;
}

enum address_scope address_scope(const struct address *address)
{
	struct address carried[CARRIED_MAX];
	size_t count = take_carried(address, carried);
	enum address_scope scope = own_scope(address);
	for (size_t i = 0; i < count; i++) {
		enum address_scope within = own_scope(&carried[i]);
		if (within > scope)
			scope = within;
	}
	return scope;
}

static bool lies_in(const struct address *address, const struct address_block *block)
{
	return address->is_v6 == block->base.is_v6 &&
	       has_prefix(address->bytes, block->base.bytes, block->bits);
}

bool address_is_in_block(const struct address *address, const struct address_block *block)
{
	struct address carried[CARRIED_MAX];
	size_t count = take_carried(address, carried);
	if (lies_in(address, block))
		return true;
	for (size_t i = 0; i < count; i++)
		if (lies_in(&carried[i], block))
			return true;
	return false;
}

int address_parse(const char *text, struct address *ret_address)
{
	struct address address = {.is_v6 = strchr(text, ':') != NULL};
	if (inet_pton(address.is_v6 ? AF_INET6 : AF_INET, text, address.bytes) != 1)
		return -1;
	*ret_address = address;
	return 0;
}

/* One part of an old form: decimal, octal behind 0, hexadecimal behind 0x. -1 for what is no number. */
static int64_t parse_part(const char *part, size_t length)
{
	unsigned base = 10;
	int64_t number = 0;
	if (length >= 2 && part[0] == '0' && (part[1] == 'x' || part[1] == 'X')) {
		base = 16;
		part += 2;
		length -= 2;
	} else if (length >= 2 && part[0] == '0') {
		base = 8;
	} else if (length == 0) {
		return -1;
	}
	for (size_t i = 0; i < length; i++) {
		char c = (char)(part[i] | 0x20);
		unsigned digit = part[i] >= '0' && part[i] <= '9' ? (unsigned)(part[i] - '0')
				 : c >= 'a' && c <= 'f'           ? (unsigned)(c - 'a') + 10
								  : base;
		number = number * base + digit;
		if (digit >= base || number > UINT32_MAX)
			return -1;
	}
	return number;
}

/* One to four parts; the last one has all the bytes that are left, as inet_aton() has it. */
static int parse_old_form(const char *text, size_t length, struct address *ret_address)
{
	uint32_t whole = 0;
	for (unsigned i = 0; i < PARTS_MAX; i++) {
		const char *dot = memchr(text, '.', length);
		size_t part_length = dot == NULL ? length : (size_t)(dot - text);
		int64_t number = parse_part(text, part_length);
		unsigned bits = dot == NULL ? 8 * (PARTS_MAX - i) : 8;
		if (number < 0 || number >= INT64_C(1) << bits)
			return -1;
		whole |= (uint32_t)number << (dot == NULL ? 0 : 24 - 8 * i);
		if (dot == NULL) {
			struct address address = {.bytes = {(uint8_t)(whole >> 24),
							    (uint8_t)(whole >> 16),
							    (uint8_t)(whole >> 8), (uint8_t)whole}};
			*ret_address = address;
			return 0;
		}
		text = dot + 1;
		length -= part_length + 1;
	}
	return -1;
}

static bool is_localhost(const char *host, size_t length)
{
	static const char name[] = "localhost";
	const size_t name_length = sizeof(name) - 1;
	return length >= name_length &&
	       strncasecmp(host + length - name_length, name, name_length) == 0 &&
	       (length == name_length || host[length - name_length - 1] == '.');
}

int address_parse_host(const char *host, struct address *ret_address)
{
	size_t length = strlen(host);
	if (strchr(host, ':') != NULL) {
		char text[ADDRESS_TEXT_SIZE];
		size_t used = strcspn(host, "%");
		if (used >= sizeof(text))
			return -1;
		memcpy(text, host, used);
		text[used] = '\0';
		return address_parse(text, ret_address);
	}
	while (length > 0 && host[length - 1] == '.')
		length--;
	if (is_localhost(host, length)) {
		*ret_address = (struct address){.bytes = {127, 0, 0, 1}};
		return 0;
	}
	return parse_old_form(host, length, ret_address);
}

int address_of_socket(const struct sockaddr *socket_address, struct address *ret_address)
{
	struct address address = {.is_v6 = socket_address->sa_family == AF_INET6};
	if (address.is_v6)
		memcpy(address.bytes,
		       &((const struct sockaddr_in6 *)(const void *)socket_address)->sin6_addr, 16);
	else if (socket_address->sa_family == AF_INET)
		memcpy(address.bytes,
		       &((const struct sockaddr_in *)(const void *)socket_address)->sin_addr, 4);
	else
		return -1;
	*ret_address = address;
	return 0;
}

static struct address unmap(const struct address *address)
{
	static const uint8_t mapped[16] = {[10] = 0xFF, [11] = 0xFF};
	bool is_mapped = address->is_v6 && has_prefix(address->bytes, mapped, MAPPED_BITS);
	return is_mapped ? carried_at(address, MAPPED_BITS / 8, false) : *address;
}

bool address_is_same(const struct address *address, const struct address *other)
{
	const struct address a = unmap(address);
	const struct address b = unmap(other);
	return a.is_v6 == b.is_v6 &&
	       memcmp(a.bytes, b.bytes, a.is_v6 ? V6_BITS / 8 : V4_BITS / 8) == 0;
}

static void clear_behind(struct address *address, unsigned bits)
{
	for (unsigned i = 0; i < sizeof(address->bytes); i++) {
		unsigned kept = bits >= 8 * (i + 1) ? 8 : bits <= 8 * i ? 0 : bits - 8 * i;
		address->bytes[i] = (uint8_t)(address->bytes[i] & (0xFF00U >> kept));
	}
}

int address_parse_bits(const char *text, unsigned most, unsigned *ret_bits)
{
	int64_t bits;
	bool is_plain = text[0] == '0' ? text[1] == '\0' : text[0] != '-';
	if (!is_plain || text_parse_int64(text, &bits) != 0 || bits > most)
		return -1;
	*ret_bits = (unsigned)bits;
	return 0;
}

int address_parse_block(const char *text, struct address_block *ret_block)
{
	char host[ADDRESS_TEXT_SIZE];
	struct address_block block;
	size_t length = strcspn(text, "/");
	if (length >= sizeof(host))
		return -1;
	memcpy(host, text, length);
	host[length] = '\0';
	if (address_parse(host, &block.base) != 0)
		return -1;
	const unsigned most = block.base.is_v6 ? V6_BITS : V4_BITS;
	block.bits = most;
	if (text[length] == '/' && address_parse_bits(text + length + 1, most, &block.bits) != 0)
		return -1;
	clear_behind(&block.base, block.bits);
	static const uint8_t mapped[16] = {[10] = 0xFF, [11] = 0xFF};
	if (block.base.is_v6 && block.bits >= MAPPED_BITS &&
	    has_prefix(block.base.bytes, mapped, MAPPED_BITS)) {
		block.base = carried_at(&block.base, MAPPED_BITS / 8, false);
		block.bits -= MAPPED_BITS;
	}
	*ret_block = block;
	return 0;
}

void address_format(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
	(void)inet_ntop(address->is_v6 ? AF_INET6 : AF_INET, address->bytes, text,
			ADDRESS_TEXT_SIZE);
}

void address_block_format(const struct address_block *block,
			  char text[static ADDRESS_BLOCK_TEXT_SIZE])
{
	char base[ADDRESS_TEXT_SIZE];
	address_format(&block->base, base);
	(void)snprintf(text, ADDRESS_BLOCK_TEXT_SIZE, "%s/%u", base, block->bits);
}
