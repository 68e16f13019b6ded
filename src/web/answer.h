/*
 * Responses: each with the headers that keep a browser from doing anything with the page but showing it. On the web thread.
 */
#ifndef WEBSENTRY_WEB_ANSWER_H
#define WEBSENTRY_WEB_ANSWER_H

#include <microhttpd.h>

struct asset;
struct figures;
struct rendering;

/* Renderings are borrowed; a response holds its own reference until it is sent. */
enum MHD_Result answer_page(struct MHD_Connection *connection, struct rendering *rendering);
enum MHD_Result answer_board(struct MHD_Connection *connection, struct rendering *rendering);
enum MHD_Result answer_sites(struct MHD_Connection *connection, struct rendering *rendering);

enum MHD_Result answer_asset(struct MHD_Connection *connection, const struct asset *asset);
enum MHD_Result answer_health(struct MHD_Connection *connection);
enum MHD_Result answer_ready(struct MHD_Connection *connection, const struct figures *figures);
enum MHD_Result answer_metrics(struct MHD_Connection *connection, const struct figures *figures);
enum MHD_Result answer_method_not_allowed(struct MHD_Connection *connection);

/* A line of plain text; static. */
enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text);

#endif
