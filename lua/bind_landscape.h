/* bind_landscape.h - between the files of nasw.landscape.
 */
#ifndef LUA_BIND_LANDSCAPE_H
#define LUA_BIND_LANDSCAPE_H

#include "lua/bind.h"
#include "src/landscape/landscape.h"

/* User value 1 keeps the hardware. */
typedef struct bind_landscape {
    bind_holder holder;
    bool is_open;
    nw_survey survey;
    bind_hw *hw;
    const nw_estimator *estimator;
    char *name, *precision;
} bind_landscape;

bind_landscape *bind_check_landscape(lua_State *L, int index); /* open, or raises */
/* The panel that the text at index names; raises where there is none. */
int bind_check_pane(lua_State *L, const bind_landscape *object, int index);
/* {c3 = 16, c4 = 192} */
void bind_push_landscape_point(lua_State *L, const bind_landscape *object, int x, int y);

/* ---- terrains (bind_terrain.c) ---- */
void bind_push_figures(lua_State *L, const nw_figures *figures);
int bind_find_figures(lua_State *L);  /* nasw.figures */
int bind_landscape_map(lua_State *L); /* landscape:map */

#endif
