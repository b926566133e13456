/* The Layers screen: its rows, the filter's language, sorting, the cursor, and screens as text.
 *
 * Screens under tests/golden are our own output, read by a person before they were kept; with
 * NASW_WRITE_GOLDEN set they are written anew. All other expectations are hand-made: costs are set
 * in the tests, or the numbers must agree with each other. */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "src/estimator/estimator.h"
#include "tests/support.h"
#include "tests/support_golden.h"
#include "tests/support_net.h"
#include "ui/layers.h"
#include "ui/view.h"

#define N(array) (int)(sizeof(array) / sizeof *(array))

static const ui_view *const view = &ui_view_layers;

/* ---- a small network with costs set by hand ---- */

/* conv 100 us, dwconv 219 us, conv 10 us, add 20 us, softmax of unknown cost. */
typedef struct fixture {
    nw_graph *graph;
    nw_hw *hw;
    nw_point point;
    ui_layers layers;
} fixture;

enum { CONV, DEPTHWISE, POINTWISE, ADD, SOFTMAX, N_KERNELS };

static const double fixture_us[N_KERNELS] = {100, 219, 10, 20, 0};
static const char *const fixture_names[N_KERNELS] = {"net/b1/stem", "net/b1/dw", "net/b2/proj",
                                                     "net/b2/add", "net/head"};

static nw_hw *load_hw(const char *name)
{
    nw_error err;
    nw_hw *hw = NULL;
    if (nw_hw_load(name, "hw", &hw, &err) != NW_OK)
        ck_abort_msg("%s: %s", err.where, err.message);
    return hw;
}

static void set_costs(fixture *f)
{
    static const nw_bound bounds[N_KERNELS] = {NW_BOUND_COMPUTE, NW_BOUND_DRAM, NW_BOUND_COMPUTE,
                                               NW_BOUND_SRAM, NW_BOUND_COMPUTE};
    nw_estimate *e = &f->point.estimate;
    ck_assert_int_eq(e->kernels->n_kernels, N_KERNELS);
    e->latency_ps = 0;
    for (int i = 0; i < N_KERNELS; i++) {
        e->costs[i].latency_ps = (int64_t)(fixture_us[i] * 1e6);
        e->costs[i].bound = bounds[i];
        e->costs[i].utilisation = 0.1 * i;
        e->costs[i].is_known = i != SOFTMAX;
        e->latency_ps += e->costs[i].latency_ps;
    }
    e->n_unknown = 1;
}

static void set_up(fixture *f, const char *const *names)
{
    memset(f, 0, sizeof *f);
    net n = net_begin(8, 8, 16, NW_DTYPE_INT8);
    net_conv(&n, 32, 3, 3, 1, 1, NW_ACT_NONE);
    net_depthwise(&n, 3, 1, NW_ACT_NONE);
    nw_tensor_id skip = n.at;
    net_conv(&n, 32, 1, 1, 1, 1, NW_ACT_NONE);
    net_unary(&n, NW_OP_RELU);
    net_add(&n, skip, NW_ACT_NONE);
    net_softmax(&n);
    static const int node_of[N_KERNELS] = {0, 1, 2, 4, 5};
    for (int i = 0; i < N_KERNELS; i++)
        n.graph->nodes[node_of[i]].name = nw_graph_strdup(n.graph, names[i]);
    f->graph = net_end(&n);
    f->hw = load_hw("ne32");
    f->hw->fusion.conv_add = false;
    f->point = (nw_point){
        .model = "net", .label = "net", .graph = f->graph, .hw = f->hw, .precision = "file"};
    nw_error err;
    ck_assert_int_eq(
        nw_estimate_graph(nw_estimator_device(), f->graph, f->hw, "file", &f->point.estimate, &err),
        NW_OK);
    set_costs(f);
    ui_layers_init(&f->layers);
    ui_layers_set(&f->layers, &f->point, NULL);
}

