/* theme.h - what a role looks like on a terminal with few or many colours.
 */
#ifndef UI_THEME_H
#define UI_THEME_H

#include <stdbool.h>

#include "ui/canvas.h"

typedef enum ui_tier {
    UI_TIER_NONE,  /* bold, reverse and underline only */
    UI_TIER_8,     /* 8 and 16 colours */
    UI_TIER_256,   /* the xterm palette */
    UI_TIER_DIRECT /* a colour number is 0xRRGGBB */
} ui_tier;

typedef struct ui_look {
    int color; /* the terminal's number; -1: the default foreground */
    bool bold, dim, underline, reverse;
} ui_look;

ui_look ui_theme_look(ui_role role, ui_tier tier);

#endif
