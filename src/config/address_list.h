/* Addresses and blocks as people write them after each other. Internal to config/; main thread. */
#ifndef WEBSENTRY_CONFIG_ADDRESS_LIST_H
#define WEBSENTRY_CONFIG_ADDRESS_LIST_H

struct address_policy;
struct error;
struct settings;

/* Deny all of "10.0.0.0/8, 192.0.2.1". 0, or -1 with ERROR_REJECT and the first that is none, the policy half done. */
int address_list_deny(struct address_policy *policy, const char *text, struct error *err);

/* What the settings say for all sites, one user of it the caller's; NULL where that is as usual. */
struct address_policy *address_list_of_settings(const struct settings *settings);

#endif
