/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Colours, patterns and words of the picture, the same in SVG and HTML. The colours of the classes
 * begin at those of Okabe and Ito (2008) and were moved apart until readers with any kind of colour
 * blindness can tell each from each, in light and dark (a test computes it); each verdict has a
 * pattern and a short name besides, so that nothing hangs on colour alone.
 */
#ifndef KVMSCHED_PALETTE_H
#define KVMSCHED_PALETTE_H

#include "analyze.h"
#include "vnuma.h"

enum ks_pattern {
	KS_P_SOLID,
	KS_P_RISING,  /* / */
	KS_P_FALLING, /* \ */
	KS_P_VERTICAL,
	KS_P_HORIZONTAL,
	KS_P_DOTS,
	KS_P_CROSS,
	KS_P_MAX,
};

struct ks_paint {
	const char *code;		  /* short, printed in bars */
	const char *words;		  /* in the legend */
	const char *light, *dark;	  /* colours of the light and the dark picture */
	const char *ink_light, *ink_dark; /* text on top of them */
	enum ks_pattern pattern;
};

/* By class: verdicts of waits, classes of PLE exits. */
extern const struct ks_paint ks_class_paint[KS_C_MAX];

/* By state: light and dark are the tint of the lane. */
extern const struct ks_paint ks_state_paint[KS_V_GONE];
/* The strong colour of the same states, for the strip. */
extern const char *const ks_state_strip[KS_V_GONE][2];

/*
 * Nodes of the host, by number; more than there are have the colours of the first again. They are
 * those of the classes, which can be told apart: no picture has both.
 */
#define KS_NODE_PAINTS 8
const struct ks_paint *ks_node_paint(unsigned int node);

/* Who moved a thread of the guest, by KS_MOVE_*: the colour of its line, and its dashes for SVG. */
struct ks_line {
	const char *code, *words;
	const char *light, *dark, *dashes;
};
extern const struct ks_line ks_move_line[KS_VN_CAUSES];

#endif /* KVMSCHED_PALETTE_H */
