#include "probe/redirect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "check/request.h"
#include "check/site.h"
#include "check/url.h"
#include "probe/transfer.h"

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
	free(redirect->cookie_field);
	free(redirect->cookies_set);
	cookies_finish(&redirect->cookies);
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

/* What browsers do, whatever the method was: the answer of a 303 is fetched, and so is that of a POST's 301 and 302. */
static bool is_get_from_here(const char *method, int status)
{
	bool is_post = strcmp(method, "POST") == 0;
	bool is_head = strcmp(method, "HEAD") == 0;
	return (status == 303 && !is_head) || ((status == 301 || status == 302) && is_post);
}

void redirect_take_cookies(struct redirect *redirect, const char *fields, wall_us now)
{
	if (fields == NULL)
		return;
	cookies_take(&redirect->cookies, redirect->url, fields, now);
	free(redirect->cookies_set);
	redirect->cookies_set = cookies_list(&redirect->cookies);
}

/* In one field: the site's own go only where they may, and a redirect may have replaced one. */
static char *make_cookie_field(const struct redirect *redirect, const struct site *site)
{
	char *own = NULL;
	if (redirect->cookies.count == 0)
		return NULL;
	for (size_t i = 0; redirect->is_trusted_origin && i < site->header_count; i++) {
		const struct site_header *header = &site->headers[i];
		if (strcasecmp(header->name, "Cookie") != 0)
			continue;
		char *longer = own == NULL ? xstrdup(header->value)
					   : xasprintf("%s; %s", own, header->value);
		free(own);
		own = longer;
	}
	char *field = cookies_field(&redirect->cookies, redirect->url, own);
	free(own);
	return field;
}

int redirect_follow(struct redirect *redirect, const struct site *site, int status,
		    const char *location, struct error *err)
{
	char *next = url_resolve(redirect->url, location, err);
	if (next == NULL)
		return -1;
	bool is_home = redirect->is_trusted_origin && url_is_same_origin(site->url, next);
	bool becomes_get = is_get_from_here(redirect->method, status);
	if (!is_home && !becomes_get && redirect->body != NULL &&
	    request_of(site)->is_body_secret) {
		error_set(err, ERROR_REJECT,
			  "the redirect would take the secrets of the request's body to another "
			  "origin");
		free(next);
		return -1;
	}
	if (is_home)
		keep_credentials(redirect, site->url);
	else
		drop_credentials(redirect);
	if (becomes_get) {
		redirect->method = "GET";
		redirect->body = NULL;
		redirect->body_length = 0;
	}
	free(redirect->url);
	redirect->url = next;
	free(redirect->cookie_field);
	redirect->cookie_field = make_cookie_field(redirect, site);
	return 0;
}

void redirect_fill(const struct redirect *redirect, struct transfer_request *request)
{
	request->url = redirect->url;
	request->method = redirect->method;
	request->body = redirect->body;
	request->body_length = redirect->body_length;
	request->is_trusted_origin = redirect->is_trusted_origin;
	request->cookies = redirect->cookie_field;
	request->username = redirect->username;
	request->password = redirect->password;
}
