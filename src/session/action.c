/* action.c - the table of actions, and what those do that change what is open.
 */
#include "src/session/action.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/report/report.h"
#include "src/session/internal.h"

#define MAX_SCRIPT_DEPTH   8
#define MAX_MODEL_WARNINGS 20

static const nw_action_def defs[NW_ACTION_COUNT] = {
#define X(id, name, key, value, logged, help) {name, key, help, value, logged},
    NW_ACTIONS(X)
#undef X
};

const nw_action_def *nw_action_def_of(nw_action_id id)
{
    return &defs[id];
}

nw_action_id nw_action_find(const char *name)
{
    int id = 0;
    while (id < NW_ACTION_COUNT && strcmp(defs[id].name, name) != 0)
        id++;
    return (nw_action_id)id;
}

/* ---- how changes are told ---- */

const char *nw_format_change(int64_t old_ps, int64_t new_ps, char *dst, size_t size)
{
    static const struct {
        double ps;
        const char *name;
    } units[] = {{1e3, "ns"}, {1e6, "us"}, {1e9, "ms"}, {1e12, "s"}};
    double most = (double)(old_ps > new_ps ? old_ps : new_ps);
    int unit = 0;
    while (unit < 3 && most >= 1000 * units[unit].ps)
        unit++;
    char share[32] = "";
    if (old_ps > 0)
        snprintf(share, sizeof share, " (%+.1f %%)",
                 100 * ((double)new_ps - (double)old_ps) / (double)old_ps);
    most /= units[unit].ps;
    int decimals = most < 10 ? 3 : most < 100 ? 2 : 1;
    snprintf(dst, size, "%.*f -> %.*f %s%s", decimals, (double)old_ps / units[unit].ps, decimals,
             (double)new_ps / units[unit].ps, units[unit].name, share);
    return dst;
}

/* What the numbers leave out. */
static void say_doubts(nw_session *s, const nw_point *point)
{
    if (point->estimate.n_unknown)
        nw_session_say(s, NW_MESSAGE_WARNING,
                       "%s: the cost of %d %s is unknown and left out of every sum", point->label,
                       point->estimate.n_unknown,
                       point->estimate.n_unknown == 1 ? "kernel" : "kernels");
    if (!point->estimate.fits)
        nw_session_say(s, NW_MESSAGE_WARNING, "%s does not fit %s: %s", point->label,
                       point->hw->name, point->estimate.reason);
}

/* What else there is to say of two totals. Of two ways to estimate the same network: whether the
 * device is where the regression says that it may be. */
static const char *compare(const nw_point *x, const nw_point *y)
{
    const nw_estimate *a = &x->estimate, *b = &y->estimate;
    const nw_estimate *with = a->has_band ? a : b, *other = with == a ? b : a;
    if (a->n_unknown != b->n_unknown)
        return ", not comparable: costs are unknown";
    if (x->hw != y->hw || !with->has_band || other->estimator->regression || a->n_unknown)
        return "";
    bool is_inside = other->latency_ps >= with->low_ps && other->latency_ps <= with->high_ps;
    return is_inside ? ", inside the regression's 90 % band"
                     : ", outside the regression's 90 % band";
}

static void say_change(nw_session *s, const char *what, const char *from, const char *to)
{
    const nw_point *now = s->state.current, *before = s->state.baseline;
    char change[96];
    if (!now) {
        nw_session_say(s, NW_MESSAGE_INFO, "%s %s", what, to);
        return;
    }
    say_doubts(s, now);
    nw_session_say(s, NW_MESSAGE_INFO, "%s %s -> %s: latency %s%s", what, from, to,
                   nw_format_change(before->estimate.latency_ps, now->estimate.latency_ps, change,
                                    sizeof change),
                   compare(before, now));
}

/* ---- changes ---- */