static void tear_down(fixture *f)
{
    ui_layers_fini(&f->layers);
    nw_estimate_fini(&f->point.estimate);
    nw_graph_free(f->graph);
    nw_hw_free(f->hw);
}

/* The kernels shown, in order, as "1 0 3 2". */
static const char *shown(const ui_layers *layers, char *dst, size_t size)
{
    size_t used = 0;
    dst[0] = '\0';
    for (int i = 0; i < layers->n_entries; i++)
        if (layers->entries[i].op < 0)
            used += (size_t)snprintf(dst + used, size - used, "%s%d", used ? " " : "",
                                     layers->rows[layers->entries[i].row].kernel);
    return dst;
}

#define ck_shown(layers, expected)                                                                 \
    do {                                                                                           \
        char text_[128];                                                                           \
        ck_assert_str_eq(shown(layers, text_, sizeof text_), expected);                            \
    } while (0)

/* ---- filter ---- */

START_TEST(a_filter_keeps_what_holds_all_its_terms)
{
    static const struct {
        const char *filter, *kernels; /* in network order */
    } cases[] = {
        {"", "0 1 2 3 4"},
        {"us>10", "0 1 3"},
        {"us>=10", "0 1 2 3"},
        {"us<20", "2"},
        {"us=219", "1"},
        {"us!=219", "0 2 3"},
        {"us=?", "4"},
        {"us!=?", "0 1 2 3"},
        {"bound=dram", "1"},
        {"bound=comp", "0 2"},
        {"bound!=dram", "0 2 3 4"},
        {"type=conv", "0 2"},
        {"type=dwconv", "1"},
        {"type=dw", "1"},
        {"type!=dw", "0 2 3 4"},
        {"kernel=act", "2"},
        {"b1", "0 1"},
        {"B1", "0 1"},
        {"dwconv", "1"},
        {"net us>10", "0 1 3"},
        {"name=b2", "2 3"},
        {"b1 bound=dram", "1"},
        {"#>=3", "3 4"},
        {"util<15", "0 1"},
        {"us>0.1k", "1"},
        {"%>50", "1"},
        {"  b1   dw ", "1"},
        {"us>900", ""},
        {"nothing", ""},
    };
    fixture f;
    set_up(&f, fixture_names);
    f.layers.sort = UI_LAYERS_NUMBER;
    for (int i = 0; i < N(cases); i++) {
        char text[128];
        ui_layers_set_filter(&f.layers, cases[i].filter);
        ck_assert_msg(strcmp(shown(&f.layers, text, sizeof text), cases[i].kernels) == 0,
                      "`%s`: %s, not %s", cases[i].filter, text, cases[i].kernels);
        ck_assert_str_eq(f.layers.filter.problem, "");
    }
    tear_down(&f);
}
END_TEST

START_TEST(a_broken_term_says_why_and_hides_nothing)
{
    static const struct {
        const char *filter, *says;
    } cases[] = {
        {"us>", "a value is missing"},   {"us>abc", "no number"},
        {"us>1x", "no number"},          {"us>nan", "no number"},
        {"us>1e999", "no number"},       {"foo=1", "no column \"foo\""},
        {"bound>dram", "bound is text"}, {"=3", "no column"},
        {"us>0x10", "no number"},        {"a a a a a a a a a", "more than"},
    };
    fixture f;
    set_up(&f, fixture_names);
    for (int i = 0; i < N(cases) - 1; i++) {
        ui_layers_set_filter(&f.layers, cases[i].filter);
        ck_assert_msg(strstr(f.layers.filter.problem, cases[i].says) != NULL, "`%s`: \"%s\"",
                      cases[i].filter, f.layers.filter.problem);
        ck_assert_int_eq(f.layers.n_shown, N_KERNELS);
    }
    ui_layers_set_filter(&f.layers, cases[N(cases) - 1].filter);
    ck_assert_ptr_nonnull(strstr(f.layers.filter.problem, "more than 8 terms"));
    tear_down(&f);
}
END_TEST

