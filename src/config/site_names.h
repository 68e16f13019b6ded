/* A name for every site, each once. Internal to config/; main thread. */
#ifndef WEBSENTRY_CONFIG_SITE_NAMES_H
#define WEBSENTRY_CONFIG_SITE_NAMES_H

struct problems;
struct site_list;
struct site_names;

struct site_names *site_names_create(void);
void site_names_destroy(struct site_names *names);

/* Where the next site of the list was found; line 0: no file. */
void site_names_note(struct site_names *names, const char *file, int line, int column);

/* Refuse names that were chosen twice; give default names to the others, with a warning where one has to be numbered. */
void site_names_give(struct site_names *names, struct site_list *list, struct problems *problems);

#endif