/* Estimates what is open anew on next's hardware; the old numbers become the baseline. */
static nw_status estimate_anew(nw_state *next, nw_error *err)
{
    const nw_point *old = next->current, *point;
    if (!old)
        return NW_OK;
    nw_status status =
        nw_point_new(nw_point_model(old), next->hw, next->precision, next->estimator, &point, err);
    if (status != NW_OK)
        return status;
    nw_point_release(next->baseline);
    next->baseline = old;
    next->current = point;
    return NW_OK;
}

/* "NAME=1x3x320x320", or the shape alone for a network with one input. */
static bool parse_size(const char *text, nw_input_size *out, nw_arena *arena)
{
    const char *shape = strrchr(text, '=');
    out->name = shape ? nw_arena_strndup(arena, text, (size_t)(shape - text)) : "";
    out->shape.rank = 0;
    for (shape = shape ? shape + 1 : text; *shape;) {
        char *end;
        errno = 0;
        long long value = strtoll(shape, &end, 10);
        bool is_end = !*end;
        if (end == shape || errno || value < 1 || value > NW_MAX_DIM ||
            out->shape.rank == NW_MAX_RANK || (!is_end && (!strchr("x,", *end) || !end[1])))
            return false;
        out->shape.dims[out->shape.rank++] = value;
        shape = is_end ? end : end + 1;
    }
    return out->shape.rank > 0;
}

static nw_status load_model(const nw_session *s, const char *path, nw_shared_model **out,
                            nw_error *err)
{
    nw_arena arena = {0};
    nw_input_size *sizes = nw_alloc((size_t)(s->state.n_inputs + 1) * sizeof *sizes);
    int n = 0;
    for (int i = 0; i < s->state.n_inputs; i++)
        n += parse_size(s->state.inputs[i], &sizes[n], &arena);
    nw_status status = nw_shared_model_load(path, sizes, n, &s->loader, out, err);
    free(sizes);
    nw_arena_fini(&arena);
    return status;
}

static void drop_inputs(nw_state *state)
{
    while (state->n_inputs)
        free(state->inputs[--state->n_inputs]);
}

static void say_opened(nw_session *s, const nw_point *point)
{
    char time[32];
    for (int i = 0; i < point->graph->n_warnings && i < MAX_MODEL_WARNINGS; i++)
        nw_session_say(s, NW_MESSAGE_WARNING, "%s: %s", point->label, point->graph->warnings[i]);
    if (point->graph->n_warnings > MAX_MODEL_WARNINGS)
        nw_session_say(s, NW_MESSAGE_WARNING, "%s: %d more warnings", point->label,
                       point->graph->n_warnings - MAX_MODEL_WARNINGS);
    say_doubts(s, point);
    nw_session_say(s, NW_MESSAGE_INFO, "opened %s: %s on %s, %s, %d kernels", point->label,
                   nw_format_time(point->estimate.latency_ps, time, sizeof time), point->hw->name,
                   point->estimate.kernels->precision, point->estimate.kernels->n_kernels);
}

static nw_status act_open(nw_session *s, const nw_action *action, nw_error *err)
{
    if (strcmp(action->value, "-") == 0 && isatty(STDIN_FILENO))
        return nw_fail(err, NW_INVALID, "-",
                       "standard input is the terminal; give a file, or demo");
    nw_shared_model *model;
    nw_status status = load_model(s, action->value, &model, err);
    if (status != NW_OK)
        return status;
    const nw_point *point;
    status = nw_point_new(model, s->state.hw, s->state.precision, s->state.estimator, &point, err);
    nw_shared_model_release(model);
    if (status != NW_OK)
        return status;
    nw_state next = nw_state_copy(&s->state);
    nw_point_release(next.current);
    nw_point_release(next.baseline);
    next.current = point;
    next.baseline = NULL;
    drop_inputs(&next);
    nw_session_find_space(s, action->value, &next);
    nw_session_change(s, NW_ACTION_OPEN, action->value, &next);
    say_opened(s, point);
    return NW_OK;
}

