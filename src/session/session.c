/* session.c - a session's life, its states and their history, its messages.
 */
#include "src/session/session.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/session/internal.h"

#define DEFAULT_HW "ne32"

/* ---- states ---- */

nw_state nw_state_copy(const nw_state *state)
{
    nw_state copy = *state;
    nw_point_retain(copy.current);
    nw_point_retain(copy.baseline);
    nw_shared_hw_retain(copy.hw);
    copy.quest = nw_quest_copy(&state->quest);
    copy.inputs = nw_alloc((size_t)(state->n_inputs + 1) * sizeof *copy.inputs);
    for (int i = 0; i < state->n_inputs; i++)
        copy.inputs[i] = nw_copy_text(state->inputs[i]);
    return copy;
}

void nw_state_fini(nw_state *state)
{
    nw_point_release(state->current);
    nw_point_release(state->baseline);
    nw_shared_hw_release(state->hw);
    nw_quest_fini(&state->quest);
    for (int i = 0; i < state->n_inputs; i++)
        free(state->inputs[i]);
    free(state->inputs);
    *state = (nw_state){0};
}

static void drop_step(nw_change *step)
{
    free(step->value);
    nw_state_fini(&step->other);
}

void nw_session_change(nw_session *s, nw_action_id id, const char *value, nw_state *next)
{
    while (s->n_steps > s->n_done)
        drop_step(&s->steps[--s->n_steps]);
    s->steps = nw_grow(s->steps, (size_t)s->n_steps, &s->step_capacity, sizeof *s->steps);
    s->steps[s->n_steps++] = (nw_change){id, nw_copy_text(value), s->state};
    s->n_done++;
    s->state = *next;
    *next = (nw_state){0};
    if (s->n_done - s->first_kept > NW_MAX_UNDO)
        nw_state_fini(&s->steps[s->first_kept++].other);
    s->keeper.is_dirty = true;
    s->version++;
}

static void swap_state(nw_session *s, nw_change *step)
{
    nw_state other = step->other;
    step->other = s->state;
    s->state = other;
    s->keeper.is_dirty = true;
    s->version++;
}

void nw_session_undo(nw_session *s)
{
    assert(nw_session_n_undo(s) > 0);
    swap_state(s, &s->steps[--s->n_done]);
}

void nw_session_redo(nw_session *s)
{
    assert(nw_session_n_redo(s) > 0);
    swap_state(s, &s->steps[s->n_done++]);
}

/* ---- life ---- */

static nw_status begin_state(nw_session *s, const char *hw, nw_error *err)
{
    nw_status status = nw_shared_hw_load(hw ? hw : DEFAULT_HW, s->data_path, &s->state.hw, err);
    snprintf(s->state.precision, sizeof s->state.precision, "file");
    s->state.quest.metric = NW_METRIC_OBJECTIVE;
    return status;
}

nw_status nw_session_new(const nw_session_config *config, nw_session **out, nw_error *err)
{
    nw_session *s = nw_zalloc(sizeof *s);
    s->data_path = nw_copy_text(config->data_path ? config->data_path : "");
    s->loader = config->loader;
    s->repeat_id = NW_ACTION_COUNT;
    s->swept = NW_SWEEP_COUNT;
    nw_status status = begin_state(s, config->hw, err);
    if (status == NW_OK)
        status = nw_pool_new(config->n_workers, &s->pool, err);
    if (status != NW_OK) {
        nw_session_free(s);
        return status;
    }
    if (config->hw && strcmp(config->hw, DEFAULT_HW) != 0)
        s->start_hw = nw_copy_text(config->hw);
    s->hw_names = nw_hw_names(s->data_path, &s->n_hw_names);
    nw_session_begin_keeping(s, config->state_path);
    *out = s;
    return NW_OK;
}

void nw_session_free(nw_session *s)
{
    if (!s)
        return;
    nw_session_end_jobs(s);
    nw_session_end_keeping(s);
    nw_state_fini(&s->state);
    nw_arch_release(s->saved);
    while (s->n_kept)
        nw_point_release(s->kept[--s->n_kept]);
    while (s->n_steps)
        drop_step(&s->steps[--s->n_steps]);
    free(s->steps);
    for (int i = 0; i < s->n_messages; i++)
        free((char *)(uintptr_t)s->messages[i].text);
    free(s->messages);
    free(s->written);
    free(s->repeat_value);
    nw_hw_names_free(s->hw_names, s->n_hw_names);
    free(s->data_path);
    free(s->start_hw);
    free(s);
}

/* ---- what is open ---- */

const nw_point *nw_session_current(const nw_session *s)
{
    return s->state.current;
}

const nw_point *nw_session_baseline(const nw_session *s)
{
    return s->state.baseline;
}

const nw_hw *nw_session_hw(const nw_session *s)
{
    return s->state.hw->hw;
}

const char *nw_session_precision(const nw_session *s)
{
    return s->state.precision;
}