START_TEST(a_filter_without_matches_names_the_largest_value)
{
    fixture f;
    char text[300];
    set_up(&f, fixture_names);
    ui_layers_set_filter(&f.layers, "us>900");
    ck_assert_str_eq(ui_layers_no_match(&f.layers, text, sizeof text),
                     "0 of 5 match `us>900` (maximum 219.0). Esc clears.");
    ui_layers_set_filter(&f.layers, "us<10");
    ck_assert_str_eq(ui_layers_no_match(&f.layers, text, sizeof text),
                     "0 of 5 match `us<10` (minimum 10.0). Esc clears.");
    ui_layers_set_filter(&f.layers, "zebra us>10"); /* the text is to blame */
    ck_assert_str_eq(ui_layers_no_match(&f.layers, text, sizeof text),
                     "0 of 5 match `zebra us>10`. Esc clears.");
    tear_down(&f);
}
END_TEST

/* ---- sorting ---- */

START_TEST(unknown_costs_come_first_and_ties_stay_in_network_order)
{
    fixture f;
    set_up(&f, fixture_names);
    ck_shown(&f.layers, "4 1 0 3 2");
    f.layers.is_flipped = true;
    ui_layers_refresh(&f.layers);
    ck_shown(&f.layers, "4 2 3 0 1");
    f.layers.sort = UI_LAYERS_BOUND; /* compute twice: 0 before 2 both ways */
    ui_layers_refresh(&f.layers);
    ck_shown(&f.layers, "4 3 1 0 2");
    f.layers.is_flipped = false;
    ui_layers_refresh(&f.layers);
    ck_shown(&f.layers, "4 0 2 1 3");
    f.layers.sort = UI_LAYERS_UTIL; /* the sum has no products: last both ways */
    ui_layers_refresh(&f.layers);
    ck_shown(&f.layers, "4 2 1 0 3");
    f.layers.is_flipped = true;
    ui_layers_refresh(&f.layers);
    ck_shown(&f.layers, "4 0 1 2 3");
    tear_down(&f);
}
END_TEST

START_TEST(keys_reach_every_column_and_network_order_is_one_to_the_left)
{
    fixture f;
    set_up(&f, fixture_names);
    ck_assert_int_eq(f.layers.sort, UI_LAYERS_SHARE);
    ck_assert_int_eq(ui_layers_next_sort(&f.layers, -1), UI_LAYERS_NUMBER);
    bool seen[UI_LAYERS_COLUMN_COUNT] = {false};
    for (int i = 0; i < UI_LAYERS_COLUMN_COUNT; i++) {
        f.layers.sort = ui_layers_next_sort(&f.layers, 1);
        ui_layers_refresh(&f.layers);
        ck_assert_int_eq(f.layers.n_shown, N_KERNELS);
        seen[f.layers.sort] = true;
    }
    for (int c = 0; c < UI_LAYERS_COLUMN_COUNT; c++)
        ck_assert_int_eq(seen[c], c != UI_LAYERS_DELTA); /* there is no baseline */
    tear_down(&f);
}
END_TEST

/* ---- cursor ---- */

static int cursor_kernel(const ui_layers *layers)
{
    return ui_layers_cursor_row(layers)->kernel;
}

START_TEST(the_cursor_stays_on_its_kernel)
{
    fixture f;
    set_up(&f, fixture_names);
    ui_layers_move_to(&f.layers, 2);
    ck_assert_int_eq(cursor_kernel(&f.layers), CONV);
    f.layers.sort = UI_LAYERS_NUMBER;
    ui_layers_refresh(&f.layers);
    ck_assert_int_eq(cursor_kernel(&f.layers), CONV);
    ui_layers_set_filter(&f.layers, "b1");
    ck_assert_int_eq(cursor_kernel(&f.layers), CONV);
    ui_layers_set_filter(&f.layers, "b2"); /* hides it for a while */
    ck_assert_int_ne(cursor_kernel(&f.layers), CONV);
    ui_layers_set_filter(&f.layers, "");
    ck_assert_int_eq(cursor_kernel(&f.layers), CONV);
    tear_down(&f);
}
END_TEST