static nw_status act_input(nw_session *s, const nw_action *action, nw_error *err)
{
    nw_arena arena = {0};
    nw_input_size size, old;
    nw_status status = NW_OK;
    if (!parse_size(action->value, &size, &arena)) {
        status = nw_fail(err, NW_INVALID, action->value, "wanted NAME=1x3x320x320");
    } else {
        nw_state next = nw_state_copy(&s->state);
        int at = 0; /* the same input's, if it was given before */
        while (at < next.n_inputs &&
               !(parse_size(next.inputs[at], &old, &arena) && strcmp(old.name, size.name) == 0))
            at++;
        if (at == next.n_inputs)
            next.n_inputs++; /* a copy has room for one more */
        else
            free(next.inputs[at]);
        next.inputs[at] = nw_copy_text(action->value);
        nw_session_change(s, NW_ACTION_INPUT, action->value, &next);
        nw_session_say(s, NW_MESSAGE_INFO, "input %s for the next model opened", action->value);
    }
    nw_arena_fini(&arena);
    return status;
}

static nw_status switch_hw(nw_session *s, const char *name, nw_error *err)
{
    nw_shared_hw *hw;
    nw_status status = nw_shared_hw_load(name, s->data_path, &hw, err);
    if (status != NW_OK)
        return status;
    nw_state next = nw_state_copy(&s->state);
    nw_shared_hw_release(next.hw);
    next.hw = hw;
    status = estimate_anew(&next, err);
    if (status != NW_OK) {
        nw_state_fini(&next);
        return status;
    }
    nw_shared_hw *old = nw_shared_hw_retain(s->state.hw);
    nw_session_change(s, NW_ACTION_HW, name, &next);
    say_change(s, "hw", old->hw->name, hw->hw->name);
    nw_shared_hw_release(old);
    return NW_OK;
}

static nw_status act_hw(nw_session *s, const nw_action *action, nw_error *err)
{
    return switch_hw(s, action->value, err);
}

/* A list of files: the name that a description gives itself may be another one. */
static bool is_file_of(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    size_t length = strlen(name);
    return strncmp(file, name, length) == 0 && strcmp(file + length, ".json") == 0;
}

/* Logged as the description that it led to: the list may be another one when the log is replayed.
 */
static nw_status step_hw(nw_session *s, int step, nw_error *err)
{
    int n = s->n_hw_names, start = -1;
    for (int i = 0; i < n; i++)
        if (is_file_of(nw_session_hw(s)->path, s->hw_names[i]))
            start = i;
    int at = start < 0 && step < 0 ? n : start;
    for (int tried = 0; tried < n; tried++) {
        nw_error why;
        at = (at + step + n) % n;
        if (at == start)
            break;
        if (switch_hw(s, s->hw_names[at], &why) == NW_OK)
            return NW_OK;
        nw_session_say(s, NW_MESSAGE_WARNING, "skipped %s: %s%s%s", s->hw_names[at], why.where,
                       why.where[0] ? ": " : "", why.message);
    }
    return nw_fail(err, NW_INVALID, s->data_path, "there is no other description that can be used");
}

static nw_status act_hw_next(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action;
    return step_hw(s, 1, err);
}

static nw_status act_hw_previous(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action;
    return step_hw(s, -1, err);
}

/* With nothing open the built-in network shows whether the hardware has that precision. */
static nw_status check_precision(const nw_state *next, nw_error *err)
{
    nw_shared_model *demo;
    const nw_point *point;
    nw_status status = nw_shared_model_load("demo", NULL, 0, NULL, &demo, err);
    if (status != NW_OK)
        return status;
    status = nw_point_new(demo, next->hw, next->precision, next->estimator, &point, err);
    nw_shared_model_release(demo);
    if (status == NW_OK)
        nw_point_release(point);
    return status;
}

static nw_status act_precision(nw_session *s, const nw_action *action, nw_error *err)
{
    nw_state next = nw_state_copy(&s->state);
    char old[sizeof next.precision];
    memcpy(old, next.precision, sizeof old);
    snprintf(next.precision, sizeof next.precision, "%s", action->value);
    nw_status status = next.current ? estimate_anew(&next, err) : check_precision(&next, err);
    if (status != NW_OK) {
        nw_state_fini(&next);
        return status;
    }
    nw_session_change(s, NW_ACTION_PRECISION, action->value, &next);
    say_change(s, "precision", old, s->state.precision);
    return NW_OK;
}

