/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The list of root types (types.list): what the header must contain.
 *
 *	# comment, to the end of the line
 *	struct NAME			the whole struct, all members
 *	struct NAME { pid tgid comm }	these members only; a name inside an anonymous struct or
 *					union member counts as a member of NAME
 *	union NAME ...			the same
 *	enum NAME			always whole
 *	enum { ENUMERATOR }		the anonymous enums that have such an enumerator
 *	typedef NAME
 *
 * NAME may be a glob pattern (fnmatch) where no members follow, ENUMERATOR as well. A type that is
 * reached by value from a listed one comes along whole, unless it is listed itself.
 */
#ifndef VG_LIST_H
#define VG_LIST_H

#include <stdbool.h>
#include <stddef.h>

enum vg_class {
	VG_STRUCT,
	VG_UNION,
	VG_ENUM,
	VG_TYPEDEF,
	VG_OTHER,
};

struct vg_want {
	enum vg_class class;
	char *name;	    /* NULL: anonymous enum, known by members[0] */
	bool trimmed;	    /* a member selection was given */
	bool found;	    /* some kernel has the type */
	char **members;	    /* sorted, unique */
	bool *member_found; /* some kernel has the member */
	size_t nr_members;
	int line; /* where it stands in the list */
};

struct vg_list {
	struct vg_want *wants; /* sorted by class, then name; anonymous enums first */
	size_t nr;
};

/*
 * Parse the text of a list. On error returns -EINVAL (syntax, a type listed twice) or -ENOMEM, and
 * leaves a message in err. The list is the caller's: vg_list_free().
 */
int vg_list_parse(const char *text, struct vg_list *list, char *err, size_t err_size);

/* The same, from a file; also -errno of open and read. */
int vg_list_read(const char *path, struct vg_list *list, char *err, size_t err_size);

void vg_list_free(struct vg_list *list);

/* The member selection for a type, or NULL where the type is not listed by its plain name. */
struct vg_want *vg_list_find(const struct vg_list *list, enum vg_class class, const char *name);

/* True if want selects the member; without a selection (or without a want) it selects them all. */
bool vg_want_member(const struct vg_want *want, const char *member);

/* Note that some kernel has the member. */
void vg_want_note(struct vg_want *want, const char *member);

/* The C keyword of a class. */
const char *vg_class_name(enum vg_class class);

#endif