START_TEST(marks_and_open_rows_survive_other_hardware_and_another_copy_of_the_network)
{
    fixture f, g;
    set_up(&f, fixture_names);
    set_up(&g, fixture_names);
    ui_layers_move_to(&f.layers, 3);
    ck_assert_int_eq(cursor_kernel(&f.layers), ADD);
    f.layers.rows[CONV].is_marked = true;
    ui_layers_open(&f.layers, true);
    ck_assert_int_eq(f.layers.n_entries, N_KERNELS + 1);
    ui_layers_set(&f.layers, &g.point, &f.point); /* another graph: by name */
    ck_assert_int_eq(cursor_kernel(&f.layers), ADD);
    ck_assert(f.layers.rows[CONV].is_marked && f.layers.rows[ADD].is_open);
    ck_assert_int_eq(f.layers.n_entries, N_KERNELS + 1);
    for (int r = 0; r < N_KERNELS; r++) {
        ck_assert_int_eq(f.layers.rows[r].has_delta, r != SOFTMAX);
        ck_assert_int_eq(f.layers.rows[r].delta_ps, 0);
    }
    ui_layers_set(&f.layers, NULL, NULL);
    tear_down(&f);
    tear_down(&g);
}
END_TEST

/* ---- names ---- */

START_TEST(names_from_files_cannot_reach_the_terminal_raw)
{
    static const char *const names[N_KERNELS] = {"a\x1b[31mb", "tab\there",
                                                 "\xe4\xb8\xad\xe6\x96\x87", "bad\xff", ""};
    fixture f;
    set_up(&f, names);
    f.layers.sort = UI_LAYERS_NUMBER;
    ui_layers_refresh(&f.layers);
    ck_assert_str_eq(f.layers.rows[0].name, "a\\x1b[31mb");
    ck_assert_str_eq(f.layers.rows[1].name, "tab\\x09here");
    ck_assert_str_eq(f.layers.rows[2].name, "\\u4e2d\\u6587"); /* two cells wide each */
    ck_assert_str_eq(f.layers.rows[3].name, "bad\\xff");
    char *copied = ui_layers_copy(&f.layers);
    ck_assert_ptr_nonnull(copied);
    for (const char *c = copied; *c; c++)
        ck_assert((unsigned char)*c >= ' ' || *c == '\t' || *c == '\n');
    free(copied);
    tear_down(&f);
}
END_TEST

START_TEST(cut_names_stay_apart)
{
    fixture f;
    set_up(&f, fixture_names);
    const char *brief[] = {"b1/stem", "b1/dw", "b2/proj", "b2/add", "head"}; /* without "net/" */
    char text[64], again[64];
    for (int r = 0; r < N_KERNELS; r++)
        ck_assert_str_eq(f.layers.rows[r].brief, brief[r]);
    for (int columns = 5; columns < 10; columns++)
        for (int r = 0; r < N_KERNELS; r++)
            for (int q = 0; q < r; q++)
                ck_assert_str_ne(
                    ui_layers_fit_name(&f.layers, brief[r], columns, text, sizeof text),
                    ui_layers_fit_name(&f.layers, brief[q], columns, again, sizeof again));
    ck_assert_str_eq(ui_layers_fit_words("spill 3.1 MiB at 4 B/cycle", 14, text, sizeof text),
                     "spill 3.1 MiB…");
    ck_assert_str_eq(ui_layers_fit_words("spill 3.1 MiB at 4 B/cycle", 10, text, sizeof text),
                     "spill…"); /* no number without its unit */
    tear_down(&f);
}
END_TEST

/* ---- the view on a session ---- */

typedef struct stage {
    nw_session *session;
    ui_layers *state;
    ui_rect rect;
} stage;