static nw_status choose_estimator(nw_state *next, const char *value, nw_error *err)
{
    const nw_estimator *opened = NULL;
    if (strlen(value) >= sizeof next->estimator)
        return nw_fail(err, NW_INVALID, "", "the path of the model is too long");
    snprintf(next->estimator, sizeof next->estimator, "%s",
             strcmp(value, "auto") == 0 ? "" : value);
    nw_status status = nw_shared_hw_estimator(next->hw, next->estimator, &opened, err);
    if (status != NW_OK)
        return status;
    if (opened->regression)
        memcpy(next->regression, next->estimator, sizeof next->regression);
    nw_estimator_release(opened);
    return estimate_anew(next, err);
}

static nw_status switch_estimator(nw_session *s, const char *value, nw_error *err)
{
    nw_state next = nw_state_copy(&s->state);
    char old[64];
    snprintf(old, sizeof old, "%s", nw_session_estimator(s));
    nw_status status = choose_estimator(&next, value, err);
    if (status != NW_OK) {
        nw_state_fini(&next);
        return status;
    }
    nw_session_change(s, NW_ACTION_ESTIMATOR, value, &next);
    say_change(s, "estimator", old, nw_session_estimator(s));
    return NW_OK;
}

static nw_status act_estimator(nw_session *s, const nw_action *action, nw_error *err)
{
    return switch_estimator(s, action->value, err);
}

/* Logged as what it led to, like the next description. The regression is the one that was chosen
 * last, if it is of this hardware, else the hardware's own, as by default: another description
 * need not have one. */
static nw_status act_estimator_next(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action;
    char chosen[sizeof s->state.regression];
    const nw_estimator *own = NULL;
    if (strcmp(nw_session_estimator(s), "device") != 0)
        return switch_estimator(s, "device", err);
    memcpy(chosen, s->state.regression, sizeof chosen);
    if (*chosen && switch_estimator(s, chosen, err) == NW_OK)
        return NW_OK;
    nw_status status = nw_shared_hw_estimator(s->state.hw, "regression", &own, err);
    if (status == NW_OK) {
        nw_estimator_release(own);
        return switch_estimator(s, "auto", err);
    }
    if (strncmp(err->where, "--", 2) == 0) /* the command line's way of saying that */
        return nw_fail(err, NW_INVALID, "",
                       "%s has no regression, only the device; nasw measure and nasw fit make one",
                       s->state.hw->hw->name);
    return status;
}

static nw_status act_baseline(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action, (void)err;
    char time[32];
    nw_state next = nw_state_copy(&s->state);
    nw_point_release(next.baseline);
    next.baseline = nw_point_retain(next.current);
    nw_session_change(s, NW_ACTION_BASELINE, NULL, &next);
    nw_session_say(s, NW_MESSAGE_INFO, "baseline: %s on %s, %s", s->state.baseline->label,
                   s->state.baseline->hw->name,
                   nw_format_time(s->state.baseline->estimate.latency_ps, time, sizeof time));
    return NW_OK;
}

static nw_status act_keep(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action;
    for (int i = 0; i < s->n_kept; i++)
        if (s->kept[i] == s->state.current)
            return nw_fail(err, NW_INVALID, "", "it is kept already; 8 compares");
    if (s->n_kept == NW_MAX_KEPT) {
        nw_point_release(s->kept[0]);
        memmove(s->kept, s->kept + 1, (size_t)--s->n_kept * sizeof *s->kept);
    }
    s->kept[s->n_kept++] = nw_point_retain(s->state.current);
    nw_session_say(s, NW_MESSAGE_INFO, "kept %s (%d); 8 compares", s->state.current->label,
                   s->n_kept);
    return NW_OK;
}

/* ---- history ---- */

