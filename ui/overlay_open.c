/* overlay_open.c - asks for the value of an action: a path above all, with completion and history.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/base/arena.h"
#include "ui/view.h"
#include "ui/widget.h"

enum { MAX_CANDIDATES = 500, BOX_ROWS = 16, BOX_COLUMNS = 100 };

typedef struct open_state {
    nw_action_id asked;
    int target;
    ui_edit edit;
    char value[UI_EDIT_BYTES];
    char error[600];
    char **candidates; /* after Tab */
    int n_candidates;
} open_state;

/* ---- candidates ---- */

static void drop_candidates(open_state *o)
{
    for (int i = 0; i < o->n_candidates; i++)
        free(o->candidates[i]);
    free(o->candidates);
    o->candidates = NULL;
    o->n_candidates = 0;
}

static void add_candidate(open_state *o, const char *text, const char *ending)
{
    if (o->n_candidates == MAX_CANDIDATES)
        return;
    if (!o->candidates)
        o->candidates = nw_alloc(MAX_CANDIDATES * sizeof *o->candidates);
    size_t size = strlen(text) + strlen(ending) + 1;
    char *copy = nw_alloc(size);
    snprintf(copy, size, "%s%s", text, ending);
    o->candidates[o->n_candidates++] = copy;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "~/x" with the home folder in place of the tilde. */
static void expand(const char *typed, char *out, size_t size)
{
    const char *home = getenv("HOME");
    if (typed[0] == '~' && typed[1] == '/' && home)
        snprintf(out, size, "%s%s", home, typed + 1);
    else
        snprintf(out, size, "%s", typed);
}

/* Names in the folder being typed that begin as typed; they replace what stands behind its last
 * slash. */
static void complete_path(open_state *o, size_t from)
{
    char folder[UI_EDIT_BYTES], typed[UI_EDIT_BYTES], path[2 * UI_EDIT_BYTES];
    const char *prefix = o->edit.text + from;
    snprintf(typed, sizeof typed, "%.*s", (int)from, o->edit.text);
    expand(typed, folder, sizeof folder);
    DIR *entries = opendir(folder[0] ? folder : ".");
    if (!entries)
        return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        struct stat info;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            (entry->d_name[0] == '.' && prefix[0] != '.'))
            continue;
        snprintf(path, sizeof path, "%s%s", folder, entry->d_name);
        bool is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
        add_candidate(o, entry->d_name, is_folder ? "/" : "");
    }
    closedir(entries);
}

static void complete_names(open_state *o, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strncmp(names[i], o->edit.text, o->edit.length) == 0)
            add_candidate(o, names[i], "");
}

static size_t common_length(const open_state *o)
{
    size_t length = strlen(o->candidates[0]);
    for (int i = 1; i < o->n_candidates; i++)
        while (strncmp(o->candidates[0], o->candidates[i], length) != 0)
            length--;
    while (length > 0 && ((unsigned char)o->candidates[0][length] & 0xc0) == 0x80)
        length--;
    return length;
}

static void complete(open_state *o, const nw_session *session)
{
    static const char *const precisions[] = {"file", "float16", "float32", "int16", "int8"};
    static const char *const estimators[] = {"device"};
    size_t from = 0;
    int n;
    drop_candidates(o);
    o->edit.caret = o->edit.length;
    switch (nw_action_def_of(o->asked)->value) {
    case NW_VALUE_PATH: {
        const char *slash = strrchr(o->edit.text, '/');
        from = slash ? (size_t)(slash + 1 - o->edit.text) : 0;
        complete_path(o, from);
        break;
    }
    case NW_VALUE_HW: {
        const char *const *names = nw_session_hw_names(session, &n);
        complete_names(o, names, n);
        break;
    }
    case NW_VALUE_PRECISION:
        complete_names(o, precisions, 5);
        break;
    case NW_VALUE_ESTIMATOR:
        complete_names(o, estimators, 1);
        break;
    default:
        break;
    }
    if (o->n_candidates == 0) {
        snprintf(o->error, sizeof o->error, "nothing begins like this");
        return;
    }
    qsort(o->candidates, (size_t)o->n_candidates, sizeof *o->candidates, by_name);
    char common[UI_EDIT_BYTES];
    snprintf(common, sizeof common, "%.*s", (int)common_length(o), o->candidates[0]);
    ui_edit_replace(&o->edit, from, common);
    if (o->n_candidates == 1)
        drop_candidates(o);
}

/* ---- the view ---- */

static bool enter(const ui_context *context, const nw_session *session, void *state)
{
    open_state *o = state;
    (void)session;
    o->asked = context->asked;
    o->target = context->target;
    if (context->below && context->below->suggest) {
        char line[UI_EDIT_BYTES];
        context->below->suggest(o->asked, context->below_state, line, sizeof line);
        ui_edit_set(&o->edit, line);
    }
    return false;
}

static void fini(void *state)
{
    drop_candidates(state);
}

/* Columns of names, as many as there is room for. */
static void draw_candidates(ui_canvas *canvas, ui_rect in, const open_state *o)
{
    int width = 12;
    for (int i = 0; i < o->n_candidates; i++) {
        int columns = ui_text_columns(o->candidates[i]) + 2;
        width = columns > width ? columns : width;
    }
    width = width > in.columns ? in.columns : width;
    int per_row = in.columns / width, room = per_row * in.rows;
    for (int i = 0; i < o->n_candidates && i < room; i++)
        ui_text(canvas, in.row + i / per_row, in.column + i % per_row * width, width - 1,
                UI_ROLE_TEXT, o->candidates[i]);
    if (o->n_candidates > room)
        ui_printf(canvas, in.row + in.rows - 1, in.column, in.columns, UI_ROLE_DIM,
                  "%d names, the first are shown                        ", o->n_candidates);
}

