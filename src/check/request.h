/*
 * How a site is asked, where that is not as usual: most sites have none of it, so it lies beside the site. As plain as the site:
 * made by config/ (or by hand in tests), never changed afterwards, read by every thread.
 */
#ifndef WEBSENTRY_CHECK_REQUEST_H
#define WEBSENTRY_CHECK_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct site;
struct site_header;

enum {
	REQUEST_HOSTS_MAX = 64,     /* names with addresses of their own */
	REQUEST_ADDRESSES_MAX = 16, /* of one of them */
	REQUEST_NO_PROXY_MAX = 256,
};

/* Which version of HTTP is spoken. */
enum request_http {
	REQUEST_HTTP_AUTO, /* over TLS what the two agree on, else 1.1 */
	REQUEST_HTTP_1_1,
	REQUEST_HTTP_2, /* over TLS agreed on, else at once; any other answer is wrong */
};

enum request_tls {
	REQUEST_TLS_ANY, /* what OpenSSL thinks fit */
	REQUEST_TLS_1_0,
	REQUEST_TLS_1_1,
	REQUEST_TLS_1_2,
	REQUEST_TLS_1_3,
};

/* Which addresses are tried. */
enum request_family { REQUEST_FAMILY_ANY, REQUEST_FAMILY_4, REQUEST_FAMILY_6 };

/* A name whose addresses nobody is asked for. */
struct request_host {
	char *name; /* lower case, IDNA */
	char **addresses;
	size_t address_count; /* 1 or more */
};

enum request_proxy_kind {
	REQUEST_PROXY_HTTP,
	REQUEST_PROXY_SOCKS5,  /* is told an address: the name is looked up here */
	REQUEST_PROXY_SOCKS5H, /* is told the name */
};

enum {
	REQUEST_SOCKS_TEXT_MAX = 255, /* of a name, a user or a password: its length is one byte */
};

/* Who asks in our place. */
struct request_proxy {
	enum request_proxy_kind kind;
	char *host; /* lower case, IDNA, an IPv6 address without brackets */
	int port;
	bool is_host_ip;
	bool is_https;  /* TLS to the proxy */
	char *username; /* NULL: it asks for none */
	char *password;
};

struct request {
	enum request_http http;
	char *accept_encoding; /* NULL: gzip and deflate; "": none is asked for, and none decoded */

	bool is_keepalive;   /* a connection stays for the next check */
	bool is_body_secret; /* no redirect may take the body to another origin */

	/* Within the site's origin alone: NULL for none. */
	char *cert_file; /* the client's certificate and those up to its authority, PEM */
	char *key_file;
	char *server_name; /* asked for and expected instead of the URL's host */

	/* For every hop. */
	enum request_tls tls_min;
	enum request_tls tls_max;
	char *ciphers; /* before TLS 1.3, by OpenSSL's names: "a:b"; NULL: none, or as below … */
	char *cipher_suites;        /* of TLS 1.3; with both NULL OpenSSL chooses */
	enum request_family family; /* that is preferred … */
	bool is_family_only;        /* … and the other is no choice */
	bool is_all_addresses;      /* each address is checked, in a round (check/round.h) … */
	int addresses_needed;       /* … and so many must work; 0: all */
	struct request_host *hosts;
	size_t host_count;
	char *source_4; /* the address to connect from; with one alone, the other family is not tried. NULL: any */
	char *source_6;
	char *dns_servers;           /* "ip:port,[ip]:port"; NULL: the system's */
	struct request_proxy *proxy; /* NULL: none */
	char **no_proxy; /* "*", "a.test" (and all below it), "192.0.2.1", "192.0.2.0/24"; lower case */
	size_t no_proxy_count;
	struct site_header *proxy_headers; /* of CONNECT alone, in their order */
	size_t proxy_header_count;
};

/* What a site without one is asked by. */
extern const struct request request_usual;

/* The site's, never NULL. */
const struct request *request_of(const struct site *site);
/* The site's, to be changed; made where there was none. */
struct request *request_make(struct site *site);
/* The addresses of a name; NULL where it is to be looked up. */
const struct request_host *request_find_host(const struct request *request, const char *name);
/* Give a name its addresses, which are taken, also the name; those that it had go. */
void request_set_host(struct request *request, const struct request_host *taken);
void request_host_finish(struct request_host *host);

/* Whom to ask for something of a host, which is written as in struct url_parts; NULL: the host itself. */
const struct request_proxy *request_find_proxy(const struct request *request, const char *host);
void request_proxy_destroy(struct request_proxy *proxy); /* accepts NULL */
/* Whether it is an address, or a block of them such as 192.0.2.0/24. */
bool request_is_block(const char *text);
void request_forget_no_proxy(struct request *request);
/* A header of CONNECT: all that have the name, in any case, go; or one more. */
void request_remove_proxy_header(struct request *request, const char *name);
void request_add_proxy_header(struct request *request, const char *name, char *taken_value);

/* Accepts NULL. */
void request_destroy(struct request *request);

#endif