static void say_history(nw_session *s, const char *verb, const nw_change *step)
{
    nw_session_say(s, NW_MESSAGE_INFO, "%s %s%s%s (%d to undo, %d to redo)", verb,
                   defs[step->id].name, step->value ? " " : "", step->value ? step->value : "",
                   nw_session_n_undo(s), nw_session_n_redo(s));
}

static nw_status act_undo(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action, (void)err;
    nw_session_undo(s);
    say_history(s, "undid", &s->steps[s->n_done]);
    return NW_OK;
}

static nw_status act_redo(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action, (void)err;
    nw_session_redo(s);
    say_history(s, "redid", &s->steps[s->n_done - 1]);
    return NW_OK;
}

static nw_status act_repeat(nw_session *s, const nw_action *action, nw_error *err)
{
    char *value = s->repeat_id == NW_ACTION_EDIT
                      ? nw_session_aim(s, s->repeat_value, action->target)
                      : nw_copy_text(s->repeat_value);
    nw_action again = {s->repeat_id, action->target, value};
    nw_status status = nw_session_act(s, &again, err);
    free(value);
    return status;
}

/* ---- the rest ---- */

static nw_status act_save(nw_session *s, const nw_action *action, nw_error *err)
{
    return nw_session_save(s, action->value, err);
}

static nw_status act_export(nw_session *s, const nw_action *action, nw_error *err)
{
    return nw_session_export(s, action->value, err);
}

static nw_status act_copy(nw_session *s, const nw_action *action, nw_error *err)
{
    return nw_session_keep_copy(s, action->value, err);
}

static nw_status act_compare_hw(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action, (void)err;
    nw_session_compare_hw(s);
    return NW_OK;
}

static nw_status act_run_script(nw_session *s, const nw_action *action, nw_error *err)
{
    if (s->script_depth == MAX_SCRIPT_DEPTH)
        return nw_fail(err, NW_LIMIT, action->value, "%d scripts run each other already",
                       MAX_SCRIPT_DEPTH);
    s->script_depth++;
    nw_status status = s->run_script(s->script_context, s, action->value, err);
    s->script_depth--;
    if (status == NW_OK)
        nw_session_say(s, NW_MESSAGE_INFO, "ran %s", action->value);
    return status;
}

static nw_status act_recover(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action;
    char *path = nw_session_left_path(s);
    nw_action run = {NW_ACTION_RUN_SCRIPT, -1, path};
    nw_status status = act_run_script(s, &run, err);
    free(path);
    return status;
}

static nw_status act_save_session(nw_session *s, const nw_action *action, nw_error *err)
{
    return nw_session_save_log(s, action->value, err);
}

static nw_status act_stop(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action, (void)err;
    for (int i = s->n_jobs - 1; i >= 0; i--) {
        if (s->jobs[i]->is_running) {
            nw_session_stop_newest(s);
            return NW_OK;
        }
    }
    nw_session_stop_landscape(s);
    nw_session_stop_curation(s);
    nw_session_say(s, NW_MESSAGE_INFO, "stopped: landscape and curation");
    return NW_OK;
}

static nw_status act_quit(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action, (void)err;
    s->wants_quit = true;
    nw_session_say(s, NW_MESSAGE_INFO, "leaving");
    return NW_OK;
}

/* ---- the table ---- */

typedef struct act_row {
    nw_status (*act)(nw_session *s, const nw_action *action, nw_error *err);
    bool needs_model;
    const char *needs_value; /* what to say when there is none; NULL: none is fine */
} act_row;

