/*
 * The words of the command line, out of sight of others: whoever may read /proc sees those that the system keeps, so whatever may be a
 * secret is overwritten there once it is copied. Before there are threads.
 */
#ifndef WEBSENTRY_CONFIG_COMMAND_LINE_H
#define WEBSENTRY_CONFIG_COMMAND_LINE_H

/*
 * Copy the words, NULL at their end, and overwrite those of argv that hold a URL, an assignment or a user. What follows a scheme, or
 * a "=", becomes "***". The caller's: release with command_line_free().
 */
char **command_line_take(int argc, char **argv);
void command_line_free(char **words); /* accepts NULL */

#endif
