/* The edit screen: what keys do to the network under the cursor, what is shown of it. Numbers are
 * checked against the estimates they come from; screens under tests/golden are our own output, read
 * by a person before they were kept. With NASW_WRITE_GOLDEN set they are written anew. */
#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "src/report/report.h"
#include "tests/support.h"
#include "tests/support_golden.h"
#include "tests/support_term.h"
#include "ui/edit.h"
#include "ui/view.h"

/* Rows are those of the terminal less header, message and footer. */
static const struct {
    int rows, columns;
    const char *name;
} sizes[] = {{13, 60, "60x16"}, {21, 80, "80x24"}, {33, 120, "120x36"}, {57, 200, "200x60"}};

typedef struct stage {
    nw_session *session;
    ui_editor *editor;
    ui_rect rect;
    ui_canvas canvas;
    char why[256]; /* of the last refusal */
} stage;

static const ui_view *const view = &ui_view_edit;

static stage open_stage(int rows, int columns, bool ascii)
{
    stage s = {.rect = {0, 0, rows, columns}};
    nw_session_config config = {.data_path = "hw", .hw = "ne32", .n_workers = 1};
    nw_action open = {NW_ACTION_OPEN, -1, "demo"};
    nw_error err;
    ck_assert_int_eq(nw_session_new(&config, &s.session, &err), NW_OK);
    ck_assert_int_eq(nw_session_act(s.session, &open, &err), NW_OK);
    s.editor = calloc(1, view->state_size);
    view->init(s.session, s.editor);
    view->update(s.session, s.editor);
    ui_canvas_init(&s.canvas, rows, columns, ascii);
    return s;
}

static void close_stage(stage *s)
{
    view->fini(s->editor);
    free(s->editor);
    nw_session_free(s->session);
    ui_canvas_fini(&s->canvas);
}

/* What the frame does with a reply. */
static nw_status obey(stage *s, ui_reply reply)
{
    nw_error err;
    nw_status status = NW_OK;
    if (reply.kind == UI_REPLY_ACTION)
        status = nw_session_act(s->session, &reply.action, &err);
    view->update(s->session, s->editor);
    return status;
}

/* An action by its key. */
static nw_status hit(stage *s, nw_action_id id)
{
    ui_reply reply = view->act(id, s->why, sizeof s->why, s->editor);
    if (reply.kind == UI_REPLY_REFUSED)
        return NW_INVALID;
    if (reply.kind == UI_REPLY_IGNORED)
        reply = (ui_reply){UI_REPLY_ACTION, {id, view->target(s->editor), NULL}, UI_COMMAND_NONE};
    return obey(s, reply);
}

static void press(stage *s, ui_command command)
{
    ui_reply reply = view->command(command, s->rect, s->session, s->editor);
    ck_assert_int_ne(reply.kind, UI_REPLY_IGNORED);
    ck_assert_int_eq(obey(s, reply), NW_OK);
}

static const ui_editor_row *row_of(const stage *s, const char *label)
{
    for (int i = 0; i < s->editor->n_rows; i++)
        if (strcmp(s->editor->rows[i].label, label) == 0)
            return &s->editor->rows[i];
    return NULL;
}

/* The first stage of that kind; the cursor is on it. */
static const ui_editor_row *go_to_kind(stage *s, nw_block_kind kind)
{
    press(s, UI_COMMAND_TOP);
    for (int i = 0; i < s->editor->n_rows; i++) {
        const ui_editor_row *row = ui_editor_row_at_cursor(s->editor);
        if (row->block && row->block->kind == kind)
            return row;
        press(s, UI_COMMAND_DOWN);
    }
    ck_abort_msg("no stage %s", nw_block_kind_name(kind));
}

static void go_to_column(stage *s, ui_editor_column column)
{
    while (s->editor->column < column)
        press(s, UI_COMMAND_RIGHT);
    while (s->editor->column > column)
        press(s, UI_COMMAND_LEFT);
}

/* The screen; the caller frees it. */
static char *dump(stage *s)
{
    view->update(s->session, s->editor);
    ui_canvas_clear(&s->canvas);
    view->draw(&s->canvas, s->rect, s->session, s->editor);
    return ui_canvas_dump(&s->canvas);
}

