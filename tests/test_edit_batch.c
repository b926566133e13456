/* Lists of edits, done at once where they can be, against the same edits one after the other: the
 * same network in its JSON, the same notes, the same refusal. What one edit does is known from the
 * other suites. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/rng.h"
#include "src/format/format.h"
#include "tests/support.h"
#include "tests/support_edit.h"

enum { MAX_EDITS = 96 };

static const struct {
    const char *what; /* a file among the shared models, "demo", or block strings */
    int n_lists;      /* the slower the network, the fewer */
} networks[] = {
    {"demo", 40},
    {"tv_mobilenet_v2_w035_224.onnx", 30},
    {"tv_mobilenet_v2_w035_224_qdq.onnx", 8},
    {"mlperf_tiny_vww_96_float.tflite", 30},
    {"tv_ssdlite320_mobilenet_v3_large_2cls.onnx", 8},
    {"light_squeezenet.onnx", 20},
    {"mlperf_tiny_resnet_int8.tflite", 30},
    {"cn_r1_k3_s2_c16 ir_r2_k3_s2_e6_c24 ir_r3_k5_s2_e6_c40_se0.25 er_r2_k3_s2_e4_c64 "
     "cn_r1_k1_s1_c320",
     40},
    {"ds_r1_k3_s1_c16 er_r2_k3_s2_e8_c32 er_r3_k3_s2_e4_c48 ir_r3_k3_s2_e8_c96 "
     "ir_r3_k3_s1_e8_c96 tu_r2_k3_s2_ir0.75_or0.75_c96",
     40},
    {"cn_r2_k3_s2_c16 cn_r1_k1_s1_c32 cn_r3_k3_s1_c32 ds_r3_k3_s2_c64", 40},
};

/* ---- lists ---- */

static const nw_block *any_block(nw_rng *rng, const nw_arch *arch)
{
    int n;
    const nw_block *blocks = nw_arch_blocks(arch, &n);
    return &blocks[nw_rng_range(rng, 0, n - 1)];
}

static void name_block(nw_edit *edit, const nw_block *block)
{
    edit->where.first_stage = edit->where.last_stage = block->stage;
    edit->where.index = block->index;
}

static int64_t any_of(nw_rng *rng, const int64_t *list, int n)
{
    return list[nw_rng_range(rng, 0, n - 1)];
}

#define ANY(rng, ...)                                                                              \
    any_of(rng, (const int64_t[]){__VA_ARGS__},                                                    \
           (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))

/* Numbers of channels around those that are there: equal ones and ones that lie on the other side
 * of a neighbour's matter most. */
static void any_count(nw_rng *rng, const nw_arch *arch, const nw_block *block, nw_edit *edit)
{
    edit->mode = (nw_count_mode)ANY(rng, NW_COUNT_SET, NW_COUNT_SET, NW_COUNT_SET, NW_COUNT_UP,
                                    NW_COUNT_NEAREST, NW_COUNT_DOWN);
    if (edit->mode != NW_COUNT_SET)
        edit->count = ANY(rng, 8, 16, 32, 48);
    else if (nw_rng_chance(rng, 0.4))
        edit->count = any_block(rng, arch)->out_c;
    else if (nw_rng_chance(rng, 0.2))
        edit->count = block->in_c * ANY(rng, 1, 2, 3, 6);
    else
        edit->count = nw_rng_range(rng, 1, 12) * ANY(rng, 1, 8, 16);
}

