/*
 * config/sites.c with the YAML tree below it: a sites file, whatever it is, is read or complained of, in lines of one line each; and
 * what was read is as the prober may rely on.
 */
#include "fuzz.h"

#include <limits.h>
#include <malloc.h>
#include <string.h>

#include "base/memory.h"
#include "check/request.h"
#include "check/site.h"
#include "check/url.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/sites.h"
#include "input.h"
#include "scratch.h"

static const char *file_name;
static struct settings settings;

static void clean_up(void)
{
	settings_finish(&settings);
}

/* What is free goes back to the kernel after each list of sites; here it would be had again at once. */
int __wrap_malloc_trim(size_t pad);
int __wrap_malloc_trim(size_t pad)
{
	(void)pad;
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	char *home = xasprintf("HOME=%s", scratch_make());
	file_name = scratch_path("sites.yaml");
	(void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
	char program[] = "websentry";
	char command[] = "run";
	char *path = xstrdup(file_name);
	char *words[] = {program, command, path, NULL};
	char *environment[] = {home, NULL};
	struct problems problems;
	problems_init(&problems);
	scratch_write(file_name, "", 0);
	settings_read(3, words, environment, &settings, &problems);
	FUZZ_PROMISE(problems.error_count == 0);
	problems_finish(&problems);
	free(path);
	free(home);
	(void)atexit(clean_up);
	return 0;
}

static void look_at_problems(const struct problems *problems)
{
	FUZZ_PROMISE(problems->count <= PROBLEMS_MAX + 1);
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		FUZZ_PROMISE(problem->where[0] != '\0' && problem->what[0] != '\0');
		FUZZ_PROMISE(input_is_safe(problem->where, strlen(problem->where), false));
		FUZZ_PROMISE(input_is_safe(problem->what, strlen(problem->what), false));
	}
}

/* Nothing that would be a header or a line of its own. */
static bool is_one_line(const char *text)
{
	return strpbrk(text, "\r\n") == NULL;
}

static void look_at_site(const struct site *site)
{
	struct url_parts parts;
	FUZZ_PROMISE(url_parse(site->url, &parts, NULL) == 0);
	url_parts_finish(&parts);
	char *redacted = url_redact(site->url);
	FUZZ_PROMISE(strcmp(redacted, site->redacted_url) == 0);
	free(redacted);
	FUZZ_PROMISE(site->name[0] != '\0' && strlen(site->name) <= SITE_NAME_MAX);
	FUZZ_PROMISE(input_is_safe(site->name, strlen(site->name), false));
	FUZZ_PROMISE(site->interval_us > 0 && site->timeout_us > 0);
	FUZZ_PROMISE(site->timeout_us <= site->interval_us);
	FUZZ_PROMISE(site->method[0] != '\0' && strpbrk(site->method, " \t\r\n:") == NULL);
	FUZZ_PROMISE(site->header_count <= SITE_HEADERS_MAX && site->rule_count <= SITE_RULES_MAX);
	FUZZ_PROMISE(site->max_redirects >= 0 && site->max_redirects <= SITE_REDIRECTS_MAX);
	FUZZ_PROMISE(site->match_bytes > 0 && site->match_bytes <= SITE_BODY_MAX);
	FUZZ_PROMISE(site->max_body_bytes > 0 && site->max_body_bytes <= SITE_BODY_MAX);
	for (size_t i = 0; i < site->header_count; i++)
		FUZZ_PROMISE(site->headers[i].name[0] != '\0' &&
			     is_one_line(site->headers[i].name) &&
			     is_one_line(site->headers[i].value));
	const struct request *request = request_of(site);
	FUZZ_PROMISE(request->server_name == NULL || is_one_line(request->server_name));
	for (size_t i = 0; i < request->proxy_header_count; i++)
		FUZZ_PROMISE(request->proxy_headers[i].name[0] != '\0' &&
			     is_one_line(request->proxy_headers[i].name) &&
			     is_one_line(request->proxy_headers[i].value));
	FUZZ_PROMISE(request->accept_encoding == NULL || is_one_line(request->accept_encoding));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problems problems;
	struct site_list list;
	scratch_write(file_name, data, size);
	problems_init(&problems);
	sites_load(&settings, &list, &problems);
	FUZZ_PROMISE(list.count > 0 || problems.error_count > 0);
	look_at_problems(&problems);
	for (size_t i = 0; problems.error_count == 0 && i < list.count; i++)
		look_at_site(&list.sites[i]);
	site_list_finish(&list);
	problems_finish(&problems);
	return 0;
}