static void ck_screen(stage *s, const char *part, bool is_there)
{
    char *screen = dump(s);
    bool found = strstr(screen, part) != NULL;
    if (found != is_there)
        printf("%s\n", screen);
    ck_assert_msg(found == is_there, "'%s' is%s on the screen", part, found ? "" : " not");
    free(screen);
}

static void wait_for_whatifs(stage *s)
{
    view->work(s->session, s->editor);
    for (int i = 0; i < 3000; i++) {
        struct pollfd poller = {.fd = nw_session_wake_fd(s->session), .events = POLLIN};
        const nw_whatif *list = nw_session_whatif(s->session);
        if (list && nw_whatif_n_ready(list) == nw_whatif_n(list))
            break;
        poll(&poller, 1, 20);
        nw_session_poll(s->session);
    }
    view->update(s->session, s->editor);
    ck_assert_int_gt(s->editor->n_whatif, 0);
    ck_assert_int_eq(s->editor->n_ready, s->editor->n_whatif);
}

static int64_t latency(const stage *s)
{
    return nw_session_current(s->session)->estimate.latency_ps;
}

static void ck_golden(stage *s, const char *name)
{
    char *screen = dump(s);
    ck_golden_screen(name, screen);
    free(screen);
}

/* ---- keys ---- */

START_TEST(an_edit_by_key_changes_the_row_and_the_totals_and_undo_brings_the_screen_back)
{
    char label[24], time[32];
    stage s = open_stage(33, 120, true);
    snprintf(label, sizeof label, "%s", go_to_kind(&s, NW_BLOCK_IBN)->label);
    char *before = dump(&s);
    int64_t was = latency(&s);
    ck_assert_int_eq(hit(&s, NW_ACTION_FUSE), NW_OK);
    const ui_editor_row *row = row_of(&s, label);
    ck_assert_int_eq(row->block->kind, NW_BLOCK_FUSED);
    ck_assert(row->is_edited && row->has_delta);
    ck_assert_str_eq(ui_editor_row_at_cursor(s.editor)->label, label);
    ck_screen(&s, nw_format_time(latency(&s), time, sizeof time), true);
    ck_screen(&s, "1 edit", true);
    ck_assert_int_ne(latency(&s), was);
    ck_assert_int_eq(hit(&s, NW_ACTION_UNDO), NW_OK);
    char *after = dump(&s);
    /* the head counts what can be undone and done again */
    const char *head = strstr(before, " stage "), *same = strstr(after, " stage ");
    ck_assert_str_eq(head, same);
    ck_assert_int_eq(latency(&s), was);
    free(before);
    free(after);
    close_stage(&s);
}
END_TEST

START_TEST(deltas_of_the_rows_add_up_to_that_of_the_network)
{
    stage s = open_stage(33, 120, true);
    int64_t was = latency(&s), sum = 0;
    go_to_kind(&s, NW_BLOCK_IBN);
    go_to_column(&s, UI_EDITOR_CHAN); /* which the next stage reads */
    ck_assert_int_eq(hit(&s, NW_ACTION_MORE), NW_OK);
    ck_assert_int_eq(hit(&s, NW_ACTION_MORE), NW_OK);
    int n_changed = 0;
    for (int i = 0; i < s.editor->n_rows; i++) {
        sum += s.editor->rows[i].delta_ps;
        n_changed += s.editor->rows[i].delta_ps != 0;
    }
    ck_assert_int_ge(n_changed, 2);
    ck_assert_int_eq(sum, latency(&s) - was);
    close_stage(&s);
}
END_TEST

enum { N_FREE_CELLS = 5 };