const nw_estimator *nw_session_open_estimator(const nw_session *s)
{
    const nw_estimator *estimator;
    if (s->state.current)
        return nw_estimator_retain(s->state.current->estimate.estimator);
    if (nw_shared_hw_estimator(s->state.hw, s->state.estimator, &estimator, NULL) != NW_OK)
        return NULL;
    return estimator;
}

const char *nw_session_estimator(const nw_session *s)
{
    const nw_estimator *estimator = nw_session_open_estimator(s);
    if (!estimator)
        return s->state.estimator;
    const char *name = estimator->regression ? "regression" : "device"; /* outlives it */
    nw_estimator_release(estimator);
    return name;
}

bool nw_session_is_unsaved(const nw_session *s)
{
    const nw_arch *arch = s->state.current ? s->state.current->arch : NULL;
    return arch && arch != s->saved && nw_arch_origin(arch) != arch;
}

bool nw_session_wants_quit(const nw_session *s)
{
    return s->wants_quit;
}

int nw_session_n_undo(const nw_session *s)
{
    return s->n_done - s->first_kept;
}

int nw_session_n_redo(const nw_session *s)
{
    return s->n_steps - s->n_done;
}

static bool is_estimated_alike(const nw_point *a, const nw_point *b)
{
    return a->hw == b->hw && nw_estimator_is_same(a->estimate.estimator, b->estimate.estimator) &&
           strcmp(a->precision, b->precision) == 0;
}

int nw_session_compared(const nw_session *s, const nw_point *out[NW_MAX_COMPARED], int *n_left_out)
{
    const nw_point *all[NW_MAX_COMPARED], *now = s->state.current;
    int n_all = 0, n = 0, n_unlike = 0;
    if (s->state.baseline)
        all[n_all++] = s->state.baseline;
    for (int i = 0; i < s->n_kept; i++)
        all[n_all++] = s->kept[i];
    if (now)
        all[n_all++] = now;
    for (int i = 0; i < n_all; i++) {
        bool is_new = true;
        for (int j = i + 1; j < n_all; j++)
            is_new &= all[j]->arch != all[i]->arch || all[j]->hw != all[i]->hw;
        if (now && !is_estimated_alike(all[i], now))
            n_unlike++;
        else if (is_new)
            out[n++] = all[i];
    }
    if (n_left_out)
        *n_left_out = n_unlike;
    return n;
}

uint64_t nw_session_version(const nw_session *s)
{
    return s->version;
}

const char *const *nw_session_hw_names(const nw_session *s, int *n)
{
    *n = s->n_hw_names;
    return (const char *const *)s->hw_names;
}

void nw_session_set_script_runner(nw_session *s, nw_script_runner run, void *context)
{
    s->run_script = run;
    s->script_context = context;
}

void nw_session_set_space_loader(nw_session *s, const nw_space_loader *loader)
{
    s->space_loader = loader ? *loader : (nw_space_loader){0};
}

/* ---- messages ---- */

const nw_message *nw_session_messages(const nw_session *s, int *n)
{
    *n = s->n_messages;
    return s->messages;
}

void nw_session_say(nw_session *s, nw_message_kind kind, const char *format, ...)
{
    char raw[1024], clean[1536];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    nw_text_visible(raw, clean, sizeof clean);
    if (!s->messages)
        s->messages = nw_alloc(NW_MAX_MESSAGES * sizeof *s->messages);
    if (s->n_messages == NW_MAX_MESSAGES) {
        free((char *)(uintptr_t)s->messages[0].text);
        memmove(s->messages, s->messages + 1, --s->n_messages * sizeof *s->messages);
    }
    s->messages[s->n_messages++] = (nw_message){kind, nw_copy_text(clean), (int64_t)time(NULL)};
    s->version++;
}

/* ---- the log ---- */

/* Printable UTF-8 stays readable; anything else goes byte by byte. */
static void add_lua_string(nw_buf *out, const char *text)
{
    size_t size = 4 * strlen(text) + 1;
    char *visible = nw_text_visible(text, nw_alloc(size), size);
    bool is_printable = strcmp(visible, text) == 0;
    free(visible);
    nw_buf_puts(out, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c == '"' || *c == '\\')
            nw_buf_printf(out, "\\%c", *c);
        else if (!is_printable && (*c < 0x20 || *c >= 0x7f))
            nw_buf_printf(out, "\\%03u", *c);
        else
            nw_buf_add(out, (const char *)c, 1);
    }
    nw_buf_puts(out, "\"");
}

static void add_act(nw_buf *out, nw_action_id id, const char *value)
{
    nw_buf_printf(out, "nasw.act(\"%s\"", nw_action_def_of(id)->name);
    if (value) {
        nw_buf_puts(out, ", ");
        add_lua_string(out, value);
    }
    nw_buf_puts(out, ")\n");
}

void nw_session_log_lua(const nw_session *s, nw_buf *out)
{
    if (s->start_hw && s->n_done)
        add_act(out, NW_ACTION_HW, s->start_hw);
    for (int i = 0; i < s->n_done; i++)
        add_act(out, s->steps[i].id, s->steps[i].value);
}
