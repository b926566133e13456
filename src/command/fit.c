#include "src/estimator/fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/save.h"
#include "src/command/internal.h"
#include "src/report/report.h"

typedef struct inputs {
    nw_table *table, *totals, *test;
    nw_hw *hw;
} inputs;

static nw_status load_inputs(const nw_options *o, inputs *in, nw_error *err)
{
    nw_status status = nw_table_load(o->files[0], &in->table, err);
    if (status == NW_OK && o->totals)
        status = nw_table_load(o->totals, &in->totals, err);
    if (status == NW_OK && o->test)
        status = nw_table_load(o->test, &in->test, err);
    if (status == NW_OK && o->hw)
        status = nw_hw_load(o->hw, o->data_path, &in->hw, err);
    return status;
}

static void free_inputs(inputs *in)
{
    nw_table_free(in->table);
    nw_table_free(in->totals);
    nw_table_free(in->test);
    nw_hw_free(in->hw);
}

static nw_status fit_and_save(const nw_options *o, nw_fit_options *fit, const inputs *in,
                              nw_buf *text, nw_error *err)
{
    nw_regression *regression;
    nw_buf model = {0};
    nw_command_progress progress;
    nw_command_progress_begin(&progress, o);
    fit->progress = progress.show;
    fit->progress_context = &progress;
    nw_status status = nw_fit(in->table, fit, &regression, err);
    nw_command_progress_end(&progress);
    if (status != NW_OK)
        return status;
    nw_regression_write(regression, &model);
    status = nw_save(o->out, &model, NW_SAVE_REPLACE, err);
    if (status == NW_OK && o->json)
        nw_report_fit_json(regression, o->out, text);
    else if (status == NW_OK)
        nw_report_fit_text(regression, o->out, text);
    nw_buf_fini(&model);
    nw_regression_release(regression);
    return status;
}

int nw_command_fit(nw_options *o)
{
    nw_fit_options fit = {.target = o->target,
                          .group = o->group,
                          .features = o->features,
                          .network = o->network,
                          .total_target = o->total_target};
    if (o->n_files != 1 || !o->out || !o->target)
        return nw_command_fail_usage("usage: nasw fit F.csv -o E.json --target COL [--group COL] "
                                     "[--features a,b,c]; see nasw --help");
    if ((o->totals || o->total_target) && !(o->totals && o->total_target && o->network))
        return nw_command_fail_usage(
            "--totals NETS.csv, --total-target COL and --network COL belong together");
    int64_t seed = 0, n_trees = 0, n_folds = 0;
    if (!nw_command_parse_count("--seed", o->seed, 0, NW_MAX_SEED, &seed) ||
        !nw_command_parse_count("--trees", o->trees, 1, 10000, &n_trees) ||
        !nw_command_parse_count("--folds", o->folds, 2, 100, &n_folds))
        return NW_EXIT_USAGE;
    fit.seed = (uint32_t)seed;
    fit.n_trees = (int)n_trees;
    fit.n_folds = (int)n_folds;
    inputs in = {0};
    nw_buf text = {0};
    nw_error err;
    nw_status status = load_inputs(o, &in, &err);
    fit.totals = in.totals;
    fit.test = in.test;
    fit.hw = in.hw;
    if (status == NW_OK)
        status = fit_and_save(o, &fit, &in, &text, &err);
    int code = status == NW_OK ? nw_command_print(&text) : nw_command_fail(&err);
    nw_buf_fini(&text);
    free_inputs(&in);
    return code;
}

static void warn(const nw_prediction *p)
{
    char clean[96];
    if (p->n_unseen)
        fprintf(stderr,
                "nasw: warning: %d of %d rows have no prediction: training has not seen the group "
                "%s\n",
                p->n_unseen, p->n_rows, nw_text_visible(p->unseen, clean, sizeof clean));
    if (p->n_outside)
        fprintf(stderr,
                "nasw: warning: %d of %d rows are outside the range of training; their predictions "
                "are extrapolations\n",
                p->n_outside, p->n_rows);
}

int nw_command_predict(nw_options *o)
{
    if (o->n_files != 2 || !o->out)
        return nw_command_fail_usage("usage: nasw predict E.json F.csv [--network COL] -o OUT.csv");
    nw_regression *regression = NULL;
    nw_table *table = NULL;
    nw_buf out = {0};
    nw_prediction summary;
    nw_error err;
    int code;
    if (nw_regression_load(o->files[0], &regression, &err) != NW_OK ||
        nw_table_load(o->files[1], &table, &err) != NW_OK ||
        nw_regression_predict(regression, table, o->network, &out, &summary, &err) != NW_OK) {
        code = nw_command_fail(&err);
    } else {
        warn(&summary);
        code = nw_command_write(o->out, &out);
    }
    nw_buf_fini(&out);
    nw_table_free(table);
    nw_regression_release(regression);
    return code;
}
