/*
 * base/text.c: text that a site controls made safe, and the small readers of text. The first byte chooses the cap, the rest is the text.
 */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "input.h"

static void clean(const char *bytes, size_t length, size_t max)
{
	struct buffer whole;
	struct buffer cut;
	const size_t most =
		3 * length; /* one bad byte becomes three; three that are a control, eight */
	buffer_init(&whole, most);
	buffer_init(&cut, most);
	FUZZ_PROMISE(text_clean(&whole, bytes, length, most));
	FUZZ_PROMISE(input_is_safe(whole.length == 0 ? "" : whole.data, whole.length, false));
	bool is_safe = input_is_safe(bytes, length, false);
	FUZZ_PROMISE(!is_safe || (whole.length == length &&
				  (length == 0 || memcmp(whole.data, bytes, length) == 0)));
	bool has_all = text_clean(&cut, bytes, length, max);
	FUZZ_PROMISE(has_all == (whole.length <= max));
	FUZZ_PROMISE(cut.length <= max && cut.length <= whole.length);
	/* not cut sooner than a character before, or the number of one that changes the order */
	FUZZ_PROMISE(cut.length + 8 > max || has_all);
	FUZZ_PROMISE(cut.length == 0 || memcmp(cut.data, whole.data, cut.length) == 0);
	FUZZ_PROMISE(input_is_safe(cut.length == 0 ? "" : cut.data, cut.length, false));
	char *copy = text_clean_copy(bytes, length, max);
	char *again = text_clean_copy(copy, strlen(copy), max);
	FUZZ_PROMISE(strlen(copy) == cut.length &&
		     (cut.length == 0 || memcmp(copy, cut.data, cut.length) == 0));
	FUZZ_PROMISE(strcmp(copy, again) == 0);
	free(copy);
	free(again);
	buffer_finish(&whole);
	buffer_finish(&cut);
}

/* Only what is UTF-8 may be asked for what is not seen. */
static void find_invisible(const char *text)
{
	uint32_t character = 0;
	bool has_any = text_find_invisible(text, &character);
	bool has_control = !input_is_safe(text, strlen(text), false);
	FUZZ_PROMISE(has_any || !has_control);
	FUZZ_PROMISE(!has_any || character < 0x20 || character >= 0x7F);
}

static void read_duration(int64_t us)
{
	char text[64];
	int64_t again = 0;
	text_format_duration(us, text, sizeof(text));
	FUZZ_PROMISE(text_parse_duration(text, &again) == 0 && again == us);
}

static void read_numbers(const char *text)
{
	int64_t value = 0;
	if (text_parse_duration(text, &value) == 0)
		read_duration(value);
	if (text_parse_size(text, &value) == 0)
		FUZZ_PROMISE(value >= 0);
	int64_t number = 0;
	if (text_parse_int64(text, &number) == 0) {
		char digits[32];
		(void)snprintf(digits, sizeof(digits), "%" PRId64, number);
		FUZZ_PROMISE(text_parse_int64(digits, &value) == 0 && value == number);
		const char *shown = text + (text[0] == '-');
		shown += strspn(shown, "0");
		FUZZ_PROMISE(shown[0] == '\0' || strcmp(shown, digits + (digits[0] == '-')) == 0);
	}
}

static void find_nearest(const char *text)
{
	static const char *const words[] = {"interval", "timeout", "pattern", "headers"};
	const char *nearest = text_nearest(text, words, sizeof(words) / sizeof(words[0]));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		FUZZ_PROMISE(strcmp(text, words[i]) != 0 || nearest == words[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = input_of(data, size);
	size_t max = input_byte(&input);
	const char *bytes = input.left == 0 ? "" : input.at;
	bool is_utf8 = text_is_utf8(bytes, input.left);
	FUZZ_PROMISE(is_utf8 == input_is_utf8(bytes, input.left));
	clean(bytes, input.left, max);
	char *text = xstrndup(bytes, input.left);
	if (text_is_utf8(text, strlen(text)))
		find_invisible(text);
	read_numbers(text);
	find_nearest(text);
	int64_t number = input_number(&input);
	if (number != INT64_MIN)
		read_duration(number);
	free(text);
	return 0;
}
