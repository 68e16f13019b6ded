/*
 * The lists of sites that probers use: the present one, and those before it until the last check of them has ended. Main thread, but
 * for site_generations_release().
 */
#ifndef WEBSENTRY_APP_SITE_GENERATIONS_H
#define WEBSENTRY_APP_SITE_GENERATIONS_H

#include <stddef.h>

struct site;
struct site_generations;
struct site_list;

/* For so many probers. */
struct site_generations *site_generations_create(size_t users);
/* Once no prober is left; accepts NULL. */
void site_generations_destroy(struct site_generations *generations);

/* Take what is in a list, and make it the present one. */
void site_generations_add(struct site_generations *generations, struct site_list *list);
const struct site_list *site_generations_present(const struct site_generations *generations);

/* A prober has done with a list before the present one. Any thread. */
void site_generations_release(struct site_generations *generations, const struct site *sites);

/* Free those that nobody uses any more. */
void site_generations_tidy(struct site_generations *generations);

/* For each site of list, where the one of the same name stands in the present one, or PROBER_NEW_SITE. The caller's to free. */
size_t *site_generations_compare(const struct site_generations *generations,
				 const struct site_list *list, size_t *ret_kept);

#endif