/* Every kernel by itself. */
static stage open_stage(const char *model, int rows, int columns)
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
    ui_layers_switch(s.state, false);
    return s;
}

/* As the screen comes up: by blocks. */
static stage open_blocks(const char *model, int rows, int columns)
{
    stage s = open_stage(model, rows, columns);
    ui_layers_switch(s.state, true);
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

static void type(stage *s, const char *text)
{
    press(s, UI_COMMAND_FILTER);
    ck_assert(view->takes_text(s->state));
    for (; *text; text++)
        view->key(*text, s->rect, s->session, s->state);
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

START_TEST(the_demo_looks_as_it_was_accepted)
{
    char name[64];
    stage s = open_stage("demo", sizes[_i].rows, sizes[_i].columns);
    snprintf(name, sizeof name, "demo_%s", sizes[_i].name);
    ck_golden(&s, false, name);
    snprintf(name, sizeof name, "demo_%s_ascii", sizes[_i].name);
    ck_golden(&s, true, name);
    act(&s, NW_ACTION_HW, "u65-512");
    press(&s, UI_COMMAND_MARK);
    press(&s, UI_COMMAND_DRILL);
    snprintf(name, sizeof name, "demo_baseline_%s", sizes[_i].name);
    ck_golden(&s, false, name);
    close_stage(&s);
}
END_TEST

START_TEST(a_real_model_looks_as_it_was_accepted)
{
    const char *path = shared_path("models/tv_ssdlite320_mobilenet_v3_large_2cls.onnx");
    if (!path)
        return;
    char name[64];
    stage s = open_stage(path, sizes[_i].rows, sizes[_i].columns);
    snprintf(name, sizeof name, "ssdlite_%s", sizes[_i].name);
    ck_golden(&s, false, name);
    close_stage(&s);
}
END_TEST

/* Every column it names is one a term may use; at 60 columns the examples give way. */
START_TEST(an_empty_filter_says_which_columns_there_are)
{
    char columns[128], term[64], *rest;
    ui_layers_filter filter;
    stage s = open_stage("demo", 21, 80);
    ui_layers_filter_columns(columns, sizeof columns);
    type(&s, "");
    char *wide = dump(&s, false);
    ck_assert_ptr_nonnull(strstr(wide, "/_  kernel name us % util bound "));
    ck_assert_ptr_nonnull(strstr(wide, "  us>10 kernel=dw\n"));
    s.rect = (ui_rect){0, 0, 13, 60};
    char *narrow = dump(&s, false);
    ck_assert_ptr_nonnull(strstr(narrow, columns));
    for (char *at = strtok_r(columns, " ", &rest); at; at = strtok_r(NULL, " ", &rest)) {
        snprintf(term, sizeof term, "%s=1", at);
        ui_layers_parse_filter(term, &filter);
        ck_assert_str_eq(filter.problem, "");
    }
    free(wide);
    free(narrow);
    close_stage(&s);
}
END_TEST

START_TEST(panes_below_take_turns_on_a_narrow_screen)
{
    stage s = open_stage("demo", 21, 80);
    press(&s, UI_COMMAND_PANE_VIEW);
    ck_golden(&s, false, "roofline_80x24");
    press(&s, UI_COMMAND_PANE_VIEW);
    ck_golden(&s, false, "memory_80x24");
    press(&s, UI_COMMAND_PANE_VIEW);
    ck_assert_int_eq(s.state->pane, 0);
    close_stage(&s);
}
END_TEST

START_TEST(no_size_of_screen_is_too_small)
{
    stage s = _i ? open_blocks("demo", 13, 60) : open_stage("demo", 13, 60);
    press(&s, UI_COMMAND_DRILL);
    for (int rows = 0; rows < 40; rows += 3)
        for (int columns = 0; columns < 130; columns += 7) {
            s.rect = (ui_rect){0, 0, rows, columns};
            press(&s, UI_COMMAND_PANE_VIEW);
            press(&s, UI_COMMAND_PAGE_DOWN);
            free(dump(&s, columns % 2));
        }
    close_stage(&s);
}
END_TEST

START_TEST(changes_of_kernels_add_up_to_the_change_of_the_network)
{
    stage s = open_stage("demo", 33, 120);
    act(&s, NW_ACTION_HW, "u65-512");
    const ui_layers *l = s.state;
    ck_assert_ptr_nonnull(l->baseline);
    ck_assert_int_eq(l->n_lost, 0);
    int64_t sum = 0;
    for (int r = 0; r < l->n_rows; r++)
        sum += l->rows[r].delta_ps;
    const nw_estimate *now = &l->current->estimate, *base = &l->baseline->estimate;
    ck_assert_int_eq(sum,
                     (now->latency_ps - now->overhead_ps) - (base->latency_ps - base->overhead_ps));
    close_stage(&s);
}
END_TEST

START_TEST(the_cursor_follows_its_kernel_to_other_hardware)
{
    stage s = open_stage("demo", 21, 80);
    for (int i = 0; i < 7; i++)
        press(&s, UI_COMMAND_DOWN);
    char name[128];
    snprintf(name, sizeof name, "%s", ui_layers_cursor_row(s.state)->name);
    act(&s, NW_ACTION_HW, "u65-512");
    ck_assert_str_eq(ui_layers_cursor_row(s.state)->name, name);
    act(&s, NW_ACTION_UNDO, NULL);
    ck_assert_str_eq(ui_layers_cursor_row(s.state)->name, name);
    ck_assert_int_eq(view->target(s.state), ui_layers_cursor_row(s.state)->kernel);
    close_stage(&s);
}
END_TEST

START_TEST(a_filter_works_as_it_is_typed_and_esc_clears_it)
{
    stage s = open_stage("demo", 21, 80);
    type(&s, "us>900");
    ck_assert_int_eq(s.state->n_shown, 0);
    ck_assert_int_eq(view->target(s.state), -1);
    char *screen = dump(&s, false);
    ck_assert_ptr_nonnull(strstr(screen, "0 of 88 match `us>900` (maximum 820.4). Esc clears."));
    free(screen);
    view->key(UI_KEY_BACKSPACE, s.rect, s.session, s.state);
    ck_assert_int_gt(s.state->n_shown, 0);
    view->key(UI_KEY_ENTER, s.rect, s.session, s.state);
    ck_assert(!view->takes_text(s.state));
    ck_assert_str_eq(s.state->filter_text, "us>90");
    ck_assert_int_eq(press(&s, UI_COMMAND_BACK), UI_REPLY_DONE);
    ck_assert_int_eq(s.state->n_shown, 88);
    ck_assert_int_eq(press(&s, UI_COMMAND_BACK), UI_REPLY_IGNORED);
    close_stage(&s);
}
END_TEST

START_TEST(the_mouse_selects_opens_scrolls_and_sorts)
{
    stage s = open_stage("demo", 21, 80);
    ui_mouse click = {.row = 6, .column = 10, .what = UI_MOUSE_CLICK}; /* third row below titles */
    view->mouse(click, s.rect, s.session, s.state);
    ck_assert_int_eq(s.state->cursor, 2);
    click.what = UI_MOUSE_DOUBLE;
    view->mouse(click, s.rect, s.session, s.state);
    ck_assert(ui_layers_cursor_row(s.state)->is_open);
    click.what = UI_MOUSE_WHEEL_DOWN;
    view->mouse(click, s.rect, s.session, s.state);
    ck_assert_int_eq(ui_layers_top(s.state, 9), 3);
    ck_assert_int_eq(s.state->cursor, 3); /* taken along, since it would have left */
    click = (ui_mouse){.row = 3, .column = 3, .what = UI_MOUSE_CLICK};
    view->mouse(click, s.rect, s.session, s.state);
    ck_assert_int_eq(s.state->sort, UI_LAYERS_NUMBER);
    view->mouse(click, s.rect, s.session, s.state);
    ck_assert(s.state->is_flipped);
    close_stage(&s);
}
END_TEST

START_TEST(an_empty_screen_says_what_to_do)
{
    stage s = open_stage(NULL, 21, 80);
    char *screen = dump(&s, false);
    ck_assert_ptr_nonnull(strstr(screen, "No model is open. Enter: demo   o: open"));
    free(screen);
    ui_reply reply = view->command(UI_COMMAND_DRILL, s.rect, s.session, s.state);
    ck_assert_int_eq(reply.kind, UI_REPLY_ACTION);
    ck_assert_int_eq(reply.action.id, NW_ACTION_OPEN);
    ck_assert_str_eq(reply.action.value, "demo");
    ck_assert_int_eq(press(&s, UI_COMMAND_DOWN), UI_REPLY_IGNORED);
    ck_assert_int_eq(view->target(s.state), -1);
    ck_assert_ptr_null(view->copy(s.session, s.state));
    close_stage(&s);
}
END_TEST

START_TEST(a_copied_row_has_titles_with_units)
{
    stage s = open_stage("demo", 21, 80);
    char *text = view->copy(s.session, s.state);
    const char *expected = "#\tkernel\toutput HxWxC\tname\tbound\tlatency us\tchange us\tshare %\t";
    ck_assert(strncmp(text, expected, strlen(expected)) == 0);
    const char *row = strchr(text, '\n') + 1;
    int titles = 0, cells = 0;
    for (const char *c = text; c < row; c++)
        titles += *c == '\t';
    for (const char *c = row; *c; c++)
        cells += *c == '\t';
    ck_assert_int_eq(titles, cells);
    free(text);
    close_stage(&s);
}
END_TEST

static Suite *layers_suite(void)
{
    Suite *suite = suite_create("layers");
    TCase *tc = tcase_create("rows");
    suite_add_tcase(suite, tc);
    tcase_add_test(tc, a_filter_keeps_what_holds_all_its_terms);
    tcase_add_test(tc, a_broken_term_says_why_and_hides_nothing);
    tcase_add_test(tc, a_filter_without_matches_names_the_largest_value);
    tcase_add_test(tc, unknown_costs_come_first_and_ties_stay_in_network_order);
    tcase_add_test(tc, keys_reach_every_column_and_network_order_is_one_to_the_left);
    tcase_add_test(tc, the_cursor_stays_on_its_kernel);
    tcase_add_test(tc, marks_and_open_rows_survive_other_hardware_and_another_copy_of_the_network);
    tcase_add_test(tc, names_from_files_cannot_reach_the_terminal_raw);
    tcase_add_test(tc, cut_names_stay_apart);

    tc = tcase_create("screen");
    tcase_set_timeout(tc, 60);
    suite_add_tcase(suite, tc);
    tcase_add_loop_test(tc, the_demo_looks_as_it_was_accepted, 0, N(sizes));
    tcase_add_loop_test(tc, a_real_model_looks_as_it_was_accepted, 0, N(sizes));
    tcase_add_test(tc, an_empty_filter_says_which_columns_there_are);
    tcase_add_test(tc, panes_below_take_turns_on_a_narrow_screen);
    tcase_add_loop_test(tc, no_size_of_screen_is_too_small, 0, 2);
    tcase_add_test(tc, changes_of_kernels_add_up_to_the_change_of_the_network);
    tcase_add_test(tc, the_cursor_follows_its_kernel_to_other_hardware);
    tcase_add_test(tc, a_filter_works_as_it_is_typed_and_esc_clears_it);
    tcase_add_test(tc, the_mouse_selects_opens_scrolls_and_sorts);
    tcase_add_test(tc, an_empty_screen_says_what_to_do);
    tcase_add_test(tc, a_copied_row_has_titles_with_units);
    return suite;
}

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    SRunner *runner = srunner_create(layers_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
