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
    nw_route route; /* of nasw.route, which never opens it */
    bind_hw *hw;
    const nw_estimator *estimator;
    char *name, *precision;
} bind_landscape;

bind_landscape *bind_check_landscape(lua_State *L, int index); /* open, or raises */
/* The panel that the text at index names; raises where there is none. */
int bind_check_pane(lua_State *L, const bind_landscape *object, int index);
/* {c3 = 16, c4 = 192} */
void bind_push_landscape_point(lua_State *L, const bind_landscape *object, int x, int y);

/* The option `metric` of the table at index 3; raises "landscape: there is no ..." for others. */
nw_metric bind_check_metric(lua_State *L, const char *function);
/* Pushes an object that keeps the hardware at index 2, with that much memory outside Lua; NULL:
 * over the limit. */
bind_landscape *bind_new_landscape(lua_State *L, int64_t n_bytes);
/* Around long work: begin pushes a text and watches conditions in Lua; go_on (an nw_progress, its
 * context the work) says whether the script may go on; end pops the text, and raises what stopped
 * the work or went wrong in a condition. */
typedef struct bind_landscape_work {
    lua_engine *engine;
    bind_stop stop;
    nw_buf *problem;
} bind_landscape_work;
bind_landscape_work bind_landscape_begin(lua_State *L);
bool bind_landscape_go_on(void *context, const char *what, double done);
void bind_landscape_end(lua_State *L, const bind_landscape_work *work);

/* ---- routes (bind_route.c) ---- */
int bind_find_route(lua_State *L); /* nasw.route */

/* ---- terrains (bind_terrain.c) ---- */
void bind_push_figures(lua_State *L, const nw_figures *figures);
int bind_find_figures(lua_State *L);  /* nasw.figures */
int bind_landscape_map(lua_State *L); /* landscape:map */

#endif
