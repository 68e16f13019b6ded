/*
 * websentry: reads the command line, prints every problem at once, and hands over to the command's own file.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/commands.h"
#include "app/process.h"
#include "app/reload.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "check/site.h"
#include "config/command_line.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/sites.h"
#include "pattern/pattern.h"
#include "probe/kept_memory.h"
#include "web/metrics.h"

static void print_problems(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		char *line = xasprintf("%s: %s", problem->where, problem->what);
		log_event(problem->is_warning ? LOG_WARN : LOG_ERROR, line);
		free(line);
	}
	if (problems->error_count > 0)
		(void)fputs("websentry --help shows commands and settings\n", stderr);
}

static void print_manual(const char *form)
{
	if (strcmp(form, "markdown") == 0)
		settings_print_markdown(stdout);
	else if (strcmp(form, "metrics") == 0)
		metrics_print_markdown(stdout);
	else
		settings_print_manual(stdout);
}

/* What asks for nothing but text on stdout, or watches no sites; -1 where the command is another one. */
static int print_text(const struct settings *settings)
{
	switch (settings->command) {
	case COMMAND_HELP:
		settings_print_help(stdout, settings->subject);
		return EXIT_FINE;
	case COMMAND_VERSION:
		(void)printf("websentry %s\n", WEBSENTRY_VERSION);
		return EXIT_FINE;
	case COMMAND_COMPLETION:
		settings_print_completion(stdout, settings->shell);
		return EXIT_FINE;
	case COMMAND_MANUAL:
		print_manual(settings->shell);
		return EXIT_FINE;
	case COMMAND_CONFIG_PRINT:
		return command_config_print(settings);
	case COMMAND_DB_MIGRATE:
		return command_db_migrate(settings);
	case COMMAND_AUDIT:
		return command_audit(settings);
	case COMMAND_QUARANTINE_LIST:
		return command_quarantine_list(settings);
	case COMMAND_QUARANTINE_SHOW:
		return command_quarantine_show(settings);
	case COMMAND_QUARANTINE_RETRY:
		return command_quarantine_retry(settings);
	case COMMAND_OUTBOX_SHOW:
		return command_outbox_show(settings);
	case COMMAND_OUTBOX_SALVAGE:
		return command_outbox_salvage(settings);
	case COMMAND_NONE:
		settings_print_help(stderr, COMMAND_NONE);
		return EXIT_USAGE;
	case COMMAND_PRODUCER:
	case COMMAND_CONSUMER:
	case COMMAND_RUN:
	case COMMAND_CHECK:
	case COMMAND_SITES:
	case COMMAND_CONFIG_CHECK:
	case COMMAND_WEB:
		break;
	}
	return -1;
}

/* The exit code, or failed where text did not get out; but who closes the pipe has read enough. */
static int flush_text(int code, int failed)
{
	/* of a failure before the last flush only the mark is left: one more byte tells the reason */
	bool has_failed = ferror(stdout) != 0;
	errno = 0;
	bool is_flushed = fflush(stdout) == 0;
	if (is_flushed && has_failed)
		(void)!write(STDOUT_FILENO, "\n", 1);
	if ((is_flushed && !has_failed) || errno == EPIPE)
		return code;
	struct error err;
	error_set_errno(&err, ERROR_FATAL, errno, "can't write to standard output");
	log_event(LOG_ERROR, err.message);
	return failed;
}

/* The code of a command whose input has mistakes. */
static int refuse(const struct settings *settings, const struct problems *problems)
{
	const struct problem *first = problems->items;
	if (settings->command != COMMAND_CHECK)
		return EXIT_USAGE;
	while (first->is_warning)
		first++;
	char *why = xasprintf("%s: %s", first->where, first->what);
	int code = flush_text(command_check_refused(settings, why), CHECK_UNKNOWN);
	free(why);
	return code;
}

static int run_command(const struct settings *settings, struct site_list *sites)
{
	switch (settings->command) {
	case COMMAND_PRODUCER:
		return command_producer(settings, sites);
	case COMMAND_CONSUMER:
		return command_consumer(settings, sites);
	case COMMAND_RUN:
		return command_run(settings, sites);
	case COMMAND_CHECK:
		return flush_text(command_check(settings, sites), CHECK_UNKNOWN);
	case COMMAND_SITES:
		return flush_text(command_sites(settings, sites), EXIT_FAILED);
	case COMMAND_CONFIG_CHECK:
		return flush_text(command_config_check(settings, sites), EXIT_FAILED);
	case COMMAND_WEB:
		return command_web(settings, sites);
	case COMMAND_NONE:
	case COMMAND_CONFIG_PRINT:
	case COMMAND_DB_MIGRATE:
	case COMMAND_AUDIT:
	case COMMAND_QUARANTINE_LIST:
	case COMMAND_QUARANTINE_SHOW:
	case COMMAND_QUARANTINE_RETRY:
	case COMMAND_OUTBOX_SHOW:
	case COMMAND_OUTBOX_SALVAGE:
	case COMMAND_HELP:
	case COMMAND_VERSION:
	case COMMAND_COMPLETION:
	case COMMAND_MANUAL:
		break;
	}
	return EXIT_USAGE;
}

/* Those that SIGHUP tells to read again; others it ends. */
enum { RELOADING = COMMAND_PRODUCER | COMMAND_CONSUMER | COMMAND_RUN | COMMAND_WEB };

int main(int argc, char **argv)
{
	struct settings settings;
	struct problems problems;
	struct site_list sites;
	process_prepare();
	(void)kept_memory_prepare(); /* what it does not do only takes longer */
	char **words = command_line_take(argc, argv);
	/* libidn2, within libcurl, reads the hosts of URLs in the encoding of the locale. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	problems_init(&problems);
	site_list_init(&sites, pattern_destroy);
	settings_read(argc, words, environ, &settings, &problems);
	log_configure((enum log_level)settings.log_level, (enum log_format)settings.log_format);
	if ((settings.command & RELOADING) != 0)
		process_hold_reloads();
	settings.files_version = reload_look_at_files(&settings);
	sites_load(&settings, &sites,
		   &problems); /* also after errors: all of them are said at once */
	print_problems(&problems);
	int code = problems.error_count > 0 ? refuse(&settings, &problems) : EXIT_USAGE;
	if (problems.error_count > 0 && settings.command == COMMAND_CONFIG_PRINT) {
		(void)command_config_print(
			&settings); /* what there is, to find out what is missing */
		(void)flush_text(code, EXIT_FAILED);
	} else if (problems.error_count == 0) {
		code = print_text(&settings);
		if (code < 0) {
			process_start_working();
			code = run_command(&settings, &sites);
		} else {
			code = flush_text(code, EXIT_FAILED);
		}
	}
	site_list_finish(&sites);
	settings_finish(&settings);
	problems_finish(&problems);
	command_line_free(words);
	return code;
}