static const act_row acts[NW_ACTION_COUNT] = {
    [NW_ACTION_OPEN] = {act_open, false, "say which file, or demo"},
    [NW_ACTION_HW] = {act_hw, false, "say which description: a name of nasw hw, or a path"},
    [NW_ACTION_HW_NEXT] = {act_hw_next, false, NULL},
    [NW_ACTION_HW_PREVIOUS] = {act_hw_previous, false, NULL},
    [NW_ACTION_PRECISION] = {act_precision, false, "say which: file, int8, int16, float16, ..."},
    [NW_ACTION_ESTIMATOR] = {act_estimator, false,
                             "say which: regression, device, auto, or a model file"},
    [NW_ACTION_ESTIMATOR_NEXT] = {act_estimator_next, false, NULL},
    [NW_ACTION_INPUT] = {act_input, false, "say which sizes: NAME=1x3x320x320"},
    [NW_ACTION_BASELINE] = {act_baseline, true, NULL},
    [NW_ACTION_KEEP] = {act_keep, true, NULL},
    [NW_ACTION_EDIT] = {nw_session_edit, true, "say which, as: variant 2.1 fused"},
    [NW_ACTION_FUSE] = {nw_session_fuse, true, NULL},
    [NW_ACTION_FUSE_ALL] = {nw_session_fuse_all, true, NULL},
    [NW_ACTION_ALIGN] = {nw_session_align, true, NULL},
    [NW_ACTION_ALIGN_ALL] = {nw_session_align_all, true, NULL},
    [NW_ACTION_MORE] = {nw_session_more, true, NULL},
    [NW_ACTION_LESS] = {nw_session_less, true, NULL},
    [NW_ACTION_INSERT] = {nw_session_insert, true, NULL},
    [NW_ACTION_DROP] = {nw_session_drop, true, NULL},
    [NW_ACTION_SPACE] = {nw_session_open_space, false,
                         "say which: a file in Lua, a model's, model (what is open), or demo"},
    [NW_ACTION_SPACE_CURATE] = {nw_session_curate, false, NULL},
    [NW_ACTION_OPTION_KEEP] = {nw_session_hand_option, false, "say which option: c3=48"},
    [NW_ACTION_OPTION_DROP] = {nw_session_hand_option, false, "say which option: c3=48"},
    [NW_ACTION_OPTION_FREE] = {nw_session_hand_option, false, "say which option: c3=48"},
    [NW_ACTION_SPACE_OPEN] = {nw_session_open_genome, false, "say which: c3=48 v2.1=fused"},
    [NW_ACTION_LANDSCAPE_X] = {nw_session_choose_x, false, "say which dimension of the space"},
    [NW_ACTION_LANDSCAPE_Y] = {nw_session_choose_y, false, "say which dimension of the space"},
    [NW_ACTION_LANDSCAPE_METRIC] = {nw_session_choose_metric, false, NULL},
    [NW_ACTION_LANDSCAPE_START] = {nw_session_choose_start, false, NULL},
    [NW_ACTION_UNDO] = {act_undo, false, NULL},
    [NW_ACTION_REDO] = {act_redo, false, NULL},
    [NW_ACTION_REPEAT] = {act_repeat, false, NULL},
    [NW_ACTION_SAVE] = {act_save, true, NULL},
    [NW_ACTION_EXPORT] = {act_export, true, "say where: a file ending in .json, .csv, .txt or .md"},
    [NW_ACTION_COPY] = {act_copy, true, "there is no row to copy"},
    [NW_ACTION_COMPARE_HW] = {act_compare_hw, true, NULL},
    [NW_ACTION_RUN_SCRIPT] = {act_run_script, false, "say which file"},
    [NW_ACTION_RECOVER] = {act_recover, false, NULL},
    [NW_ACTION_SAVE_SESSION] = {act_save_session, false, "say where: a file ending in .lua"},
    [NW_ACTION_STOP] = {act_stop, false, NULL},
    [NW_ACTION_QUIT] = {act_quit, false, NULL},
};

