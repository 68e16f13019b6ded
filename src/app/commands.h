/* The commands: each reads, wires, runs and stops its part of the pipeline, and returns the exit code. Main thread. */
#ifndef WEBSENTRY_APP_COMMANDS_H
#define WEBSENTRY_APP_COMMANDS_H

struct settings;
struct site_list;

/* check's exit codes are those of the monitoring plugins: https://www.monitoring-plugins.org/doc/guidelines.html */
enum { CHECK_UP = 0, CHECK_DEGRADED = 1, CHECK_DOWN = 2, CHECK_UNKNOWN = 3 };

/* Sites are without mistakes, and outlive the call; where they are checked, what is in the list is taken. */
int command_producer(const struct settings *settings, struct site_list *sites);
int command_run(const struct settings *settings, struct site_list *sites);
int command_check(const struct settings *settings, struct site_list *sites);
/* Instead of it, where there are mistakes: with --nagios a line with the first of them, for what a plugin was told wrongly is none of the site's. */
int command_check_refused(const struct settings *settings, const char *why);
int command_consumer(const struct settings *settings, const struct site_list *sites);
int command_web(const struct settings *settings, const struct site_list *sites);
int command_sites(const struct settings *settings, const struct site_list *sites);
int command_config_check(const struct settings *settings, const struct site_list *sites);
int command_config_print(const struct settings *settings);
int command_quarantine_list(const struct settings *settings);
int command_quarantine_show(const struct settings *settings);
int command_quarantine_retry(const struct settings *settings);
int command_audit(const struct settings *settings);
int command_db_migrate(const struct settings *settings);
int command_outbox_show(const struct settings *settings);
int command_outbox_salvage(const struct settings *settings);

#endif
