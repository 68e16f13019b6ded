#include "name_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { TICK_MS = 20, PACKET_MAX = 512, HEADER_SIZE = 12, TYPE_A = 1, TYPE_AAAA = 28 };

struct name_server {
	const struct name_record *records;
	int fd;
	char address[32];
	atomic_bool is_stopping;
	atomic_bool has_turned;
	atomic_uint asked; /* of names with later addresses */
	atomic_int questions;
	pthread_t thread;
};

struct question {
	char name[256];
	int type;
	size_t end; /* where the question ends in the packet */
};

static bool read_question(const unsigned char *packet, size_t length, struct question *question)
{
	size_t at = HEADER_SIZE;
	size_t out = 0;
	while (at < length && packet[at] != 0) {
		size_t label = packet[at++];
		if (at + label >= length || out + label + 1 >= sizeof(question->name))
			return false;
		if (out > 0)
			question->name[out++] = '.';
		memcpy(question->name + out, packet + at, label);
		out += label;
		at += label;
	}
	question->name[out] = '\0';
	if (at + 5 > length)
		return false;
	question->type = packet[at + 1] << 8 | packet[at + 2];
	question->end = at + 5;
	return true;
}

static const struct name_record *find(const struct name_server *server, const char *name)
{
	for (const struct name_record *record = server->records; record->name != NULL; record++) {
		if (strcasecmp(record->name, name) == 0)
			return record;
	}
	return NULL;
}

/* Append one answer record; returns the packet's new length. */
static size_t add_answer(unsigned char *packet, size_t length, int type, const void *bytes,
			 size_t size)
{
	const unsigned char head[] = {0xc0, HEADER_SIZE, 0, (unsigned char)type, 0, 1, 0, 0,
				      0,    0,           0, (unsigned char)size};
	memcpy(packet + length, head, sizeof(head));
	memcpy(packet + length + sizeof(head), bytes, size);
	packet[7]++;
	return length + sizeof(head) + size;
}

static size_t make_reply(unsigned char *packet, const struct question *question,
			 const struct name_record *record, bool is_later)
{
	packet[2] = 0x85;
	packet[3] = (unsigned char)(0x80 | (record == NULL ? 3 : record->rcode));
	memset(packet + 6, 0, 6);
	size_t length = question->end;
	for (int i = 0; record != NULL && i < NAME_SERVER_ADDRESSES_MAX; i++) {
		unsigned char bytes[16];
		const char *text = is_later ? record->later[i] : record->addresses[i];
		if (text == NULL)
			break;
		if (question->type == TYPE_A && inet_pton(AF_INET, text, bytes) == 1)
			length = add_answer(packet, length, TYPE_A, bytes, 4);
		else if (question->type == TYPE_AAAA && inet_pton(AF_INET6, text, bytes) == 1)
			length = add_answer(packet, length, TYPE_AAAA, bytes, 16);
	}
	return length;
}

static void *serve(void *context)
{
	struct name_server *server = context;
	while (!atomic_load(&server->is_stopping)) {
		struct pollfd wait = {.fd = server->fd, .events = POLLIN};
		if (poll(&wait, 1, TICK_MS) <= 0)
			continue;
		unsigned char packet[PACKET_MAX + NAME_SERVER_ADDRESSES_MAX * 32];
		struct sockaddr_in from;
		socklen_t from_size = sizeof(from);
		ssize_t got = recvfrom(server->fd, packet, PACKET_MAX, 0, (struct sockaddr *)&from,
				       &from_size);
		struct question question;
		if (got < HEADER_SIZE || !read_question(packet, (size_t)got, &question))
			continue;
		(void)atomic_fetch_add(&server->questions, 1);
		const struct name_record *record = find(server, question.name);
		if (record != NULL && (record->is_silent || record->silent_type == question.type))
			continue;
		if (record != NULL && record->delay_ms > 0)
			(void)usleep((useconds_t)record->delay_ms * 1000);
		bool may_turn = record != NULL && record->later[0] != NULL;
		bool is_later = may_turn && atomic_load(&server->has_turned);
		size_t length = make_reply(packet, &question, record, is_later);
		(void)sendto(server->fd, packet, length, 0, (struct sockaddr *)&from, from_size);
		if (may_turn && atomic_fetch_add(&server->asked, 1) % 2 == 1 && record->is_turning)
			atomic_store(&server->has_turned, true);
	}
	return NULL;
}

struct name_server *name_server_start_at(const char *ip, int port,
					 const struct name_record *records)
{
	struct name_server *server = xcalloc(1, sizeof(*server));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	socklen_t size = sizeof(address);
	server->records = records;
	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (server->fd < 0 || inet_pton(AF_INET, ip, &address.sin_addr) != 1)
		abort();
	if (bind(server->fd, (struct sockaddr *)&address, size) != 0) {
		(void)close(server->fd);
		free(server);
		return NULL;
	}
	if (getsockname(server->fd, (struct sockaddr *)&address, &size) != 0 ||
	    pthread_create(&server->thread, NULL, serve, server) != 0)
		abort();
	(void)snprintf(server->address, sizeof(server->address), "%s:%d", ip,
		       ntohs(address.sin_port));
	return server;
}

struct name_server *name_server_start(const struct name_record *records)
{
	struct name_server *server = name_server_start_at("127.0.0.1", 0, records);
	if (server == NULL)
		abort();
	return server;
}

void name_server_stop(struct name_server *server)
{
	atomic_store(&server->is_stopping, true);
	(void)pthread_join(server->thread, NULL);
	(void)close(server->fd);
	free(server);
}

void name_server_turn(struct name_server *server)
{
	atomic_store(&server->has_turned, true);
}

unsigned name_server_asked(const struct name_server *server)
{
	return atomic_load(&server->asked);
}

const char *name_server_address(const struct name_server *server)
{
	return server->address;
}

int name_server_questions(const struct name_server *server)
{
	return atomic_load(&server->questions);
}