static nw_edit any_edit(nw_rng *rng, const nw_arch *arch, nw_edit_kind kind)
{
    static const nw_op acts[] = {NW_OP_RELU, NW_OP_RELU6, NW_OP_HARD_SWISH, NW_OP_IDENTITY};
    const nw_block *block = any_block(rng, arch);
    nw_edit edit;
    nw_edit_init(&edit, kind);
    name_block(&edit, block);
    edit.block = (nw_block_kind)ANY(rng, NW_BLOCK_FUSED, NW_BLOCK_IBN, NW_BLOCK_DSEP,
                                    NW_BLOCK_TUCKER, NW_BLOCK_CONV, NW_BLOCK_GROUPED);
    edit.act = acts[nw_rng_range(rng, 0, 3)];
    switch (kind) {
    case NW_EDIT_CHANNELS:
        any_count(rng, arch, block, &edit);
        if (nw_rng_chance(rng, 0.4))
            edit.where.index = -1;
        break;
    case NW_EDIT_EXPANSION:
        any_count(rng, arch, block, &edit);
        if (nw_rng_chance(rng, 0.4)) {
            edit.mode = NW_COUNT_SET;
            edit.count = 0;
            edit.number = (double)ANY(rng, 1, 2, 3, 4, 6, 8);
        }
        break;
    case NW_EDIT_KERNEL:
        edit.count = ANY(rng, 1, 3, 3, 5, 7);
        break;
    case NW_EDIT_STRIDE:
        edit.count = ANY(rng, 1, 2);
        break;
    case NW_EDIT_DEPTH:
        edit.where.index = -1;
        edit.count = ANY(rng, 1, 2, 3);
        break;
    case NW_EDIT_PRECISION:
        edit.count = ANY(rng, 8, 16, 0);
        break;
    case NW_EDIT_SQUEEZE:
        edit.number = (double)ANY(rng, 0, 1, 2) / 4;
        break;
    case NW_EDIT_RESIDUAL:
        edit.count = ANY(rng, 0, 1);
        break;
    case NW_EDIT_VARIANT:
        edit.number = (double)ANY(rng, 0, 0, 0, 4);
        break;
    default:
        break;
    }
    return edit;
}

static const nw_edit_kind kinds[] = {
    NW_EDIT_VARIANT, NW_EDIT_KERNEL,   NW_EDIT_SQUEEZE,  NW_EDIT_PRECISION,
    NW_EDIT_ACT,     NW_EDIT_RESIDUAL, NW_EDIT_CHANNELS, NW_EDIT_EXPANSION,
    NW_EDIT_DEPTH,   NW_EDIT_STRIDE,   NW_EDIT_SPLIT,    NW_EDIT_JOIN,
};

/* ---- one by one ---- */

typedef struct history {
    nw_edit edits[MAX_EDITS];
    int n;
    const nw_arch *at; /* NULL: the last one was refused, */
    nw_error err;      /* like this */
    nw_buf notes;
} history;

static void add_notes(const nw_edit_report *report, nw_buf *out)
{
    for (int i = 0; i < report->n_notes; i++)
        nw_buf_printf(out, "%s %d %s\n", report->notes[i].where, report->notes[i].is_done,
                      report->notes[i].text);
}

/* The next edit: kept if it is done, or, rarely, as the one that the list is refused for. */
static void go_on(history *h, nw_rng *rng, const nw_edit *edit, double keeps_refused)
{
    const nw_arch *next;
    nw_edit_report report;
    nw_error err;
    nw_status status = nw_arch_apply(h->at, edit, 1, &next, &report, &err);
    if (status == NW_OK) {
        add_notes(&report, &h->notes);
        nw_edit_report_fini(&report);
        nw_arch_release(h->at);
        h->at = next;
        h->edits[h->n++] = *edit;
    } else if (nw_rng_chance(rng, keeps_refused)) {
        nw_arch_release(h->at);
        h->at = NULL;
        h->err = err;
        h->edits[h->n++] = *edit;
    }
}

