#include "ui/theme.h"

#include <stdlib.h>
#include <string.h>

#include "ui/ui.h"

/* A colour in the three ways a terminal may want it; -1 everywhere: the default foreground. */
typedef struct color {
    int rgb, palette, eight;
} color;

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };
#define PLAIN                                                                                      \
    {                                                                                              \
        -1, -1, -1                                                                                 \
    }

typedef struct role_row {
    const char *name;
    color color;
    bool bold, dim, underline;
} role_row;

/* Better and worse are blue and orange, never green and red. The ramp is viridis in direct colour
 * and its like among the 256. */
static const role_row role_rows[UI_ROLE_COUNT] = {
    [UI_ROLE_TEXT] = {"text", PLAIN, false, false, false},
    [UI_ROLE_DIM] = {"dim", PLAIN, false, true, false},
    [UI_ROLE_TITLE] = {"title", PLAIN, true, false, false},
    [UI_ROLE_CURSOR] = {"cursor", PLAIN, true, false, false},
    [UI_ROLE_MARK] = {"mark", {0xd7af00, 178, YELLOW}, true, false, false},
    [UI_ROLE_KEY] = {"key", PLAIN, true, false, false},
    [UI_ROLE_BAR] = {"bar", {0x1fa187, 36, CYAN}, false, false, false},
    [UI_ROLE_BETTER] = {"better", {0x00afff, 39, CYAN}, false, false, false},
    [UI_ROLE_WORSE] = {"worse", {0xff8700, 208, YELLOW}, false, false, false},
    [UI_ROLE_WARNING] = {"warning", {0xff8700, 208, YELLOW}, true, false, false},
    [UI_ROLE_ERROR] = {"error", {0xff5f5f, 203, RED}, true, false, false},
    [UI_ROLE_FRAME] = {"frame", PLAIN, false, true, false},
    [UI_ROLE_HEADER] = {"header", PLAIN, false, false, false},
    [UI_ROLE_FOOTER] = {"footer", PLAIN, false, false, false},
    [UI_ROLE_MATCH] = {"match", PLAIN, true, false, true},
    [UI_ROLE_RAMP + 0] = {"ramp0", {0x440154, 53, BLACK}, false, false, false},
    [UI_ROLE_RAMP + 1] = {"ramp1", {0x481a6c, 53, BLACK}, false, false, false},
    [UI_ROLE_RAMP + 2] = {"ramp2", {0x472f7d, 55, BLACK}, false, false, false},
    [UI_ROLE_RAMP + 3] = {"ramp3", {0x414487, 55, BLUE}, false, false, false},
    [UI_ROLE_RAMP + 4] = {"ramp4", {0x39568c, 24, BLUE}, false, false, false},
    [UI_ROLE_RAMP + 5] = {"ramp5", {0x31688e, 24, BLUE}, false, false, false},
    [UI_ROLE_RAMP + 6] = {"ramp6", {0x2a788e, 30, MAGENTA}, false, false, false},
    [UI_ROLE_RAMP + 7] = {"ramp7", {0x23888e, 30, MAGENTA}, false, false, false},
    [UI_ROLE_RAMP + 8] = {"ramp8", {0x1f988b, 36, MAGENTA}, false, false, false},
    [UI_ROLE_RAMP + 9] = {"ramp9", {0x22a884, 36, CYAN}, false, false, false},
    [UI_ROLE_RAMP + 10] = {"ramp10", {0x35b779, 77, CYAN}, false, false, false},
    [UI_ROLE_RAMP + 11] = {"ramp11", {0x54c568, 77, CYAN}, false, false, false},
    [UI_ROLE_RAMP + 12] = {"ramp12", {0x7ad151, 184, YELLOW}, false, false, false},
    [UI_ROLE_RAMP + 13] = {"ramp13", {0xa5db36, 184, YELLOW}, false, false, false},
    [UI_ROLE_RAMP + 14] = {"ramp14", {0xd2e21b, 226, WHITE}, false, false, false},
    [UI_ROLE_RAMP + 15] = {"ramp15", {0xfde725, 226, WHITE}, false, false, false},
};

