/* `websentry sites`: what a producer would watch, and when each is due next. */
#include <stdio.h>

#include "app/commands.h"
#include "app/process.h"
#include "app/sites_print.h"
#include "base/buffer.h"
#include "check/site.h"
#include "config/settings.h"

int command_sites(const struct settings *settings, const struct site_list *sites)
{
	const struct sites_now now = {.boot = clock_boot_us(), .wall = clock_wall_us()};
	struct buffer line;
	buffer_init(&line, SITES_PRINT_LINE_MAX);
	if (!settings->is_json)
		sites_print_head(&line);
	for (size_t i = 0; i < sites->count && ferror(stdout) == 0; i++) {
		if (settings->is_json)
			sites_print_json(&line, &sites->sites[i], &now);
		else
			sites_print_line(&line, &sites->sites[i], &now);
		(void)fwrite(line.data, 1, line.length, stdout);
		buffer_clear(&line);
	}
	buffer_finish(&line);
	return EXIT_FINE;
}
