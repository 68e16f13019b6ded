/*
 * Whether what a pattern matched in the beginning of a text it matches whatever follows there. Most parts of a pattern either take bytes
 * that are there or do not match. Only some do what they do because a text ends:
 *
 *   $ \b \Z and their like         stand before what is no longer there
 *   a*+ (?>…) \R \X                take all that they can, once: with more behind it, it may be more
 *   (?!…) (?<!…) (?(…)…), and      are true or not as a whole, by whatever is tried within;
 *   (?=…) before references back   and what was found there is found once
 *
 * These are found in the pattern's text, and watched in a search that tells of each of its steps: one that came to the end of the text
 * does not match. What matches nevertheless does not depend on the end. Pure; any thread.
 */
#ifndef WEBSENTRY_PATTERN_PATTERN_ENDS_H
#define WEBSENTRY_PATTERN_PATTERN_ENDS_H

#include <stdbool.h>
#include <stddef.h>

enum { PATTERN_ENDS_MAX = 32 };

/* A part of a pattern's text, the outermost where they lie within one another. */
struct pattern_end {
	size_t begin;
	size_t end;        /* behind its quantifier */
	size_t far;        /* bytes beyond where it is that a step within it may look at unseen */
	bool minds_before; /* what it stands before decides: $ \b */
	bool minds_after;  /* how far it got: a*+ */
	bool minds_lines;  /* the end of a last line counts as that of the text: $ */
	bool is_repeated;  /* a group that may follow itself */
};

struct pattern_ends {
	bool may_matter; /* whether a text ends, to this pattern */
	bool are_told;   /* all parts are known; not with (?x), recursion, verbs and a few more */
	bool look_far;   /* some may, behind what the pattern matches */
	size_t count;
	struct pattern_end parts[PATTERN_ENDS_MAX];
};

/* has_references: the pattern has some back. */
void pattern_ends_find(const char *text, bool has_references, struct pattern_ends *ret_ends);

/* A search that is watched; zero at its beginning but for the first three. */
struct pattern_ends_watch {
	const struct pattern_ends *ends;
	const char *bytes;
	size_t length;
	const struct pattern_end *part; /* that it is in */
	bool has_met_end;
	size_t steps_in_vain; /* within it, since it has met the end: it is to fail whatever they find */
};

/* The search, at bytes[at], comes to what stands at place in the pattern. True where it must not go on from there. */
bool pattern_ends_watch_step(struct pattern_ends_watch *watch, size_t place, size_t at);

#endif
