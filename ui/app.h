/* app.h - the state of the frame, private to app.c and frame.c.
 */
#ifndef UI_APP_H
#define UI_APP_H

#include "ui/keys.h"
#include "ui/ui.h"

enum {
    APP_ROWS = 16, /* smallest screen */
    APP_COLUMNS = 60,
    APP_OVERLAYS = 4,
    APP_FOOTER = 24
};

typedef enum screen_id {
    SCREEN_WELCOME,
    SCREEN_LANDSCAPE,
    SCREEN_LAYERS,
    SCREEN_EDIT,
    SCREEN_SPACE,
    SCREEN_LUA,
    SCREEN_COMPARE,
    SCREEN_COUNT
} screen_id;

typedef struct layer {
    const ui_view *view; /* NULL: not there */
    void *state;
    uint64_t version; /* of the session when update was called */
} layer;

typedef struct app {
    nw_session *session;
    const ui_options *options;
    layer screens[SCREEN_COUNT];
    screen_id screen, previous;
    layer overlays[APP_OVERLAYS];
    int n_overlays;
    ui_canvas canvas;

    char note[256]; /* of the frame itself, until the next key */
    bool has_note;
    const char *seen; /* the newest message when a key was last hit; only compared */
    bool asks_quit, leaves;
    int64_t tick_ms; /* when the screen moves by itself; 0: it does not */

    ui_footer_item footer[APP_FOOTER];
    int n_footer;
    struct {
        int column, columns;
    } tabs[SCREEN_COUNT]; /* in the header, for the mouse */
    ui_mouse last_click;
    int64_t last_click_ms;
} app;

ui_rect app_body(const app *a);
bool app_is_too_small(const app *a);
layer *app_top(app *a); /* the overlay in front, or the screen */

/* Lets a layer see the session as it is now. */
void app_update(app *a, layer *l);

/* Draws everything to a->canvas. */
void app_draw(app *a);

#endif