START_TEST(every_cell_goes_up_and_back_by_its_keys)
{
    /* the stride would change the sizes of the demo's outputs */
    static const ui_editor_column columns[N_FREE_CELLS] = {
        UI_EDITOR_TYPE, UI_EDITOR_REP, UI_EDITOR_KERNEL, UI_EDITOR_EXP, UI_EDITOR_CHAN};
    ui_editor_column column = columns[_i];
    char label[24], cell[16];
    stage s = open_stage(33, 120, true);
    snprintf(label, sizeof label, "%s", go_to_kind(&s, NW_BLOCK_IBN)->label);
    go_to_column(&s, column);
    snprintf(cell, sizeof cell, "%s", row_of(&s, label)->cells[column]);
    ck_assert_int_eq(hit(&s, NW_ACTION_MORE), NW_OK);
    ck_assert_str_ne(row_of(&s, label)->cells[column], cell);
    if (column == UI_EDITOR_CHAN) /* channels move on the hardware's grid */
        ck_assert_int_eq(row_of(&s, label)->channels % s.editor->step, 0);
    else
        ck_assert_int_eq(hit(&s, NW_ACTION_LESS), NW_OK);
    if (column != UI_EDITOR_CHAN)
        ck_assert_str_eq(row_of(&s, label)->cells[column], cell);
    close_stage(&s);
}
END_TEST

START_TEST(a_refused_edit_says_why_and_changes_nothing)
{
    int n;
    stage s = open_stage(21, 80, true);
    go_to_kind(&s, NW_BLOCK_IBN);
    go_to_column(&s, UI_EDITOR_STRIDE);
    char *before = dump(&s);
    ck_assert_int_ne(hit(&s, NW_ACTION_MORE), NW_OK); /* stride 3 */
    const nw_message *messages = nw_session_messages(s.session, &n);
    ck_assert_int_eq(messages[n - 1].kind, NW_MESSAGE_ERROR);
    ck_assert_ptr_nonnull(strstr(messages[n - 1].text, "stride"));
    char *after = dump(&s);
    ck_assert_str_eq(before, after);
    free(before);
    free(after);
    close_stage(&s);
}
END_TEST

START_TEST(a_step_below_the_first_one_is_refused)
{
    stage s = open_stage(21, 80, true);
    go_to_kind(&s, NW_BLOCK_DSEP);
    go_to_column(&s, UI_EDITOR_CHAN);
    ck_assert_int_lt(ui_editor_row_at_cursor(s.editor)->channels, s.editor->step + 1);
    ck_assert_int_eq(hit(&s, NW_ACTION_LESS), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(s.why, "step"));
    close_stage(&s);
}
END_TEST

START_TEST(the_only_block_of_a_stage_stays)
{
    int n;
    stage s = open_stage(21, 80, true);
    const ui_editor_row *row = go_to_kind(&s, NW_BLOCK_DSEP);
    ck_assert_int_eq(ui_editor_depth(s.editor, row->stage), 1);
    ck_assert_int_eq(hit(&s, NW_ACTION_DROP), NW_INVALID);
    const nw_message *messages = nw_session_messages(s.session, &n);
    ck_assert_ptr_nonnull(strstr(messages[n - 1].text, "one block, which stays"));
    go_to_column(&s, UI_EDITOR_REP);
    ck_assert_int_eq(hit(&s, NW_ACTION_LESS), NW_INVALID);
    close_stage(&s);
}
END_TEST

START_TEST(the_prompt_begins_with_the_cell)
{
    char line[128];
    stage s = open_stage(21, 80, true);
    const ui_editor_row *row = go_to_kind(&s, NW_BLOCK_IBN);
    char expected[64];
    go_to_column(&s, UI_EDITOR_CHAN);
    snprintf(expected, sizeof expected, "channels %s %lld", row->label, (long long)row->channels);
    view->suggest(NW_ACTION_EDIT, s.editor, line, sizeof line);
    ck_assert_str_eq(line, expected);
    nw_edit edit;
    for (int i = 0; i < UI_EDITOR_N_CELLS; i++) { /* each is an edit as it stands */
        go_to_column(&s, (ui_editor_column)i);
        view->suggest(NW_ACTION_EDIT, s.editor, line, sizeof line);
        ck_assert_int_eq(nw_edit_read(line, &edit, NULL), NW_OK);
    }
    view->suggest(NW_ACTION_OPEN, s.editor, line, sizeof line);
    ck_assert_str_eq(line, "");
    close_stage(&s);
}
END_TEST

