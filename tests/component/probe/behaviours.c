#include "behaviours.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <zlib.h>

#include "base/memory.h"
#include "kept.h"
#include "tunnel.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
#define OK_CHUNKED OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
#define TEN_BYTES "Content-Length: 10\r\n\r\n"

enum { BIG_BODY = 512 * 1024, COSTLY_BODY = 128 * 1024, BOMB_SIZE = 24 * 1024 * 1024 };

int behaviours_other_port;
int behaviours_other_tls_port;

static void pause_then_ok(struct peer_connection *connection)
{
	peer_pause(connection, 400);
	(void)peer_say(connection, OK_HEAD "Content-Length: 5\r\n\r\nhello");
}

/* What was sent must have been read: a reset throws the rest away. */
static void reset_later(struct peer_connection *connection)
{
	peer_pause(connection, 100);
	peer_reset(connection);
}

static void pause_then_body(struct peer_connection *connection)
{
	peer_pause(connection, 400);
	(void)peer_say(connection, "helloworld");
}

/* Takes its time to read the request's body, and then to answer. */
static void read_slowly(struct peer_connection *connection)
{
	peer_pause(connection, 300);
	if (!peer_read_rest(connection))
		return;
	peer_pause(connection, 100);
	(void)peer_say(connection, OK_HEAD "Content-Length: 5\r\n\r\nhello");
}

/* Each is sound, and makes the client compute: as many as are allowed of messages that don't. */
enum { COSTLY_MESSAGES = 2000 };

