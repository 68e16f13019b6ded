#include "probe/redirect.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/site.h"
#include "check/url.h"

void redirect_init(struct redirect *redirect, const struct site *site)
{
	*redirect = (struct redirect){
		.url = xstrdup(site->url),
		.method = site->method,
		.body = site->body,
		.body_length = site->body_length,
		.is_trusted_origin = true,
	};
}

void redirect_finish(struct redirect *redirect)
{
	free(redirect->url);
	free(redirect->username);
	free(redirect->password);
	*redirect = (struct redirect){0};
}

bool redirect_is(int status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

/* A redirect within the origin keeps the credentials of the site's URL, though its Location does not repeat them. */
static void keep_credentials(struct redirect *redirect, const char *site_url)
{
	if (redirect->username != NULL || strchr(site_url, '@') == NULL)
		return;
	url_take_userinfo(site_url, &redirect->username, &redirect->password);
}

static void drop_credentials(struct redirect *redirect)
{
	redirect->is_trusted_origin = false;
	free(redirect->username);
	free(redirect->password);
	redirect->username = NULL;
	redirect->password = NULL;
}

int redirect_follow(struct redirect *redirect, const struct site *site, int status,
		    const char *location, struct error *err)
{
	char *next = url_resolve(redirect->url, location, err);
	if (next == NULL)
		return -1;
	if (redirect->is_trusted_origin && url_is_same_origin(site->url, next))
		keep_credentials(redirect, site->url);
	else
		drop_credentials(redirect);

	bool is_post = strcmp(redirect->method, "POST") == 0;
	bool is_head = strcmp(redirect->method, "HEAD") == 0;
	if ((status == 303 && !is_head) || ((status == 301 || status == 302) && is_post)) {
		redirect->method = "GET";
		redirect->body = NULL;
		redirect->body_length = 0;
	}
	free(redirect->url);
	redirect->url = next;
	return 0;
}