START_TEST(a_stage_opens_into_its_blocks_and_the_cursor_stays_by_label)
{
    char label[24], block[32];
    stage s = open_stage(33, 120, true);
    int n = s.editor->n_rows;
    snprintf(label, sizeof label, "%s", go_to_kind(&s, NW_BLOCK_IBN)->label);
    int depth = ui_editor_depth(s.editor, atoi(label));
    press(&s, UI_COMMAND_DRILL);
    ck_assert_int_eq(s.editor->n_rows, n + depth);
    press(&s, UI_COMMAND_DOWN);
    snprintf(block, sizeof block, "%s.0", label);
    ck_assert_str_eq(ui_editor_row_at_cursor(s.editor)->label, block);
    ck_assert_int_eq(hit(&s, NW_ACTION_FUSE), NW_OK); /* this block alone */
    ck_assert_int_eq(row_of(&s, block)->block->kind, NW_BLOCK_FUSED);
    ck_assert_str_eq(ui_editor_row_at_cursor(s.editor)->label, block);
    if (depth > 1) {
        snprintf(block, sizeof block, "%s.1", label);
        ck_assert_int_eq(row_of(&s, block)->block->kind, NW_BLOCK_IBN);
    }
    press(&s, UI_COMMAND_BACK);
    ck_assert_str_eq(ui_editor_row_at_cursor(s.editor)->label, label);
    ck_assert_int_eq(s.editor->n_rows, n);
    close_stage(&s);
}
END_TEST

/* ---- panes ---- */

START_TEST(a_what_if_says_what_doing_it_gives)
{
    stage s = open_stage(33, 120, true);
    wait_for_whatifs(&s);
    int64_t was = latency(&s);
    press(&s, UI_COMMAND_NEXT_PANE);
    press(&s, UI_COMMAND_DOWN);
    ck_assert_int_eq(s.editor->pane_cursor, 1);
    nw_effect promised = s.editor->whatif[1].effect;
    char label[96];
    snprintf(label, sizeof label, "%s", s.editor->whatif[1].label);
    ck_screen(&s, label, true);
    press(&s, UI_COMMAND_DRILL);
    ck_assert_int_eq(latency(&s), was + promised.latency.latency_ps);
    ck_assert_int_eq(s.editor->n_edits, 1);
    ck_assert(s.editor->is_whatif_old); /* until those of this network come in nothing is taken */
    press(&s, UI_COMMAND_DRILL);
    ck_assert_int_eq(s.editor->n_edits, 1);
    press(&s, UI_COMMAND_BACK);
    ck_assert(!s.editor->is_pane_focused);
    close_stage(&s);
}
END_TEST

START_TEST(the_best_next_edit_is_the_first_of_the_list)
{
    char best[160], time[40];
    stage s = open_stage(21, 80, true);
    wait_for_whatifs(&s);
    const nw_whatif_row *first = &s.editor->whatif[0];
    for (int i = 1; i < s.editor->n_done; i++)
        ck_assert_int_ge(s.editor->whatif[i].effect.latency_ps, first->effect.latency_ps);
    ck_assert_int_lt(first->effect.latency.latency_ps, 0);
    snprintf(best, sizeof best, "best next: %s %s", first->label,
             nw_format_signed(nw_format_time, first->effect.latency.latency_ps, time, sizeof time));
    ck_screen(&s, best, true);
    close_stage(&s);
}
END_TEST

