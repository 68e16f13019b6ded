/* What this machine's loopback interface has. */
#ifndef WEBSENTRY_TESTS_COMPONENT_LOOPBACK_H
#define WEBSENTRY_TESTS_COMPONENT_LOOPBACK_H

#include <stdbool.h>

/* Whether there is a ::1; many a container has none. */
bool loopback_has_ipv6(void);

#endif