static void draw_history(ui_canvas *canvas, ui_rect in, const open_state *o,
                         const nw_session *session)
{
    int n;
    const char *const *lines = nw_session_history(session, nw_action_def_of(o->asked)->name, &n);
    if (n == 0)
        return;
    ui_text(canvas, in.row, in.column, in.columns, UI_ROLE_DIM, "before (Up):");
    for (int i = 0; i < n && i < in.rows - 1; i++)
        ui_text(canvas, in.row + 1 + i, in.column, in.columns,
                o->edit.history == i + 1 ? UI_ROLE_TITLE : UI_ROLE_TEXT, lines[n - 1 - i]);
}

static void draw(ui_canvas *canvas, ui_rect rect, const nw_session *session, const void *state)
{
    const open_state *o = state;
    const nw_action_def *def = nw_action_def_of(o->asked);
    ui_rect in = ui_box(canvas, ui_box_rect(rect, BOX_ROWS, BOX_COLUMNS), def->help);
    int used = ui_printf(canvas, in.row, in.column, in.columns, UI_ROLE_KEY, "%s: ", def->name);
    ui_edit_draw(canvas, in.row, in.column + used, in.columns - used, &o->edit);
    ui_rect below = {in.row + 4, in.column, in.rows - 4, in.columns};
    if (o->error[0])
        ui_text_wrapped(canvas, (ui_rect){in.row + 1, in.column, 3, in.columns}, UI_ROLE_ERROR,
                        o->error);
    else
        ui_text(canvas, in.row + 1, in.column, in.columns, UI_ROLE_DIM,
                "Enter takes it, Tab completes, Up: what was typed before");
    if (o->n_candidates)
        draw_candidates(canvas, below, o);
    else
        draw_history(canvas, below, o, session);
}

/* What was typed or dropped here, as a value: terminals quote the paths that are dropped on them.
 */
static void take_value(open_state *o)
{
    char typed[UI_EDIT_BYTES];
    const char *start = o->edit.text + strspn(o->edit.text, " ");
    size_t length = strlen(start);
    while (length > 0 && start[length - 1] == ' ')
        length--;
    if (length > 2 && (start[0] == '\'' || start[0] == '"') && start[length - 1] == start[0]) {
        start++;
        length -= 2;
    }
    if (length > 7 && strncmp(start, "file://", 7) == 0) {
        start += 7;
        length -= 7;
    }
    snprintf(typed, sizeof typed, "%.*s", (int)length, start);
    if (nw_action_def_of(o->asked)->value == NW_VALUE_PATH)
        expand(typed, o->value, sizeof o->value);
    else
        snprintf(o->value, sizeof o->value, "%s", typed);
}

static ui_reply command(ui_command id, ui_rect rect, const nw_session *session, void *state)
{
    open_state *o = state;
    (void)rect;
    switch (id) {
    case UI_COMMAND_BACK:
        return (ui_reply){.kind = UI_REPLY_CLOSE};
    case UI_COMMAND_NEXT_PANE:
        o->error[0] = '\0';
        complete(o, session);
        return (ui_reply){.kind = UI_REPLY_DONE};
    case UI_COMMAND_UP:
    case UI_COMMAND_DOWN:
        drop_candidates(o);
        ui_edit_history(&o->edit, session, nw_action_def_of(o->asked)->name,
                        id == UI_COMMAND_UP ? 1 : -1);
        return (ui_reply){.kind = UI_REPLY_DONE};
    case UI_COMMAND_DRILL:
        take_value(o);
        if (!o->value[0]) {
            snprintf(o->error, sizeof o->error, "type something, or Esc to leave");
            return (ui_reply){.kind = UI_REPLY_DONE};
        }
        return (ui_reply){UI_REPLY_ACTION, {o->asked, o->target, o->value}, UI_COMMAND_NONE};
    default:
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    }
}

static bool takes_text(const void *state)
{
    (void)state;
    return true;
}

static ui_reply key(int pressed, ui_rect rect, const nw_session *session, void *state)
{
    open_state *o = state;
    (void)rect, (void)session;
    if (!ui_edit_key(&o->edit, pressed))
        return (ui_reply){.kind = UI_REPLY_IGNORED};
    drop_candidates(o);
    o->error[0] = '\0';
    return (ui_reply){.kind = UI_REPLY_DONE};
}

static void failed(const nw_error *err, void *state)
{
    open_state *o = state;
    snprintf(o->error, sizeof o->error, "%s%s%s", err->where, err->where[0] ? ": " : "",
             err->message);
}

static bool answers(ui_command id, const void *state)
{
    (void)state;
    return id == UI_COMMAND_BACK || id == UI_COMMAND_NEXT_PANE || id == UI_COMMAND_UP ||
           id == UI_COMMAND_DOWN || id == UI_COMMAND_DRILL;
}

static const char *const footer[] = {"drill=take it", "pane.next=complete", "up=earlier", "back",
                                     NULL};

const ui_view ui_view_open = {
    .name = "Prompt",
    .short_name = "Prompt",
    .help = "a value for an action: Enter takes it, Tab completes",
    .state_size = sizeof(open_state),
    .fini = fini,
    .draw = draw,
    .command = command,
    .takes_text = takes_text,
    .key = key,
    .footer = footer,
    .enter = enter,
    .answers = answers,
    .failed = failed,
};