/* Runs of edits of one kind, or of channels and expansions, as a search space makes them. */
static void make_history(history *h, nw_rng *rng, const nw_arch *arch)
{
    int n_runs = (int)nw_rng_range(rng, 1, 5), n_kinds = (int)(sizeof kinds / sizeof *kinds);
    double keeps_refused = nw_rng_chance(rng, 0.3) ? 0.05 : 0;
    *h = (history){.at = nw_arch_retain(arch)};
    for (int run = 0; run < n_runs && h->at; run++) {
        nw_edit_kind kind = kinds[nw_rng_range(rng, 0, n_kinds - 1)];
        int length = (int)nw_rng_range(rng, 2, 24);
        /* labels are those of now, or sometimes of the beginning of the run */
        const nw_arch *labels = nw_arch_retain(h->at);
        for (int i = 0; i < length && h->at && h->n < MAX_EDITS; i++) {
            bool is_resize = kind == NW_EDIT_CHANNELS || kind == NW_EDIT_EXPANSION;
            if (is_resize)
                kind = nw_rng_chance(rng, 0.5) ? NW_EDIT_CHANNELS : NW_EDIT_EXPANSION;
            nw_edit edit = any_edit(rng, nw_rng_chance(rng, 0.5) ? h->at : labels, kind);
            go_on(h, rng, &edit, keeps_refused);
        }
        nw_arch_release(labels);
    }
}

/* ---- against all at once ---- */

static void print_edits(const history *h)
{
    for (int i = 0; i < h->n; i++) {
        nw_buf line = {0};
        nw_edit_write(&h->edits[i], &line);
        printf("  %s\n", nw_buf_text(&line));
        nw_buf_fini(&line);
    }
}

static void check_done(const history *h, const nw_arch *out, const nw_edit_report *report)
{
    nw_buf notes = {0};
    add_notes(report, &notes);
    char *one = json_of(h->at), *all = json_of(out);
    bool is_same =
        strcmp(one, all) == 0 && strcmp(nw_buf_text(&h->notes), nw_buf_text(&notes)) == 0;
    if (!is_same)
        print_edits(h);
    ck_assert_str_eq(nw_buf_text(&notes), nw_buf_text(&h->notes));
    ck_assert_msg(is_same, "the networks differ");
    int n_one, n_all;
    nw_arch_edits(h->at, &n_one);
    nw_arch_edits(out, &n_all);
    ck_assert_int_eq(n_one, n_all);
    ck_assert_ptr_eq(nw_arch_origin(out), nw_arch_origin(h->at));
    free(one);
    free(all);
    nw_buf_fini(&notes);
}

static void check_history(const history *h, const nw_arch *arch)
{
    const nw_arch *out = NULL;
    nw_edit_report report = {0};
    nw_error err = {.message = ""};
    nw_status status = nw_arch_apply(arch, h->edits, h->n, &out, &report, &err);
    if ((status == NW_OK) != (h->at != NULL))
        print_edits(h);
    if (h->at) {
        ck_assert_msg(status == NW_OK, "%s: %s", err.where, err.message);
        check_done(h, out, &report);
        nw_edit_report_fini(&report);
        nw_arch_release(out);
        return;
    }
    ck_assert_int_ne(status, NW_OK);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(report.n_notes, 0);
    ck_assert_str_eq(err.where, h->err.where);
    ck_assert_str_eq(err.message, h->err.message);
}

static const nw_arch *network(const char *what)
{
    nw_graph *graph;
    if (strstr(what, ".onnx") || strstr(what, ".tflite"))
        return arch_of_model(what);
    if (strcmp(what, "demo") != 0)
        return arch_of_text(what, 96);
    ck_assert(nw_model_load("demo", NULL, 0, &graph, NULL) == NW_OK);
    return nw_arch_lift(graph);
}

START_TEST(edits_at_once_make_what_they_make_one_by_one)
{
    const nw_arch *arch = network(networks[_i].what);
    int n = networks[_i].n_lists, n_refused = 0;
    for (int i = 0; arch && i < n; i++) {
        nw_rng rng = nw_rng_make(17, (uint64_t)i);
        history h;
        make_history(&h, &rng, arch);
        check_history(&h, arch);
        n_refused += h.at == NULL;
        nw_arch_release(h.at);
        nw_buf_fini(&h.notes);
    }
    ck_assert_int_lt(n_refused, n / 2 + 1);
    nw_arch_release(arch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edit_batch");
    TCase *tcase = tcase_create("edit_batch");
    tcase_set_timeout(tcase, 600);
    tcase_add_loop_test(tcase, edits_at_once_make_what_they_make_one_by_one, 0,
                        (int)(sizeof networks / sizeof *networks));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