START_TEST(prices_of_alignment_are_shown_then_taken_or_left)
{
    stage s = open_stage(21, 80, true);
    const ui_editor_row *row = go_to_kind(&s, NW_BLOCK_IBN);
    char label[24];
    snprintf(label, sizeof label, "%s", row->label);
    int64_t was = latency(&s);
    ck_assert_int_eq(hit(&s, NW_ACTION_ALIGN), NW_OK);
    ck_assert(s.editor->is_pricing);
    ck_screen(&s, "align: prices", true);
    ck_screen(&s, "nearest", !s.editor->align.is_aligned);
    press(&s, UI_COMMAND_BACK);
    ck_screen(&s, "align: prices", false);
    ck_assert_int_eq(latency(&s), was);
    ck_assert_int_eq(hit(&s, NW_ACTION_ALIGN), NW_OK);
    bool goes_up = s.editor->takes_up;
    if (s.editor->align.up.is_possible && s.editor->align.down.is_possible) {
        ck_assert_int_eq(hit(&s, NW_ACTION_ALIGN), NW_OK);
        ck_assert_int_ne(s.editor->takes_up, goes_up);
    }
    const nw_align_price *price = s.editor->takes_up ? &s.editor->align.up : &s.editor->align.down;
    int64_t n = price->n, gain = price->effect.latency.latency_ps;
    press(&s, UI_COMMAND_DRILL);
    ck_assert_int_eq(row_of(&s, label)->channels, n);
    ck_assert_int_eq(latency(&s), was + gain);
    ck_screen(&s, "align: prices", false);
    close_stage(&s);
}
END_TEST

START_TEST(advice_is_on_the_block_under_the_cursor_and_is_followed)
{
    stage s = open_stage(33, 120, true);
    go_to_kind(&s, NW_BLOCK_IBN);
    while (s.editor->pane != UI_EDITOR_ADVICE)
        press(&s, UI_COMMAND_PANE_VIEW);
    ck_assert_ptr_nonnull(s.editor->advice);
    char label[16], block[16];
    snprintf(block, sizeof block, "%s", s.editor->advice->label);
    ck_assert_str_eq(block,
                     nw_block_label(ui_editor_row_at_cursor(s.editor)->block, label, sizeof label));
    ck_screen(&s, s.editor->advice->items[0].label, true);
    press(&s, UI_COMMAND_DOWN);
    ck_assert_str_ne(s.editor->advice->label, block);
    press(&s, UI_COMMAND_UP);
    const nw_advice_item *item = &s.editor->advice->items[0];
    ck_assert_int_ne(item->verdict, NW_ADVICE_REFUSED);
    int64_t expected = latency(&s) + item->effect.latency.latency_ps;
    press(&s, UI_COMMAND_NEXT_PANE);
    press(&s, UI_COMMAND_DRILL);
    ck_assert_int_eq(latency(&s), expected);
    close_stage(&s);
}
END_TEST

START_TEST(history_holds_the_edits_and_what_they_brought)
{
    char before[32], after[32], change[96];
    stage s = open_stage(33, 120, true);
    nw_format_time(latency(&s), before, sizeof before);
    go_to_kind(&s, NW_BLOCK_IBN);
    ck_assert_int_eq(hit(&s, NW_ACTION_FUSE), NW_OK);
    nw_format_time(latency(&s), after, sizeof after);
    snprintf(change, sizeof change, "%s -> %s", before, after);
    ck_screen(&s, change, true);
    ck_screen(&s, "as opened", true);
    ck_assert_int_eq(s.editor->n_steps, 2);
    ck_assert_int_eq(hit(&s, NW_ACTION_UNDO), NW_OK);
    ck_assert_int_eq(s.editor->n_steps, 1);
    close_stage(&s);
}
END_TEST

/* ---- previews ---- */

static void *open_preview(stage *s, nw_action_id id)
{
    void *state = calloc(1, ui_view_recipe.state_size);
    ui_context context = {.below = view, .below_state = s->editor, .asked = id, .target = -1};
    ck_assert(!ui_view_recipe.enter(&context, s->session, state));
    return state;
}

static void close_preview(void *state)
{
    ui_view_recipe.fini(state);
    free(state);
}

