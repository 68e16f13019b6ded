/* The program's inet_ntop() says what the C library's says, of every kind of address and room. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "probe/address_text.h"

typedef const char *print_function(int family, const void *bytes, char *text, socklen_t size);

static print_function *library_s(void)
{
	print_function *found;
	*(void **)&found = dlsym(RTLD_NEXT, "inet_ntop");
	assert_non_null(found);
	return found;
}

static void assert_same(int family, const unsigned char *bytes, socklen_t size)
{
	char ours[INET6_ADDRSTRLEN + 1] = "unchanged";
	char theirs[INET6_ADDRSTRLEN + 1] = "unchanged";
	errno = 0;
	const char *said = inet_ntop(family, bytes, ours, size);
	int our_errno = errno;
	errno = 0;
	const char *expected = library_s()(family, bytes, theirs, size);
	assert_int_equal(our_errno, errno);
	assert_int_equal(said == NULL, expected == NULL);
	if (said == NULL)
		return;
	assert_ptr_equal(said, ours);
	assert_string_equal(ours, theirs);
}

static void it_stands_before_the_c_library_s(void **state)
{
	(void)state;
	assert_true((print_function *)inet_ntop != library_s());
	/* for the shared libraries, too */
	assert_ptr_equal(dlsym(RTLD_DEFAULT, "inet_ntop"), (const void *)(uintptr_t)inet_ntop);
}

static void every_number_in_every_place(void **state)
{
	(void)state;
	for (unsigned place = 0; place < 4; place++)
		for (unsigned number = 0; number <= 255; number++) {
			unsigned char bytes[4] = {192, 0, 2, 1};
			bytes[place] = (unsigned char)number;
			assert_same(AF_INET, bytes, INET_ADDRSTRLEN);
		}
}

static void every_room(void **state)
{
	(void)state;
	static const unsigned char four[][4] = {{0}, {9, 99, 9, 99}, {255, 255, 255, 255}};
	static const unsigned char six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	for (socklen_t size = 0; size <= INET6_ADDRSTRLEN; size++) {
		for (size_t i = 0; i < sizeof(four) / sizeof(four[0]); i++)
			assert_same(AF_INET, four[i], size);
		assert_same(AF_INET6, six, size);
	}
}

static void other_families(void **state)
{
	(void)state;
	static const unsigned char bytes[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
	assert_same(AF_INET6, bytes, INET6_ADDRSTRLEN);
	assert_same(AF_UNIX, bytes, INET6_ADDRSTRLEN);
}

static void the_length_is_told(void **state)
{
	(void)state;
	char text[ADDRESS_TEXT_4_SIZE];
	static const unsigned char longest[4] = {255, 255, 255, 255};
	static const unsigned char shortest[4] = {0};
	assert_int_equal(address_text_write_4(longest, text), strlen("255.255.255.255"));
	assert_int_equal(address_text_write_4(shortest, text), strlen("0.0.0.0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_stands_before_the_c_library_s),
		cmocka_unit_test(every_number_in_every_place),
		cmocka_unit_test(every_room),
		cmocka_unit_test(other_families),
		cmocka_unit_test(the_length_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