/* What init.lua changed; the process has one terminal, so there is one theme. */
static struct {
    bool is_set;
    color color;
} overrides[UI_ROLE_COUNT];

/* ---- from one way of naming a colour to the others ---- */

/* xterm's cube has these six levels a channel; its greys run from 8 in steps of 10. */
static const int cube_levels[] = {0, 95, 135, 175, 215, 255};

static int palette_to_rgb(int index)
{
    static const int basic[] = {0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd,
                                0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00,
                                0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff};
    if (index < 16)
        return basic[index];
    if (index >= 232)
        return (8 + 10 * (index - 232)) * 0x010101;
    index -= 16;
    return cube_levels[index / 36] << 16 | cube_levels[index / 6 % 6] << 8 | cube_levels[index % 6];
}

static int distance(int a, int b)
{
    int red = (a >> 16) - (b >> 16), green = (a >> 8 & 255) - (b >> 8 & 255);
    int blue = (a & 255) - (b & 255);
    return red * red + green * green + blue * blue;
}

static int nearest(int rgb, int first, int end)
{
    int best = first;
    for (int i = first + 1; i < end; i++)
        if (distance(rgb, palette_to_rgb(i)) < distance(rgb, palette_to_rgb(best)))
            best = i;
    return best;
}

static color color_of_rgb(int rgb)
{
    return (color){rgb, nearest(rgb, 16, 256), nearest(rgb, 0, 8)};
}

static bool parse_color(const char *text, color *out)
{
    static const char *const names[] = {"black", "red",     "green", "yellow",
                                        "blue",  "magenta", "cyan",  "white"};
    char *end;
    if (strcmp(text, "default") == 0) {
        *out = (color)PLAIN;
        return true;
    }
    for (int i = 0; i < 8; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (color){palette_to_rgb(i), i, i};
            return true;
        }
    }
    if (text[0] == '#' && strlen(text) == 7 && strspn(text + 1, "0123456789abcdefABCDEF") == 6) {
        *out = color_of_rgb((int)strtol(text + 1, &end, 16));
        return true;
    }
    if (!*text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 3)
        return false;
    int index = (int)strtol(text, &end, 10);
    if (index > 255)
        return false;
    *out = (color){palette_to_rgb(index), index,
                   index < 8 ? index : nearest(palette_to_rgb(index), 0, 8)};
    return true;
}

nw_status ui_set_color(const char *role, const char *text, nw_error *err)
{
    color parsed;
    for (int i = 0; i < UI_ROLE_COUNT; i++) {
        if (strcmp(role_rows[i].name, role) != 0)
            continue;
        if (!parse_color(text, &parsed))
            return nw_fail(err, NW_INVALID, role,
                           "no such colour: %s; give #rrggbb, 0 to 255, a name like cyan, or "
                           "default",
                           text);
        overrides[i].is_set = true;
        overrides[i].color = parsed;
        return NW_OK;
    }
    return nw_fail(err, NW_INVALID, role,
                   "no such role; there are text, dim, title, cursor, mark, key, bar, better, "
                   "worse, warning, error, frame, header, footer, match, ramp0 to ramp15");
}

ui_look ui_theme_look(ui_role role, ui_tier tier)
{
    const role_row *row = &role_rows[role];
    ui_look look = {-1, row->bold, row->dim, row->underline, role == UI_ROLE_CURSOR};
    const color *c = overrides[role].is_set ? &overrides[role].color : &row->color;
    if (tier == UI_TIER_8)
        look.color = c->eight;
    else if (tier == UI_TIER_256)
        look.color = c->palette;
    else if (tier == UI_TIER_DIRECT && c->rgb >= 0)
        /* Terminals take the lowest numbers for their palette: a little green keeps clear. */
        look.color = c->rgb < 0x100 ? c->rgb | 0x100 : c->rgb;
    return look;
}