START_TEST(a_preview_does_what_the_action_does_or_nothing)
{
    static const nw_action_id ids[] = {NW_ACTION_FUSE_ALL, NW_ACTION_ALIGN_ALL};
    stage s = open_stage(33, 120, true);
    int64_t was = latency(&s);
    void *state = open_preview(&s, ids[_i]);
    ui_reply reply = ui_view_recipe.command(UI_COMMAND_BACK, s.rect, s.session, state);
    ck_assert_int_eq(reply.kind, UI_REPLY_CLOSE);
    ui_canvas_clear(&s.canvas);
    ui_view_recipe.draw(&s.canvas, s.rect, s.session, state);
    char *screen = ui_canvas_dump(&s.canvas);
    ck_assert_ptr_nonnull(strstr(screen, "nothing is done yet"));
    ck_assert_int_eq(latency(&s), was);
    reply = ui_view_recipe.command(UI_COMMAND_DRILL, s.rect, s.session, state);
    nw_action plain = {ids[_i], -1, NULL};
    if (reply.kind == UI_REPLY_CLOSE) { /* nothing helps: the action says so too */
        ck_assert_int_eq(nw_session_act(s.session, &plain, NULL), NW_INVALID);
    } else {
        ck_assert_int_eq(obey(&s, reply), NW_OK);
        ck_assert_ptr_nonnull(strstr(screen, "together -"));
        int64_t previewed = latency(&s);
        ck_assert_int_lt(previewed, was);
        ck_assert_int_eq(hit(&s, NW_ACTION_UNDO), NW_OK);
        ck_assert_int_eq(nw_session_act(s.session, &plain, NULL), NW_OK);
        ck_assert_int_eq(latency(&s), previewed);
    }
    free(screen);
    close_preview(state);
    close_stage(&s);
}
END_TEST

/* ---- in a terminal ---- */

START_TEST(the_keys_of_the_screen_do_what_its_footer_says)
{
    static const char *const environment[] = {"TERM=xterm-256color", "LANG=C.UTF-8", NULL};
    const char *const words[] = {nasw_program(), "demo", NULL};
    terminal *t = terminal_start(36, 120, environment, words);
    ck_assert(terminal_wait_for(t, "Layers]"));
    terminal_send(t, "4jk");
    ck_assert(terminal_wait_for(t, "[4 Edit]"));
    ck_assert(terminal_wait_gone(t, "does nothing"));
    ck_assert(terminal_wait_for(t, "impossible")); /* every what-if was tried */
    terminal_send(t, "F");
    ck_assert(terminal_wait_for(t, "nothing is done yet"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "nothing is done yet"));
    terminal_send(t, "jjf");
    ck_assert(terminal_wait_for(t, "1 edit"));
    terminal_send(t, "u");
    ck_assert(terminal_wait_gone(t, "1 edit"));
    terminal_send(t, "++"); /* in one go: each from what the one before it left */
    ck_assert(terminal_wait_for(t, "2 edits"));
    terminal_send(t, "uu");
    ck_assert(terminal_wait_gone(t, "edits"));
    terminal_send(t, "=");
    ck_assert(terminal_wait_for(t, "edit: channels 2"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "edit: channels 2"));
    terminal_send(t, "a");
    ck_assert(terminal_wait_for(t, "align: prices"));
    terminal_send(t, "\033");
    ck_assert(terminal_wait_gone(t, "align: prices"));
    terminal_send(t, "q");
    ck_assert_int_eq(terminal_finish(t), 0);
    terminal_free(t);
}
END_TEST

/* ---- screens ---- */

static void edit_some(stage *s)
{
    go_to_kind(s, NW_BLOCK_IBN);
    ck_assert_int_eq(hit(s, NW_ACTION_FUSE), NW_OK);
    press(s, UI_COMMAND_DRILL);
    press(s, UI_COMMAND_DOWN);
    go_to_column(s, UI_EDITOR_KERNEL);
    ck_assert_int_eq(hit(s, NW_ACTION_MORE), NW_OK);
    wait_for_whatifs(s);
}

START_TEST(screens_are_as_they_were_read)
{
    for (int ascii = 0; ascii < 2; ascii++) {
        char name[64];
        const char *end = ascii ? "_ascii" : "";
        stage s = open_stage(sizes[_i].rows, sizes[_i].columns, ascii != 0);
        wait_for_whatifs(&s);
        snprintf(name, sizeof name, "edit_demo_%s%s", sizes[_i].name, end);
        ck_golden(&s, name);
        edit_some(&s);
        snprintf(name, sizeof name, "edit_edited_%s%s", sizes[_i].name, end);
        ck_golden(&s, name);
        close_stage(&s);
    }
}
END_TEST

