/* The Layers screen by blocks: sums, notes, the cursor between blocks and kernels, filters, edits.
 *
 * Screens under tests/golden are our own output, read by a person before they were kept; with
 * NASW_WRITE_GOLDEN set they are written anew. All other numbers must agree with each other, or
 * with estimates of the network that is edited as the screen says. */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/estimator.h"
#include "tests/support.h"
#include "tests/support_golden.h"
#include "ui/layers.h"
#include "ui/view.h"

#define N(array) (int)(sizeof(array) / sizeof *(array))

static const ui_view *const view = &ui_view_layers;

/* ---- the view on a session, as it comes up ---- */

typedef struct stage {
    nw_session *session;
    ui_layers *state;
    ui_rect rect;
} stage;

static stage open_blocks(const char *model, int rows, int columns)
{
    stage s = {.state = calloc(1, view->state_size), .rect = {0, 0, rows, columns}};
    nw_session_config config = {.data_path = "hw", .hw = "ne32", .n_workers = 1};
    nw_error err;
    ck_assert_int_eq(nw_session_new(&config, &s.session, &err), NW_OK);
    view->init(s.session, s.state);
    nw_action open = {NW_ACTION_OPEN, -1, model};
    if (model && nw_session_act(s.session, &open, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    view->update(s.session, s.state);
    ck_assert(s.state->is_by_blocks);
    return s;
}

static void close_stage(stage *s)
{
    view->fini(s->state);
    nw_session_free(s->session);
    free(s->state);
}

static void act(stage *s, nw_action_id id, const char *value)
{
    nw_error err;
    nw_action action = {id, -1, value};
    ck_assert_int_eq(nw_session_act(s->session, &action, &err), NW_OK);
    view->update(s->session, s->state);
}

static ui_reply_kind press(stage *s, ui_command command)
{
    return view->command(command, s->rect, s->session, s->state).kind;
}

static char *dump(const stage *s, bool ascii)
{
    ui_canvas canvas;
    ui_canvas_init(&canvas, s->rect.rows, s->rect.columns, ascii);
    view->draw(&canvas, s->rect, s->session, s->state);
    char *text = ui_canvas_dump(&canvas);
    ui_canvas_fini(&canvas);
    return text;
}

static void ck_golden(const stage *s, bool ascii, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "layers_%s", name);
    char *screen = dump(s, ascii);
    ck_golden_screen(path, screen);
    free(screen);
}

/* Rows are those of the terminal less header, message and footer. */
static const struct {
    int rows, columns;
    const char *name;
} sizes[] = {{13, 60, "60x16"}, {21, 80, "80x24"}, {33, 120, "120x36"}, {57, 200, "200x60"}};

START_TEST(blocks_look_as_they_were_accepted)
{
    char name[64];
    stage s = open_blocks("demo", sizes[_i].rows, sizes[_i].columns);
    snprintf(name, sizeof name, "blocks_%s", sizes[_i].name);
    ck_golden(&s, false, name);
    snprintf(name, sizeof name, "blocks_%s_ascii", sizes[_i].name);
    ck_golden(&s, true, name);
    press(&s, UI_COMMAND_DRILL);
    press(&s, UI_COMMAND_DOWN);
    press(&s, UI_COMMAND_DRILL);
    snprintf(name, sizeof name, "blocks_open_%s", sizes[_i].name);
    ck_golden(&s, false, name);
    close_stage(&s);
}
END_TEST

/* ---- blocks ---- */

static const ui_layers_block *block_at(const ui_layers *l, const char *label)
{
    for (int b = 0; b < l->n_blocks; b++)
        if (strcmp(l->blocks[b].label, label) == 0)
            return &l->blocks[b];
    ck_abort_msg("no block %s", label);
    return NULL;
}

static void go_to_block(stage *s, const char *label)
{
    ui_layers *l = s->state;
    for (int i = 0; i < l->n_entries; i++) {
        const ui_layers_row *row = &l->rows[l->entries[i].row];
        if (row->is_block && strcmp(l->blocks[row->block].label, label) == 0) {
            ui_layers_move_to(l, i);
            return;
        }
    }
    ck_abort_msg("no line of block %s", label);
}

static const char *cursor_label(const stage *s)
{
    const ui_layers_row *row = ui_layers_cursor_row(s->state);
    return row->is_block ? s->state->blocks[row->block].label : "a kernel";
}

START_TEST(every_kernel_is_in_one_block_and_blocks_add_up)
{
    stage s = open_blocks("demo", 21, 80);
    const ui_layers *l = s.state;
    const nw_estimate *e = &l->current->estimate;
    ck_assert(ui_layers_by_blocks(l));
    ck_assert_int_eq(l->n_shown, l->n_blocks);
    int64_t ps = 0, macs = 0, n_kernels = 0;
    for (int b = 0; b < l->n_blocks; b++) {
        int64_t of_kernels = 0;
        for (int r = 0; r < l->n_rows; r++)
            if (l->rows[r].block == b)
                of_kernels += e->costs[l->rows[r].kernel].latency_ps;
        ck_assert_int_eq(l->blocks[b].cost.latency_ps, of_kernels);
        ps += l->blocks[b].cost.latency_ps;
        macs += l->blocks[b].cost.macs;
        n_kernels += l->blocks[b].n_kernels;
    }
    ck_assert_int_eq(ps, e->latency_ps - e->overhead_ps);
    ck_assert_int_eq(macs, l->counts.macs);
    ck_assert_int_eq(n_kernels, l->n_rows);
    close_stage(&s);
}
END_TEST

/* block1 of the demo widens 16 channels to 96 and goes down to 24, which is no multiple of the 32
 * lanes that ne32 puts out. */
START_TEST(a_block_says_what_it_is_and_what_is_wrong_with_it)
{
    stage s = open_blocks("demo", 21, 80);
    const ui_layers *l = s.state;
    const ui_layers_block *block = block_at(l, "2.0");
    const ui_layers_row *row = &l->rows[l->n_rows + (int)(block - l->blocks)];
    char map[64];
    ck_assert_str_eq(row->kind, "ibn k3 e6");
    ck_assert_str_eq(row->name, "block1");
    ck_assert_str_eq(ui_layers_map(l, row, true, map, sizeof map), "80x80x24");
    ck_assert_int_eq(block->n_kernels, 3);
    ck_assert_int_eq(block->idle, 8);
    ck_assert_str_eq(row->note, "spill c24!");
    const nw_kernel *slowest = ui_layers_kernel(l, row);
    ck_assert_str_eq(l->current->graph->nodes[slowest->main].name, "block1/expand");
    go_to_block(&s, "2.0");
    ck_assert_int_eq(view->target(s.state), row->kernel);
    char *screen = dump(&s, false);
    ck_assert_ptr_nonnull(strstr(screen, "why 2.0 ibn k3 s2 e6 16->24"));
    free(screen);
    close_stage(&s);
}
END_TEST

START_TEST(the_cursor_goes_along_between_blocks_and_kernels)
{
    stage s = open_blocks("demo", 21, 80);
    go_to_block(&s, "3.0");
    int kernel = view->target(s.state);
    ck_assert_int_eq(press(&s, UI_COMMAND_BLOCKS), UI_REPLY_DONE);
    ck_assert(!ui_layers_cursor_row(s.state)->is_block);
    ck_assert_int_eq(view->target(s.state), kernel); /* its slowest */
    press(&s, UI_COMMAND_BLOCKS);
    ck_assert_str_eq(cursor_label(&s), "3.0");
    press(&s, UI_COMMAND_DRILL);
    press(&s, UI_COMMAND_DOWN);
    press(&s, UI_COMMAND_DOWN); /* its second kernel */
    kernel = view->target(s.state);
    press(&s, UI_COMMAND_BLOCKS);
    ck_assert_int_eq(view->target(s.state), kernel);
    press(&s, UI_COMMAND_BLOCKS);
    ck_assert_int_eq(view->target(s.state), kernel);
    press(&s, UI_COMMAND_LEFT); /* nothing of its own to fold: the block is */
    ck_assert_str_eq(cursor_label(&s), "3.0");
    ck_assert(!ui_layers_cursor_row(s.state)->is_open);
    ck_assert_int_eq(s.state->n_entries, s.state->n_blocks);
    close_stage(&s);
}
END_TEST

START_TEST(an_open_block_lists_its_kernels_in_the_order_of_the_schedule)
{
    stage s = open_blocks("demo", 21, 80);
    const ui_layers *l = s.state;
    go_to_block(&s, "2.0");
    press(&s, UI_COMMAND_DRILL);
    int at = l->cursor;
    static const char *const names[] = {"block1/expand", "block1/depthwise", "block1/project"};
    for (int i = 0; i < N(names); i++)
        ck_assert_str_eq(l->rows[l->entries[at + 1 + i].row].name, names[i]);
    ck_assert(l->rows[l->entries[at + 1 + N(names)].row].is_block);
    ck_assert_int_eq(press(&s, UI_COMMAND_BACK), UI_REPLY_IGNORED); /* nothing to take back here */
    press(&s, UI_COMMAND_DOWN);
    ck_assert_int_eq(press(&s, UI_COMMAND_BACK), UI_REPLY_DONE);
    ck_assert_str_eq(cursor_label(&s), "2.0");
    ck_assert_int_eq(l->n_entries, l->n_blocks);
    close_stage(&s);
}
END_TEST

START_TEST(a_filter_finds_blocks_by_label_kind_and_what_is_inside)
{
    stage s = open_blocks("demo", 21, 80);
    ui_layers *l = s.state;
    int n_arch;
    const nw_block *blocks = nw_arch_blocks(l->current->arch, &n_arch);
    int n_ibn = 0, n_stage_2 = 0, n_behind_2 = 0;
    for (int i = 0; i < n_arch; i++) {
        n_ibn += blocks[i].kind == NW_BLOCK_IBN;
        n_stage_2 += blocks[i].stage == 2;
        n_behind_2 += blocks[i].stage > 2;
    }
    const struct {
        const char *filter;
        int n;
    } cases[] = {{"block=ibn", n_ibn},
                 {"#=2", n_stage_2},
                 {"#=2.1", 1},
                 {"2.1", 1},
                 {"block1/depthwise", 1},
                 {"block=ibn #=2.0", 1},
                 {"us>1k", 2},
                 {"block=ibn kernel=dw", n_ibn},
                 {"#>=2.1 #<3", n_stage_2 - 1},
                 {"note=c24", 2}};
    for (int i = 0; i < N(cases); i++) {
        ui_layers_set_filter(l, cases[i].filter);
        ck_assert_msg(l->n_shown == cases[i].n, "`%s`: %d blocks, not %d", cases[i].filter,
                      l->n_shown, cases[i].n);
    }
    ui_layers_set_filter(l, "#>2");
    int n_without_kernels = n_arch - l->n_blocks;
    ck_assert(l->n_shown <= n_behind_2 && l->n_shown >= n_behind_2 - n_without_kernels);
    ui_layers_set_filter(l, "us>2000");
    char text[200];
    ck_assert_ptr_nonnull(
        strstr(ui_layers_no_match(l, text, sizeof text), "match `us>2000` (maximum 1802.0)"));
    close_stage(&s);
}
END_TEST

START_TEST(what_is_marked_counts_once)
{
    stage s = open_blocks("demo", 33, 200);
    go_to_block(&s, "2.0");
    press(&s, UI_COMMAND_DRILL);
    press(&s, UI_COMMAND_MARK); /* the block, on to its first kernel */
    press(&s, UI_COMMAND_MARK);
    char *screen = dump(&s, false);
    ck_assert_ptr_nonnull(strstr(screen, "1 marked: 1802.0 us"));
    free(screen);
    press(&s, UI_COMMAND_BLOCKS); /* of kernels the one */
    screen = dump(&s, false);
    ck_assert_ptr_nonnull(strstr(screen, "1 marked: 820.4 us"));
    free(screen);
    close_stage(&s);
}
END_TEST

START_TEST(an_edited_block_keeps_cursor_and_place_and_changes_add_up)
{
    stage s = open_blocks("demo", 21, 80);
    act(&s, NW_ACTION_BASELINE, NULL);
    go_to_block(&s, "2.0");
    press(&s, UI_COMMAND_DRILL);
    act(&s, NW_ACTION_EDIT, "variant 2.0 fused");
    const ui_layers *l = s.state;
    ck_assert_str_eq(cursor_label(&s), "2.0");
    ck_assert(ui_layers_cursor_row(l)->is_open);
    ck_assert_str_eq(ui_layers_cursor_row(l)->kind, "fused k3 e6");
    ck_assert_int_eq(l->n_lost_blocks, 0);
    int64_t sum = 0;
    for (int b = 0; b < l->n_blocks; b++) {
        const ui_layers_row *row = &l->rows[l->n_rows + b];
        ck_assert(row->has_delta && !row->is_new);
        sum += row->delta_ps;
    }
    const nw_estimate *now = &l->current->estimate, *base = &l->baseline->estimate;
    ck_assert_int_lt(now->latency_ps, base->latency_ps);
    ck_assert_int_eq(sum,
                     (now->latency_ps - now->overhead_ps) - (base->latency_ps - base->overhead_ps));
    act(&s, NW_ACTION_UNDO, NULL);
    ck_assert_str_eq(ui_layers_cursor_row(l)->kind, "ibn k3 e6");
    close_stage(&s);
}
END_TEST

/* What is said of fusing is what estimating the edited network gives. */
START_TEST(a_block_that_fusing_makes_faster_says_so)
{
    stage s = open_blocks("demo", 33, 120);
    ui_layers *l = s.state;
    const nw_point *point = l->current;
    nw_subject subject = {point->arch, point->hw, point->estimate.estimator, point->precision};
    nw_whatif *list;
    nw_error err;
    ck_assert(!ui_layers_set_whatif(l, NULL));
    ck_assert_int_eq(nw_whatif_new(&subject, NULL, &list, &err), NW_OK);
    ck_assert_int_eq(nw_whatif_run(list, NULL), NW_OK);
    ck_assert(ui_layers_set_whatif(l, list));
    ck_assert(!ui_layers_set_whatif(l, list)); /* nothing new */
    int n_better = 0;
    for (int b = 0; b < l->n_blocks; b++) {
        const ui_layers_block *block = &l->blocks[b];
        const char *note = l->rows[l->n_rows + b].note;
        ck_assert_int_eq(strstr(note, "f?") != NULL, block->n_fuses > 0);
        n_better += block->n_fuses > 0;
    }
    ck_assert_int_gt(n_better, 0);
    const ui_layers_block *block = block_at(l, "2.0");
    nw_edit edit;
    nw_effect effect;
    ck_assert_int_eq(nw_edit_read("variant 2.0 fused", &edit, &err), NW_OK);
    ck_assert_int_eq(nw_effect_of(&subject, &point->estimate, &edit, 1, &effect, NULL, &err),
                     NW_OK);
    ck_assert_int_gt(block->n_fuses, 0);
    ck_assert_int_eq(block->fuses[0].effect.latency_ps, effect.latency_ps);
    ck_assert_int_lt(effect.latency_ps, point->estimate.latency_ps);
    go_to_block(&s, "2.0");
    ck_golden(&s, false, "blocks_whatif_120x36");
    ck_assert(ui_layers_set_whatif(l, NULL));
    ck_assert_int_eq(block->n_fuses, 0);
    nw_whatif_release(list);
    close_stage(&s);
}
END_TEST

START_TEST(a_copied_block_has_a_cell_a_title)
{
    stage s = open_blocks("demo", 21, 80);
    char *text = view->copy(s.session, s.state);
    const char *row = strchr(text, '\n') + 1;
    int titles = 0, cells = 0;
    for (const char *c = text; c < row; c++)
        titles += *c == '\t';
    for (const char *c = row; *c; c++)
        cells += *c == '\t';
    ck_assert_int_eq(titles, cells);
    ck_assert(strncmp(text, "#\tblock\t", 8) == 0);
    const char *start = "2.0\tibn k3 e6\t80x80x24\tblock1\tdram\t";
    ck_assert(strncmp(row, start, strlen(start)) == 0);
    free(text);
    close_stage(&s);
}
END_TEST

static Suite *blocks_suite(void)
{
    Suite *suite = suite_create("blocks");
    TCase *tc = tcase_create("blocks");
    tcase_set_timeout(tc, 60);
    suite_add_tcase(suite, tc);
    tcase_add_loop_test(tc, blocks_look_as_they_were_accepted, 0, N(sizes));
    tcase_add_test(tc, every_kernel_is_in_one_block_and_blocks_add_up);
    tcase_add_test(tc, a_block_says_what_it_is_and_what_is_wrong_with_it);
    tcase_add_test(tc, the_cursor_goes_along_between_blocks_and_kernels);
    tcase_add_test(tc, an_open_block_lists_its_kernels_in_the_order_of_the_schedule);
    tcase_add_test(tc, a_filter_finds_blocks_by_label_kind_and_what_is_inside);
    tcase_add_test(tc, what_is_marked_counts_once);
    tcase_add_test(tc, an_edited_block_keeps_cursor_and_place_and_changes_add_up);
    tcase_add_test(tc, a_block_that_fusing_makes_faster_says_so);
    tcase_add_test(tc, a_copied_block_has_a_cell_a_title);
    return suite;
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    SRunner *runner = srunner_create(blocks_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
