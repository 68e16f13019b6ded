/*
 * /api/v1/sites: what the page shows, as JSON. Additive: names and meanings stay. Pure.
 */
#ifndef WEBSENTRY_WEB_API_H
#define WEBSENTRY_WEB_API_H

struct buffer;
struct snapshot;

enum { API_MAX = 256 * 1024 * 1024 }; /* bytes */

/* An array with an object for each site that has a report, in the order of the page; null where a figure is not known. */
void api_write_sites(struct buffer *out, const struct snapshot *snapshot);

#endif
