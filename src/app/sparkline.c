#include "app/sparkline.h"

#include "base/buffer.h"

static const char *const blocks[SPARKLINE_LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const letters[SPARKLINE_LEVELS] = {"_", ".", ":", "-", "=", "+", "*", "#"};

/* The greatest of them, or -1 where one has no value. */
static int64_t greatest(const int64_t *values, size_t count)
{
	int64_t found = 0;
	for (size_t i = 0; i < count; i++) {
		if (values[i] < 0)
			return -1;
		if (values[i] > found)
			found = values[i];
	}
	return found;
}

static int level_of(int64_t value, int64_t least, int64_t most)
{
	if (most == least)
		return 0;
	double share = (double)(value - least) / (double)(most - least);
	return (int)(share * (SPARKLINE_LEVELS - 1) + 0.5);
}

void sparkline_write(struct buffer *out, const int64_t *values, size_t count, size_t cells,
		     bool is_utf8)
{
	int64_t least = INT64_MAX;
	int64_t most = 0;
	size_t used = count < cells ? count : cells;
	for (size_t i = 0; i < count; i++) {
		if (values[i] >= 0 && values[i] < least)
			least = values[i];
		if (values[i] > most)
			most = values[i];
	}
	for (size_t i = 0; i < used; i++) {
		size_t begin = i * count / used;
		size_t end = (i + 1) * count / used;
		int64_t value = greatest(values + begin, end - begin);
		if (value < 0)
			(void)buffer_append_text(out, is_utf8 ? "×" : "x");
		else
			(void)buffer_append_text(
				out, (is_utf8 ? blocks : letters)[level_of(value, least, most)]);
	}
}