static void give_new_keys(struct peer_connection *connection)
{
	for (int i = 0; i < COSTLY_MESSAGES; i++) {
		if (SSL_key_update(connection->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
		    SSL_do_handshake(connection->ssl) != 1)
			return;
	}
	(void)peer_say(connection, OK_HEAD "Content-Length: 5\r\n\r\nhello");
}

static void give_tickets(struct peer_connection *connection)
{
	for (int i = 0; i < COSTLY_MESSAGES; i++) {
		if (SSL_new_session_ticket(connection->ssl) != 1 ||
		    SSL_do_handshake(connection->ssl) != 1)
			return;
	}
	(void)peer_say(connection, OK_HEAD "Content-Length: 5\r\n\r\nhello");
}

static void shake_hands_again(struct peer_connection *connection, int times)
{
	(void)SSL_clear_mode(connection->ssl, SSL_MODE_AUTO_RETRY);
	for (int i = 0; i < times; i++) {
		if (SSL_renegotiate(connection->ssl) != 1 || SSL_do_handshake(connection->ssl) != 1)
			return;
		char byte;
		int count = SSL_read(connection->ssl, &byte, 1);
		if (SSL_get_error(connection->ssl, count) != SSL_ERROR_WANT_READ)
			return;
	}
	(void)peer_say(connection, OK_HEAD "Content-Length: 5\r\n\r\nhello");
}

static void shake_hands_twice(struct peer_connection *connection)
{
	shake_hands_again(connection, 1);
}

static void shake_hands_often(struct peer_connection *connection)
{
	shake_hands_again(connection, 20);
}

static void drip_endlessly(struct peer_connection *connection)
{
	while (peer_say(connection, "x"))
		peer_pause(connection, 20);
}

/* A packet each, one behind the other: a moment apart, or the kernel would put many bytes into one. */
static void crumble_endlessly(struct peer_connection *connection)
{
	const struct timespec moment = {.tv_nsec = 1000};
	int yes = 1;
	(void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	while (peer_say(connection, "x"))
		(void)nanosleep(&moment, NULL);
}

static void flood_headers(struct peer_connection *connection)
{
	char value[1024];
	memset(value, 'h', sizeof(value));
	while (peer_say(connection, "X-Flood: ") && peer_send(connection, value, sizeof(value)) &&
	       peer_say(connection, "\r\n"))
		;
}

static void flood_one_line(struct peer_connection *connection)
{
	char block[4096];
	memset(block, 'a', sizeof(block));
	while (peer_send(connection, block, sizeof(block)))
		;
}

static void flood_interim(struct peer_connection *connection)
{
	while (peer_say(connection, "HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"))
		;
}

static void flood_trailers(struct peer_connection *connection)
{
	(void)peer_say(connection, OK_CHUNKED "5\r\nhello\r\n0\r\n");
	flood_headers(connection);
}

static void flood_chunk_extension(struct peer_connection *connection)
{
	(void)peer_say(connection, OK_CHUNKED "5;");
	flood_one_line(connection);
}

static void flood_body(struct peer_connection *connection)
{
	flood_one_line(connection);
}

/* size bytes of 'a', and the words behind them. */
static void send_body(struct peer_connection *connection, size_t size, const char *words)
{
	char *body = xmalloc(size);
	memset(body, 'a', size);
	if (peer_say_format(connection, OK_HEAD "Content-Length: %zu\r\n\r\n",
			    size + strlen(words)) &&
	    peer_send(connection, body, size))
		(void)peer_say(connection, words);
	free(body);
}

static void big_body(struct peer_connection *connection)
{
	send_body(connection, BIG_BODY, "Welcome");
}

static void costly_body(struct peer_connection *connection)
{
	send_body(connection, COSTLY_BODY, "!");
}

static void large_length(struct peer_connection *connection)
{
	(void)peer_say(connection, OK_HEAD "Content-Length: 9000000000\r\n\r\n");
	flood_one_line(connection);
}

static void send_gzip(struct peer_connection *connection, void *bytes, size_t size)
{
	z_stream stream = {0};
	if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	size_t room = deflateBound(&stream, size);
	unsigned char *packed = xmalloc(room);
	stream.next_in = bytes;
	stream.avail_in = (uInt)size;
	stream.next_out = packed;
	stream.avail_out = (uInt)room;
	(void)deflate(&stream, Z_FINISH);
	if (peer_say_format(connection,
			    OK_HEAD "Content-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n",
			    stream.total_out))
		(void)peer_send(connection, packed, stream.total_out);
	(void)deflateEnd(&stream);
	free(packed);
}

static void gzip_page(struct peer_connection *connection)
{
	char page[4096] = "Welcome"; /* and zeroes */
	send_gzip(connection, page, sizeof(page));
}

static void gzip_bomb(struct peer_connection *connection)
{
	void *zeroes = xcalloc(1, BOMB_SIZE);
	send_gzip(connection, zeroes, BOMB_SIZE);
	free(zeroes);
}

static void embedded_nul(struct peer_connection *connection)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nX-Nul: a\0b\r\nContent-Length: 0\r\n\r\n";
	(void)peer_send(connection, head, sizeof(head) - 1);
}

static void odd_capture(struct peer_connection *connection)
{
	static const char page[] = OK_HEAD "Content-Length: 15\r\n\r\nid=\"a\0b\n\xc3\xa9\x1b<z\">";
	(void)peer_send(connection, page, sizeof(page) - 1);
}

/* The request as it came is the body. */
static void echo(struct peer_connection *connection)
{
	if (peer_say_format(connection, OK_HEAD "Content-Length: %zu\r\n\r\n",
			    connection->request_length))
		(void)peer_send(connection, connection->request, connection->request_length);
}

/* Of a path like "/to/302/echo": the number in it, and what follows that. */
static int read_path(const struct peer_connection *connection, char rest[static 128])
{
	char number[16] = "";
	rest[0] = '\0';
	(void)sscanf(connection->request, "%*s /%*[^/]/%15[0-9]/%127s", number, rest);
	return (int)strtol(number, NULL, 10);
}

/* "/to/302/echo": a redirect with that status, relative to the root. */
static void redirect_here(struct peer_connection *connection)
{
	char target[128];
	int status = read_path(connection, target);
	(void)peer_say_format(connection,
			      "HTTP/1.1 %d Moved\r\nLocation: /%s\r\nContent-Length: 0\r\n\r\n",
			      status, target);
}

/* "/away/302/echo": the same, on the other origin. */
static void redirect_away(struct peer_connection *connection)
{
	char target[128];
	int status = read_path(connection, target);
	(void)peer_say_format(connection,
			      "HTTP/1.1 %d Moved\r\nLocation: http://127.0.0.1:%d/%s\r\n"
			      "Content-Length: 0\r\n\r\n",
			      status, behaviours_other_port, target);
}

/* "/away-tls/302/echo": the same over TLS, on a third one. */
static void redirect_away_tls(struct peer_connection *connection)
{
	char target[128];
	int status = read_path(connection, target);
	(void)peer_say_format(connection,
			      "HTTP/1.1 %d Moved\r\nLocation: https://127.0.0.1:%d/%s\r\n"
			      "Content-Length: 0\r\n\r\n",
			      status, behaviours_other_tls_port, target);
}

/*
 * HTTP/2 begins with a request "PRI *", which has no path. The answer to stream 1: SETTINGS, their acknowledgement, and a head
 * of ":status: 200" (8 in HPACK's own table) that ends the stream.
 */
static void speak_http2(struct peer_connection *connection)
{
	static const unsigned char frames[] = {
		0, 0, 0, 4, 0, 0, 0, 0, 0,       /* SETTINGS */
		0, 0, 0, 4, 1, 0, 0, 0, 0,       /* SETTINGS, ACK */
		0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88, /* HEADERS, END_HEADERS and END_STREAM */
	};
	if (peer_send(connection, frames, sizeof(frames)))
		peer_hang(connection);
}

/* A request without a path of its own: HTTP/2's preface, or what is asked of a proxy. */
static void serve_without_path(struct peer_connection *connection)
{
	if (strncmp(connection->request, "PRI ", 4) == 0)
		speak_http2(connection);
	else if (strncmp(connection->request, "CONNECT ", 8) == 0)
		tunnel_serve(connection);
	else if (strstr(connection->request, "//locked.test") != NULL)
		(void)peer_say(connection, "HTTP/1.1 407 Proxy Authentication Required\r\n"
					   "Content-Length: 0\r\n\r\n");
	else
		kept_take(connection);
}

/* "/chain/3" leads to "/chain/2" … "/chain/0", which is fine. */
static void chain(struct peer_connection *connection)
{
	char rest[128];
	int left = read_path(connection, rest);
	if (left == 0)
		(void)peer_say(connection, OK_HEAD "Content-Length: 5\r\n\r\nhello");
	else
		(void)peer_say_format(
			connection,
			"HTTP/1.1 301 Moved\r\nLocation: %d\r\nContent-Length: 0\r\n\r\n",
			left - 1);
}

static void to_closed_port(struct peer_connection *connection)
{
	(void)peer_say_format(connection,
			      "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\n"
			      "Content-Length: 0\r\n\r\n",
			      peer_refused_port());
}

static void long_location(struct peer_connection *connection)
{
	char path[9000];
	memset(path, 'p', sizeof(path));
	(void)peer_say(connection, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /");
	(void)peer_send(connection, path, sizeof(path));
	(void)peer_say(connection, "\r\n\r\n");
}

const struct peer_behaviour behaviours[] = {
	/* Answers that are complete. */
	{"ok", OK_HEAD "Content-Length: 5\r\n\r\nhello", NULL},
	{"empty", OK_HEAD "Content-Length: 0\r\n\r\n", NULL},
	{"page", OK_HEAD "Content-Length: 29\r\n\r\n<p id=\"main\">Welcome home</p>", NULL},
	{"no-content", "HTTP/1.1 204 No Content\r\n\r\n", NULL},
	{"not-modified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n", NULL},
	{"not-found", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", NULL},
	{"error", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops", NULL},
	{"teapot", "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\n\r\n", NULL},
	{"proxy-auth", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
	 NULL},
	{"status-999", "HTTP/1.1 999 Go away\r\nContent-Length: 0\r\n\r\n", NULL},
	{"head", OK_HEAD "Content-Length: 4000\r\n\r\n", NULL},
	{"old", "HTTP/1.0 200 OK\r\n\r\nuntil the end", NULL},
	{"until-end", OK_HEAD "Connection: close\r\n\r\nuntil the end", NULL},
	{"chunked", OK_CHUNKED "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", NULL},
	{"trailers", OK_CHUNKED "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", NULL},
	{"interim",
	 "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK_HEAD "Content-Length: 2\r\n\r\nhi",
	 NULL},
	{"same-lengths", OK_HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", NULL},
	{"longer-than-said", OK_HEAD "Content-Length: 5\r\n\r\nhello and more", NULL},
	{"folded-first", "HTTP/1.1 200 OK\r\n of: nothing\r\nContent-Length: 2\r\n\r\nhi", NULL},
	{"no-reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", NULL},
	{"gzip", NULL, gzip_page},
	{"echo", NULL, echo},
	{"keep", NULL, kept_take},
	{"", NULL, serve_without_path},
	{"big", NULL, big_body},
	{"costly", NULL, costly_body},
	{"odd-capture", NULL, odd_capture},
	{"slow-answer", NULL, pause_then_ok},
	{"slow-reader", NULL, read_slowly},
	{"slow-body", OK_HEAD TEN_BYTES, pause_then_body},

	/* Redirects. */
	{"to", NULL, redirect_here},
	{"away", NULL, redirect_away},
	{"away-tls", NULL, redirect_away_tls},
	{"chain", NULL, chain},
	{"loop", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n", NULL},
	{"query-relative",
	 "HTTP/1.1 302 Found\r\nLocation: ../ok?x=1#top\r\nContent-Length: 0\r\n\r\n", NULL},
	{"to-ftp", "HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n",
	 NULL},
	{"to-file",
	 "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", NULL},
	{"to-script",
	 "HTTP/1.1 302 Found\r\nLocation: javascript:alert(1)\r\nContent-Length: 0\r\n\r\n", NULL},
	{"to-nonsense", "HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
	 NULL},
	{"to-long", NULL, long_location},
	{"to-closed", NULL, to_closed_port},
	{"to-nobody",
	 "HTTP/1.1 302 Found\r\nLocation: http://nobody.test/\r\nContent-Length: 4\r\n\r\ngone",
	 NULL},
	{"to-nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", NULL},
	{"two-locations",
	 "HTTP/1.1 302 Found\r\nLocation: /ok\r\nLocation: /error\r\nContent-Length: 0\r\n\r\n",
	 NULL},

	/* Ends that come too early. */
	{"close", NULL, NULL},
	{"reset", NULL, peer_reset},
	{"close-in-status", "HTTP/1.1 20", NULL},
	{"close-in-head", OK_HEAD, NULL},
	{"close-in-body", OK_HEAD "Content-Length: 100\r\n\r\nhello", NULL},
	{"reset-in-head", OK_HEAD, reset_later},
	{"reset-in-body", OK_HEAD "Content-Length: 100\r\n\r\nhello", reset_later},
	{"close-in-chunk", OK_CHUNKED "5\r\nhel", NULL},
	{"close-after-chunk", OK_CHUNKED "5\r\nhello\r\n", NULL},
	{"close-in-trailers", OK_CHUNKED "5\r\nhello\r\n0\r\nX-Sum: 1\r\n", NULL},

	/* Ends that do not come. */
	{"hang", NULL, peer_hang},
	{"hang-in-status", "HTTP/1.1", peer_hang},
	{"hang-in-head", OK_HEAD, peer_hang},
	{"hang-in-body", OK_HEAD "Content-Length: 100\r\n\r\nhello", peer_hang},
	{"drip-body", OK_HEAD "Content-Length: 100000\r\n\r\n", drip_endlessly},
	{"drip-status", NULL, drip_endlessly},
	{"drip-head", "HTTP/1.1 200 OK\r\nX-Drip: ", drip_endlessly},

	/* What is no HTTP. */
	{"garbage", "SSH-2.0-OpenSSH_9.2\r\n", NULL},
	{"html-only", "<html>hello</html>", NULL},
	{"no-colon", "HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 0\r\n\r\n", NULL},
	{"nul", NULL, embedded_nul},
	{"bad-status", "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", NULL},
	{"http-3.7", "HTTP/3.7 200 OK\r\nContent-Length: 0\r\n\r\n", NULL},
	{"different-lengths", OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", NULL},
	{"negative-length", OK_HEAD "Content-Length: -5\r\n\r\nhello", NULL},
	{"word-length", OK_HEAD "Content-Length: five\r\n\r\nhello", NULL},
	{"overflowing-length", OK_HEAD "Content-Length: 99999999999999999999\r\n\r\nhello", NULL},
	{"bad-chunk-size", OK_CHUNKED "xyz\r\nhello\r\n", NULL},
	{"huge-chunk-size", OK_CHUNKED "ffffffffffffffffffff\r\nhello\r\n", NULL},
	{"bad-gzip", OK_HEAD "Content-Encoding: gzip\r\n" TEN_BYTES "not gzip!!", NULL},
	{"unknown-encoding", OK_HEAD "Content-Encoding: rot13\r\n" TEN_BYTES "uryybjbeyq", NULL},

	/* More than anybody needs. */
	{"new-keys", NULL, give_new_keys},
	{"new-tickets", NULL, give_tickets},
	{"handshake-again", NULL, shake_hands_twice},
	{"handshakes-again", NULL, shake_hands_often},
	{"header-flood", "HTTP/1.1 200 OK\r\n", flood_headers},
	{"header-line-flood", "HTTP/1.1 200 OK\r\nX-Long: ", flood_one_line},
	{"status-line-flood", "HTTP/1.1 200 ", flood_one_line},
	{"interim-flood", NULL, flood_interim},
	{"trailer-flood", NULL, flood_trailers},
	{"chunk-extension-flood", NULL, flood_chunk_extension},
	{"body-flood", "HTTP/1.1 200 OK\r\n\r\n", flood_body},
	{"crumbs", OK_HEAD "Content-Length: 1000000\r\n\r\n", crumble_endlessly},
	{"large-length", NULL, large_length},
	{"gzip-bomb", NULL, gzip_bomb},
	{NULL, NULL, NULL},
};
