#include "probe/transfer_bounds.h"

#include <linux/tcp.h> /* the C library's own tcp_info lacks bytes_received */
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "check/request.h"
#include "probe/kept_connection.h"
#include "probe/transfer.h"
#include "probe/transfer_http2.h"

enum {
	/* What head, framing and TLS may add to a body before its raw bytes are too many: chunk sizes, extensions, trailers. */
	RAW_SLACK = 768 * 1024,
	/* One packet more than STOP_PACKETS_MAX may come for so many bytes: whole ones hold 536 at least (RFC 9293, 3.7.1). */
	PACKET_BYTES = 256,
	/* Certificates between the site's and the root: a hundred, OpenSSL's own idea, are 50 ms of work. */
	CHAIN_MAX = 24,
	/* A proxy's own answer, and its TLS. curl reads it byte by byte as long as there are any, and all checks wait meanwhile. */
	TUNNEL_MAX = 16 * 1024,
	/* Records and messages of TLS that may come, and one more for so many bytes of a body. */
	TLS_MESSAGES_MAX = 4096,
	TLS_MESSAGE_BYTES = 256,
	/* As how many of these some messages count, for what they make us compute: new keys, and another handshake. */
	TLS_KEYS_WEIGHT = 8,
	TLS_HANDSHAKE_WEIGHT = 512,
	TLS_RECORD_HEAD = 5,
};

/* Bytes that a sound response of what has come so far may take. */
static int64_t raw_max(const struct transfer *transfer)
{
	return transfer->decoded_bytes + transfer->decoded_bytes / 8 +
	       (int64_t)transfer->head.bytes + (int64_t)RAW_SLACK;
}

/* What has arrived; false: not known. */
static bool count_received(curl_socket_t socket, struct transfer_received *received)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);
	if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	received->bytes = (int64_t)info.tcpi_bytes_received;
	received->packets = info.tcpi_data_segs_in;
	return true;
}

void transfer_aim_at_socket(struct transfer *transfer, curl_socket_t socket)
{
	transfer->received_before = (struct transfer_received){0};
	bool is_known =
		socket == CURL_SOCKET_BAD || count_received(socket, &transfer->received_before);
	transfer->socket = is_known ? socket : CURL_SOCKET_BAD;
}

/* Whether more bytes than that were read from the socket, of those that have arrived. */
static bool has_read_more(const struct transfer *transfer, int64_t received, int64_t most)
{
	if (received <= most)
		return false;
	int unread = 0; /* has arrived, and was not looked at yet */
	(void)ioctl(transfer->socket, FIONREAD, &unread);
	return received - unread > most;
}

enum stop transfer_look_at_bytes(const struct transfer *transfer)
{
	struct transfer_received all;
	if (!count_received(transfer->socket, &all))
		return STOP_NONE;
	int64_t bytes = all.bytes - transfer->received_before.bytes;
	uint32_t packets = all.packets - transfer->received_before.packets;
	if (packets > STOP_PACKETS_MAX + bytes / PACKET_BYTES)
		return STOP_PACKETS;
	if (transfer_is_tunnelling(transfer))
		return has_read_more(transfer, bytes, TUNNEL_MAX) ? STOP_TUNNEL : STOP_NONE;
	return has_read_more(transfer, bytes, raw_max(transfer)) ? STOP_RAW : STOP_NONE;
}

bool transfer_has_proxy_spoken(const struct transfer *transfer)
{
	struct transfer_received all;
	if (transfer->is_proxy_https)
		return transfer->has_proxy_spoken;
	return transfer_is_tunnelling(transfer) && count_received(transfer->socket, &all) &&
	       all.bytes > transfer->received_before.bytes;
}

