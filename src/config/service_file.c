/*
 * Found as libpq finds them: PGSERVICEFILE, or else .pg_service.conf in the home folder; then pg_service.conf in PGSYSCONFDIR, or in
 * the folder that libpq was built with. The first definition of a service is the one that counts; a line of it that begins with
 * "ldap" is asked at once, wherever it stands in it.
 */
#include "config/service_file.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/file.h"

enum { FILE_MAX = 1024 * 1024 };

enum answer { ANSWER_NOT_DEFINED, ANSWER_DEFINED, ANSWER_LDAP };

static bool is_header_of(const char *line, const char *service)
{
	size_t length = strlen(service);
	return line[0] == '[' && strncmp(line + 1, service, length) == 0 && line[length + 1] == ']';
}

static enum answer look_into(const char *path, const char *service)
{
	enum answer answer = ANSWER_NOT_DEFINED;
	char *at = NULL;
	size_t length;
	char *text = file_read(path, FILE_MAX, &length, NULL);
	for (char *line = text == NULL ? NULL : strtok_r(text, "\n", &at); line != NULL;
	     line = strtok_r(NULL, "\n", &at)) {
		while (isspace((unsigned char)*line))
			line++;
		if (line[0] == '[' && answer != ANSWER_NOT_DEFINED)
			break; /* the next one's */
		if (is_header_of(line, service))
			answer = ANSWER_DEFINED;
		if (answer == ANSWER_DEFINED && text_starts_with(line, "ldap"))
			answer = ANSWER_LDAP;
	}
	free(text);
	return answer;
}

/* To be freed; NULL: there is no home folder. */
static char *path_of_user(void)
{
	const char *given = getenv("PGSERVICEFILE");
	if (given != NULL)
		return xstrdup(given);
	const char *home = getenv("HOME");
	if (text_is_empty(home)) {
		const struct passwd *user = getpwuid(geteuid());
		home = user == NULL ? NULL : user->pw_dir;
	}
	return home == NULL ? NULL : xasprintf("%s/.pg_service.conf", home);
}

static char *path_of_system(void)
{
	const char *given = getenv("PGSYSCONFDIR");
	return xasprintf("%s/pg_service.conf", given != NULL ? given : LIBPQ_SYSCONFDIR);
}

bool service_file_asks_ldap(const char *service)
{
	char *paths[] = {path_of_user(), path_of_system()};
	enum answer answer = ANSWER_NOT_DEFINED;
	for (size_t i = 0; i < 2; i++) {
		if (answer == ANSWER_NOT_DEFINED && paths[i] != NULL)
			answer = look_into(paths[i], service);
		free(paths[i]);
	}
	return answer == ANSWER_LDAP;
}