START_TEST(panes_are_as_they_were_read)
{
    char name[64];
    stage s = open_stage(sizes[_i].rows, sizes[_i].columns, false);
    edit_some(&s);
    hit(&s, NW_ACTION_ALIGN);
    snprintf(name, sizeof name, "edit_prices_%s", sizes[_i].name);
    ck_golden(&s, name);
    press(&s, UI_COMMAND_BACK);
    static const char *const panes[] = {"whatif", "advice", "history"};
    for (int i = 0; i < 3; i++) {
        while ((int)s.editor->pane != i)
            press(&s, UI_COMMAND_PANE_VIEW);
        snprintf(name, sizeof name, "edit_%s_%s", panes[i], sizes[_i].name);
        ck_golden(&s, name);
    }
    close_stage(&s);
}
END_TEST

START_TEST(nothing_is_open_and_the_screen_says_how)
{
    nw_session *session;
    nw_session_config config = {.data_path = "hw", .hw = "ne32", .n_workers = 1};
    ck_assert_int_eq(nw_session_new(&config, &session, NULL), NW_OK);
    ui_editor *editor = calloc(1, view->state_size);
    ui_canvas canvas;
    ui_rect rect = {0, 0, 21, 80};
    view->init(session, editor);
    view->work(session, editor);
    view->update(session, editor);
    ui_canvas_init(&canvas, 21, 80, true);
    view->draw(&canvas, rect, session, editor);
    char *screen = ui_canvas_dump(&canvas);
    ck_assert_ptr_nonnull(strstr(screen, "No model is open"));
    char why[64];
    ck_assert_int_eq(view->act(NW_ACTION_FUSE, why, sizeof why, editor).kind, UI_REPLY_IGNORED);
    ui_reply reply = view->command(UI_COMMAND_DRILL, rect, session, editor);
    ck_assert_int_eq(reply.action.id, NW_ACTION_OPEN);
    ck_assert_ptr_null(view->copy(session, editor));
    free(screen);
    view->fini(editor);
    free(editor);
    ui_canvas_fini(&canvas);
    nw_session_free(session);
}
END_TEST

int main(void)
{
    const int n_sizes = (int)(sizeof sizes / sizeof *sizes);
    Suite *suite = suite_create("ui_edit");
    TCase *tcase = tcase_create("ui_edit");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase,
                   an_edit_by_key_changes_the_row_and_the_totals_and_undo_brings_the_screen_back);
    tcase_add_test(tcase, deltas_of_the_rows_add_up_to_that_of_the_network);
    tcase_add_loop_test(tcase, every_cell_goes_up_and_back_by_its_keys, 0, N_FREE_CELLS);
    tcase_add_test(tcase, a_refused_edit_says_why_and_changes_nothing);
    tcase_add_test(tcase, a_step_below_the_first_one_is_refused);
    tcase_add_test(tcase, the_only_block_of_a_stage_stays);
    tcase_add_test(tcase, the_prompt_begins_with_the_cell);
    tcase_add_test(tcase, a_stage_opens_into_its_blocks_and_the_cursor_stays_by_label);
    tcase_add_test(tcase, a_what_if_says_what_doing_it_gives);
    tcase_add_test(tcase, the_best_next_edit_is_the_first_of_the_list);
    tcase_add_test(tcase, prices_of_alignment_are_shown_then_taken_or_left);
    tcase_add_test(tcase, advice_is_on_the_block_under_the_cursor_and_is_followed);
    tcase_add_test(tcase, history_holds_the_edits_and_what_they_brought);
    tcase_add_loop_test(tcase, a_preview_does_what_the_action_does_or_nothing, 0, 2);
    tcase_add_test(tcase, the_keys_of_the_screen_do_what_its_footer_says);
    tcase_add_loop_test(tcase, screens_are_as_they_were_read, 0, n_sizes);
    tcase_add_loop_test(tcase, panes_are_as_they_were_read, 0, n_sizes);
    tcase_add_test(tcase, nothing_is_open_and_the_screen_says_how);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