bool transfer_is_socks_asked(const struct transfer *transfer)
{
	/* RFC 1928 and 1929: our greeting with two methods, and the answers to it and to the user */
	enum { GREETING = 4, CHOICE = 2, VERDICT = 2, USER_FRAME = 3 };
	const struct request_proxy *proxy = request_of(transfer->site)->proxy;
	struct tcp_info info;
	socklen_t size = sizeof(info);
	if (getsockopt(transfer->socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	if (!transfer->has_socks_user || proxy == NULL)
		return info.tcpi_bytes_received == CHOICE;
	size_t user = USER_FRAME + strlen(proxy->username) + strlen(proxy->password);
	size_t sent = info.tcpi_bytes_sent - info.tcpi_bytes_retrans;
	bool is_user_told = sent == GREETING + user;
	return info.tcpi_bytes_received == CHOICE + VERDICT ||
	       (info.tcpi_bytes_received == CHOICE && !is_user_told);
}

static bool has_chosen_http2(const SSL *ssl)
{
	const unsigned char *protocol = NULL;
	unsigned length = 0;
	SSL_get0_alpn_selected(ssl, &protocol, &length);
	return length == 2 && memcmp(protocol, "h2", 2) == 0;
}

/* It finds no more to read. */
static void end_tls(struct transfer *transfer, SSL *ssl, enum stop stop)
{
	transfer->stopped_for = stop;
	BIO *nothing = BIO_new(BIO_s_null());
	if (nothing != NULL)
		SSL_set0_rbio(ssl, nothing);
}

static int weigh_message(int content, const unsigned char *bytes, size_t length)
{
	if (content != SSL3_RT_HANDSHAKE || length == 0)
		return 1;
	if (bytes[0] == SSL3_MT_NEWSESSION_TICKET || bytes[0] == SSL3_MT_KEY_UPDATE)
		return TLS_KEYS_WEIGHT;
	return bytes[0] == SSL3_MT_SERVER_HELLO ? TLS_HANDSHAKE_WEIGHT : 1;
}

/*
 * OpenSSL skips some messages (requests for another hello) without coming back, as long as more of them come: the loop would hang
 * in one handshake. It calls this for each.
 */
static void count_message(struct transfer *transfer, SSL *ssl, int content,
			  const unsigned char *bytes, size_t length)
{
	int64_t most = TLS_MESSAGES_MAX + transfer->decoded_bytes / TLS_MESSAGE_BYTES;
	transfer->tls_messages += weigh_message(content, bytes, length);
	if (transfer->stopped_for == STOP_NONE && transfer->tls_messages > most)
		end_tls(transfer, ssl, STOP_RECORDS);
}

/* Bytes that the other side wrote, and not TLS. */
static bool is_of_application(const SSL *ssl, int content, const unsigned char *bytes)
{
	int place =
		SSL_version(ssl) == TLS1_3_VERSION ? SSL3_RT_INNER_CONTENT_TYPE : SSL3_RT_HEADER;
	return content == place && bytes[0] == SSL3_RT_APPLICATION_DATA;
}

/*
 * What libcurl says of an alert is lost where it has said something else before, such as that the connection has gone meanwhile; and
 * an expired certificate of ours is one of the site's to it.
 */
static void note_alert(struct transfer *transfer, int content, const unsigned char *bytes,
		       size_t length)
{
	if (content == SSL3_RT_ALERT && length == 2 && bytes[0] == SSL3_AL_FATAL)
		transfer->tls_alert = bytes[1];
}

static void on_proxy_message(int is_sent, int version, int content, const void *bytes,
			     size_t length, SSL *ssl, void *context)
{
	(void)version;
	struct transfer *transfer = context;
	if (SSL_is_init_finished(ssl))
		transfer->has_proxy_greeted = true;
	if (is_sent != 0)
		return;
	if (length > 0 && is_of_application(ssl, content, bytes))
		transfer->has_proxy_spoken = true;
	note_alert(transfer, content, bytes, length);
	count_message(transfer, ssl, content, bytes, length);
}

/* libcurl reads frames of HTTP/2 that hold nothing of the response as long as there are any: it asks nobody meanwhile. */
static void note_message(struct transfer *transfer, SSL *ssl, int content,
			 const unsigned char *bytes, size_t length)
{
	/* Not before: libcurl would tell what it knows of the certificate. */
	if (!transfer->is_http2 && SSL_is_init_finished(ssl) && has_chosen_http2(ssl))
		transfer_http2_watch(transfer);
	count_message(transfer, ssl, content, bytes, length);
	note_alert(transfer, content, bytes, length);
	if (content == SSL3_RT_HANDSHAKE && length > 0 && bytes[0] == SSL3_MT_CERTIFICATE_REQUEST)
		transfer->is_identity_wanted = true;
	if (content != SSL3_RT_HEADER || length != TLS_RECORD_HEAD)
		return;
	transfer->tls_bytes += TLS_RECORD_HEAD + (bytes[3] << 8 | bytes[4]);
	if (transfer->stopped_for == STOP_NONE && transfer->tls_bytes > raw_max(transfer))
		end_tls(transfer, ssl, STOP_RAW);
}

static void on_message(int is_sent, int version, int content, const void *bytes, size_t length,
		       SSL *ssl, void *context)
{
	(void)version;
	if (is_sent == 0)
		note_message(context, ssl, content, bytes, length);
}

/* The transfer that shook hands may be gone. */
static void on_kept_message(int is_sent, int version, int content, const void *bytes, size_t length,
			    SSL *ssl, void *context)
{
	(void)version;
	struct transfer *transfer = kept_connection_user(context);
	if (is_sent == 0 && transfer != NULL)
		note_message(transfer, ssl, content, bytes, length);
}

static void on_kept_proxy_message(int is_sent, int version, int content, const void *bytes,
				  size_t length, SSL *ssl, void *context)
{
	struct transfer *transfer = kept_connection_user(context);
	if (transfer != NULL)
		on_proxy_message(is_sent, version, content, bytes, length, ssl, transfer);
}

typedef int (*security_callback)(const SSL *ssl, const SSL_CTX *context, int operation, int bits,
				 int id, void *other, void *data);

/* OpenSSL's own, the same for every context. */
static _Atomic(security_callback) openssl_security;

static bool is_finite_field(int operation, int id, const void *other)
{
	int kind = (int)((unsigned)operation & SSL_SECOP_OTHER_TYPE);
	if (kind == SSL_SECOP_OTHER_CIPHER)
		return SSL_CIPHER_get_kx_nid(other) == NID_kx_dhe;
	return kind == SSL_SECOP_OTHER_CURVE &&
	       (id == NID_ffdhe2048 || id == NID_ffdhe3072 || id == NID_ffdhe4096 ||
		id == NID_ffdhe6144 || id == NID_ffdhe8192);
}

static int on_security(const SSL *ssl, const SSL_CTX *context, int operation, int bits, int id,
		       void *other, void *data)
{
	if (is_finite_field(operation, id, other))
		return 0;
	return openssl_security(ssl, context, operation, bits, id, other, data);
}

/*
 * Keys that are agreed upon over finite fields (DHE, ffdhe) are as long as the server likes: 8192 bits are 0.3 s of work in one go, of
 * which no other check sees anything. Browsers don't offer them either. A callback, since a list of ciphers is read for each context.
 */
static void offer_no_finite_fields(SSL_CTX *context)
{
	openssl_security = SSL_CTX_get_security_callback(context);
	SSL_CTX_set_security_callback(context, on_security);
}

void transfer_watch_tls(struct transfer *transfer, SSL_CTX *context)
{
	bool is_kept = transfer->kept != NULL;
	SSL_CTX_set_verify_depth(context, CHAIN_MAX);
	offer_no_finite_fields(context);
	if (transfer->is_tls_of_proxy)
		SSL_CTX_set_msg_callback(context,
					 is_kept ? on_kept_proxy_message : on_proxy_message);
	else
		SSL_CTX_set_msg_callback(context, is_kept ? on_kept_message : on_message);
	SSL_CTX_set_msg_callback_arg(context, is_kept ? (void *)transfer->kept : (void *)transfer);
}