/* NULL: possible. */
static const char *find_obstacle(const nw_session *s, nw_action_id id)
{
    if (acts[id].needs_model && !s->state.current)
        return "nothing is open: open a model first, or demo";
    switch (id) {
    case NW_ACTION_HW_NEXT:
    case NW_ACTION_HW_PREVIOUS:
    case NW_ACTION_COMPARE_HW:
        return s->n_hw_names ? NULL : "no hardware descriptions were found; set NASW_DATA";
    case NW_ACTION_SPACE_CURATE:
    case NW_ACTION_OPTION_KEEP:
    case NW_ACTION_OPTION_DROP:
    case NW_ACTION_OPTION_FREE:
    case NW_ACTION_SPACE_OPEN:
    case NW_ACTION_LANDSCAPE_X:
    case NW_ACTION_LANDSCAPE_Y:
    case NW_ACTION_LANDSCAPE_METRIC:
    case NW_ACTION_LANDSCAPE_START:
        return s->state.quest.space ? NULL : "there is no search space yet: 6 opens one";
    case NW_ACTION_UNDO:
        return nw_session_n_undo(s) ? NULL : "nothing to undo";
    case NW_ACTION_REDO:
        return nw_session_n_redo(s) ? NULL : "nothing to redo";
    case NW_ACTION_REPEAT:
        return s->repeat_id != NW_ACTION_COUNT ? NULL : "nothing to repeat";
    case NW_ACTION_RUN_SCRIPT:
        return s->run_script ? NULL : "scripts cannot be run here";
    case NW_ACTION_RECOVER:
        return !s->run_script           ? "scripts cannot be run here"
               : nw_session_has_left(s) ? NULL
                                        : "no session was killed: there is nothing to bring back";
    case NW_ACTION_SAVE_SESSION:
        return s->n_done ? NULL : "nothing to write: no action has changed this session";
    case NW_ACTION_STOP:
        for (int i = 0; i < s->n_jobs; i++)
            if (s->jobs[i]->is_running)
                return NULL;
        return nw_session_is_exploring(s) ? NULL : "nothing is running";
    default:
        return NULL;
    }
}

bool nw_action_is_possible(const nw_session *session, nw_action_id id, char *why, size_t size)
{
    const char *obstacle = find_obstacle(session, id);
    if (obstacle && why)
        snprintf(why, size, "%s", obstacle);
    return !obstacle;
}

static void remember_to_repeat(nw_session *s, nw_action_id id, const char *value)
{
    char *copy = nw_copy_text(value);
    free(s->repeat_value);
    s->repeat_id = id;
    s->repeat_value = copy;
}

/* An edit by whatever key is repeated as the edit that it led to. */
static void remember_change(nw_session *s, nw_action_id id, const char *value)
{
    const nw_change *last = s->n_done ? &s->steps[s->n_done - 1] : NULL;
    if (last && last->id == NW_ACTION_EDIT)
        remember_to_repeat(s, NW_ACTION_EDIT, last->value);
    else
        remember_to_repeat(s, id, value);
}

nw_status nw_session_act(nw_session *s, const nw_action *action, nw_error *err)
{
    nw_error local;
    err = err ? err : &local;
    if ((int)action->id < 0 || action->id >= NW_ACTION_COUNT)
        return nw_fail(err, NW_INVALID, "", "no such action");
    const char *name = defs[action->id].name;
    const act_row *row = &acts[action->id];
    const char *obstacle = find_obstacle(s, action->id);
    bool has_value = action->value && action->value[0];
    if (!obstacle && row->needs_value && !has_value)
        obstacle = row->needs_value;
    if (obstacle) {
        nw_session_say(s, NW_MESSAGE_WARNING, "%s: %s", name, obstacle);
        return nw_fail(err, NW_INVALID, name, "%s", obstacle);
    }
    bool takes_value = defs[action->id].value != NW_VALUE_NONE || action->id == NW_ACTION_COPY;
    nw_action given = *action;
    given.value = has_value && takes_value ? action->value : NULL;
    nw_status status = row->act(s, &given, err);
    if (status == NW_OK && defs[action->id].is_logged)
        remember_change(s, action->id, given.value);
    if (status != NW_OK && strncmp(err->where, "--", 2) == 0)
        err->where[0] = '\0'; /* the command line's word for it */
    if (status != NW_OK && action->id != NW_ACTION_REPEAT)
        nw_session_say(s, NW_MESSAGE_ERROR, "%s: %s%s%s", name, err->where,
                       err->where[0] ? ": " : "", err->message);
    nw_session_update_whatif(s);
    nw_session_update_sweep(s);
    nw_session_update_landscape(s);
    nw_session_update_curation(s);
    nw_session_autosave(s, false);
    return status;
}
