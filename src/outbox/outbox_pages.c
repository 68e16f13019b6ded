#include "outbox/outbox_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

/* SQLite's file format, sections 1.3 and 4.1. */
enum {
	WAL_HEADER = 32,
	FRAME_HEADER = 24,
	FILE_HEADER = 18, /* as much as we look at */
	PAGE_SIZE_DEFAULT = 4096,
	PAGE_SIZE_MIN = 512,
	SIZES_MAX = 3,
	WAL_MAGIC = 0x377f0683, /* the lowest bit: the byte order of its checksums */
};

struct outbox_pages {
	int fd; /* of the database, and of its log; -1: there is none */
	int wal_fd;
	uint64_t file_bytes;
	uint64_t wal_bytes;
	size_t sizes[SIZES_MAX];
	size_t size_count;
	size_t page_size;
	size_t file_pages;
	uint32_t *numbers; /* of the pages in the frames */
	size_t frame_count;
};

static uint32_t get_u32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       (uint32_t)bytes[3];
}

/* Bytes that a file lacks are zeros. -1: an I/O error. */
static int read_at(int fd, uint64_t offset, unsigned char *bytes, size_t length)
{
	size_t done = 0;
	while (done < length) {
		ssize_t got = pread(fd, bytes + done, length - done, (off_t)(offset + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	memset(bytes + done, 0, length - done);
	return 0;
}

static void add_size(struct outbox_pages *pages, size_t size)
{
	bool is_possible =
		size >= PAGE_SIZE_MIN && size <= OUTBOX_PAGES_SIZE_MAX && (size & (size - 1)) == 0;
	for (size_t i = 0; i < pages->size_count; i++)
		is_possible = is_possible && pages->sizes[i] != size;
	if (is_possible)
		pages->sizes[pages->size_count++] = size;
}

static void find_sizes(struct outbox_pages *pages)
{
	unsigned char bytes[WAL_HEADER];
	if (pages->fd >= 0 && read_at(pages->fd, 0, bytes, FILE_HEADER) == 0) {
		size_t size = (size_t)bytes[16] << 8 | bytes[17];
		add_size(pages, size == 1 ? OUTBOX_PAGES_SIZE_MAX : size);
	}
	if (pages->wal_fd >= 0 && read_at(pages->wal_fd, 0, bytes, WAL_HEADER) == 0)
		add_size(pages, get_u32(bytes + 8));
	add_size(pages, PAGE_SIZE_DEFAULT);
}

static int open_one(const char *path, const char *suffix, uint64_t *ret_bytes, struct error *err)
{
	char *name = xasprintf("%s%s", path, suffix);
	struct stat status;
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would be waited for */
	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		*ret_bytes = (uint64_t)status.st_size;
	} else if (fd >= 0) {
		error_set(err, ERROR_REJECT, "%s: expected a file", name);
		(void)close(fd);
		fd = -1;
	} else if (errno != ENOENT || suffix[0] == '\0') {
		error_set_errno(err, ERROR_REJECT, errno, "%s", name);
	}
	free(name);
	return fd;
}

/* Taken for a database its frames would lie askew, and few of its rows would be found. */
static bool is_log(int fd)
{
	unsigned char magic[4];
	return read_at(fd, 0, magic, sizeof(magic)) == 0 && (get_u32(magic) | 1) == WAL_MAGIC;
}

struct outbox_pages *outbox_pages_open(const char *path, struct error *err)
{
	struct outbox_pages *pages = xcalloc(1, sizeof(*pages));
	struct error wal_err = {0};
	struct error file_err = {0};
	pages->fd = open_one(path, "", &pages->file_bytes, &file_err);
	pages->wal_fd = open_one(path, "-wal", &pages->wal_bytes, &wal_err);
	if (pages->fd >= 0 && is_log(pages->fd)) {
		error_set(err, ERROR_REJECT,
			  "%s: is a write-ahead log: give the name of its database, which need not "
			  "be there, with the log beside it as NAME-wal",
			  path);
		outbox_pages_close(pages);
		return NULL;
	}
	if ((pages->fd < 0 && pages->wal_fd < 0) || wal_err.kind != ERROR_NONE) {
		if (err != NULL)
			*err = pages->fd < 0 ? file_err : wal_err;
		outbox_pages_close(pages);
		return NULL;
	}
	find_sizes(pages);
	outbox_pages_use_size(pages, 0);
	return pages;
}

void outbox_pages_close(struct outbox_pages *pages)
{
	if (pages == NULL)
		return;
	if (pages->fd >= 0)
		(void)close(pages->fd);
	if (pages->wal_fd >= 0)
		(void)close(pages->wal_fd);
	free(pages->numbers);
	free(pages);
}

static void read_frames(struct outbox_pages *pages)
{
	size_t stride = FRAME_HEADER + pages->page_size;
	uint64_t body = pages->wal_bytes > WAL_HEADER ? pages->wal_bytes - WAL_HEADER : 0;
	pages->frame_count = (size_t)((body + stride - 1) / stride); /* the last one may be cut */
	free(pages->numbers);
	pages->numbers = xcalloc(pages->frame_count + 1, sizeof(*pages->numbers));
	for (size_t i = 0; i < pages->frame_count; i++) {
		unsigned char bytes[FRAME_HEADER];
		if (read_at(pages->wal_fd, WAL_HEADER + (uint64_t)i * stride, bytes,
			    FRAME_HEADER) == 0)
			pages->numbers[i] = get_u32(bytes);
	}
}

size_t outbox_pages_size_count(const struct outbox_pages *pages)
{
	return pages->size_count;
}

void outbox_pages_use_size(struct outbox_pages *pages, size_t which)
{
	pages->page_size = pages->sizes[which];
	pages->file_pages = (size_t)((pages->file_bytes + pages->page_size - 1) / pages->page_size);
	read_frames(pages);
}

size_t outbox_pages_size(const struct outbox_pages *pages)
{
	return pages->page_size;
}

size_t outbox_pages_count(const struct outbox_pages *pages)
{
	return pages->file_pages + pages->frame_count;
}

uint32_t outbox_pages_number(const struct outbox_pages *pages, size_t version)
{
	if (version < pages->file_pages)
		return (uint32_t)version + 1;
	return pages->numbers[version - pages->file_pages];
}

int outbox_pages_read(const struct outbox_pages *pages, size_t version, unsigned char *bytes)
{
	size_t size = pages->page_size;
	if (version < pages->file_pages)
		return read_at(pages->fd, (uint64_t)version * size, bytes, size);
	uint64_t place = version - pages->file_pages;
	return read_at(pages->wal_fd, WAL_HEADER + place * (FRAME_HEADER + size) + FRAME_HEADER,
		       bytes, size);
}

/* Two walks away from near, one up and one down the log; the file's version comes where its place is. */
size_t outbox_pages_versions(const struct outbox_pages *pages, uint32_t number, size_t near,
			     size_t *ret_versions, size_t max)
{
	size_t found = 0;
	size_t base = pages->file_pages;
	size_t own = number >= 1 && number <= base ? number - 1 : SIZE_MAX;
	bool is_in_file = near < base;
	size_t up = is_in_file ? base : near;
	size_t down = is_in_file ? base : near;
	if (is_in_file && own != SIZE_MAX && found < max)
		ret_versions[found++] = own;
	while (found < max && (up < outbox_pages_count(pages) || down > base)) {
		if (up < outbox_pages_count(pages)) {
			if (outbox_pages_number(pages, up) == number)
				ret_versions[found++] = up;
			up++;
		}
		if (down > base) {
			down--;
			if (found < max && outbox_pages_number(pages, down) == number)
				ret_versions[found++] = down;
		}
	}
	if (!is_in_file && own != SIZE_MAX && found < max)
		ret_versions[found++] = own;
	return found;
}
