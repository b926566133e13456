/* space.c - the space that is open and the choices about it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/session/internal.h"

#define MODEL_STEP 8 /* of channels, as nw_space_load has it */

/* ---- what undo brings back ---- */

nw_quest nw_quest_copy(const nw_quest *quest)
{
    nw_quest copy = *quest;
    size_t n = (size_t)quest->n_hands;
    if (copy.space)
        nw_space_retain(copy.space);
    copy.hands = nw_alloc((n + 1) * sizeof *copy.hands);
    if (n)
        memcpy(copy.hands, quest->hands, n * sizeof *copy.hands);
    return copy;
}

void nw_quest_fini(nw_quest *quest)
{
    nw_space_release(quest->space);
    free(quest->hands);
    *quest = (nw_quest){0};
}

const nw_space *nw_session_space(const nw_session *s)
{
    return s->state.quest.space;
}

bool nw_session_is_curated(const nw_session *s)
{
    return s->state.quest.is_curated;
}

nw_hand nw_session_hand(const nw_session *s, int dim, int option)
{
    const nw_quest *quest = &s->state.quest;
    for (int i = 0; i < quest->n_hands; i++)
        if (quest->hands[i].dim == dim && quest->hands[i].option == option)
            return quest->hands[i].hand;
    return NW_HAND_FREE;
}

/* ---- opening one ---- */

static nw_status space_of_current(const nw_session *s, const nw_space **out, nw_error *err)
{
    const nw_point *now = s->state.current;
    nw_space *space;
    if (!now)
        return nw_fail(err, NW_INVALID, "model",
                       "nothing is open; say demo, or a file in Lua, or open a model first");
    nw_status status = nw_space_of_model(now->arch, MODEL_STEP, &space, err);
    if (status != NW_OK)
        return status;
    nw_space_set_source(space, now->model);
    status = nw_space_seal(space, err);
    if (status == NW_OK)
        *out = space;
    else
        nw_space_release(space);
    return status;
}

static void say_space(nw_session *s)
{
    const nw_space *space = s->state.quest.space;
    nw_buf size = {0};
    int n;
    nw_space_dims(space, &n);
    nw_space_size(space, &size);
    if (size.length > 18)
        nw_session_say(s, NW_MESSAGE_INFO, "space %s: %d dimensions, ~%.1e networks",
                       nw_space_name(space), n, nw_space_size_approx(space));
    else
        nw_session_say(s, NW_MESSAGE_INFO, "space %s: %d dimensions, %s networks",
                       nw_space_name(space), n, nw_buf_text(&size));
    nw_buf_fini(&size);
    if (nw_space_n_predicates(space))
        nw_session_say(s, NW_MESSAGE_WARNING, "%s has conditions in Lua: they take the slow path",
                       nw_space_name(space));
}

void nw_session_find_space(const nw_session *s, const char *path, nw_state *next)
{
    const nw_space *space;
    nw_error err;
    int n;
    if (!nw_model_is_script(path) || !s->space_loader.load ||
        nw_space_load(path, &s->space_loader, &space, &err) != NW_OK)
        return;
    const nw_dim *dims = nw_space_dims(space, &n);
    if (!dims[0].file[0]) { /* a network: its usual space is made when it is asked for */
        nw_space_release(space);
        return;
    }
    nw_metric metric = next->quest.metric;
    nw_quest_fini(&next->quest);
    next->quest = (nw_quest){.space = space, .metric = metric};
}

nw_status nw_session_open_space(nw_session *s, const nw_action *action, nw_error *err)
{
    const nw_space *space;
    const nw_space_loader *loader = s->space_loader.load ? &s->space_loader : NULL;
    nw_status status = strcmp(action->value, "model") == 0
                           ? space_of_current(s, &space, err)
                           : nw_space_load(action->value, loader, &space, err);
    if (status != NW_OK)
        return status;
    nw_state next = nw_state_copy(&s->state);
    nw_metric metric = next.quest.metric;
    nw_quest_fini(&next.quest);
    next.quest = (nw_quest){.space = space, .metric = metric};
    nw_session_change(s, NW_ACTION_SPACE, action->value, &next);
    say_space(s);
    return NW_OK;
}

/* ---- options ---- */

nw_status nw_session_curate(nw_session *s, const nw_action *action, nw_error *err)
{
    (void)action, (void)err;
    nw_state next = nw_state_copy(&s->state);
    next.quest.is_curated = !next.quest.is_curated;
    if (nw_session_curation_phase(s) == NW_PHASE_FAILED)
        nw_session_forget_curation(s);
    s->follows_curation = true;
    nw_session_change(s, NW_ACTION_SPACE_CURATE, NULL, &next);
    nw_session_say(s, NW_MESSAGE_INFO,
                   s->state.quest.is_curated ? "space: only the options worth having on %s"
                                             : "space: all options, whatever they cost on %s",
                   nw_session_hw(s)->name);
    return NW_OK;
}

/* "c3=48": the dimension and the option. */
static nw_status read_option(const nw_space *space, const char *text, int *dim, int *option,
                             nw_error *err)
{
    int n;
    char name[128];
    nw_option wanted;
    const nw_dim *dims = nw_space_dims(space, &n);
    const char *equals = strchr(text, '=');
    if (!equals || (size_t)(equals - text) >= sizeof name)
        return nw_fail(err, NW_INVALID, text, "say the dimension and the option: c3=48");
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    *dim = nw_space_find_dim(space, name);
    if (*dim < 0)
        return nw_fail(err, NW_INVALID, name, "%s has no such dimension", nw_space_name(space));
    const nw_dim *d = &dims[*dim];
    nw_status status = nw_option_read(d->kind, equals + 1, &wanted, err);
    if (status != NW_OK)
        return status;
    for (*option = 0; *option < d->n_options; ++*option) {
        char a[64], b[64];
        if (strcmp(nw_option_text(d->kind, &d->options[*option], a, sizeof a),
                   nw_option_text(d->kind, &wanted, b, sizeof b)) == 0)
            return NW_OK;
    }
    return nw_fail(err, NW_INVALID, text, "%s has no such option", name);
}

static void set_hand(nw_quest *quest, int dim, int option, nw_hand hand)
{
    int at = 0;
    while (at < quest->n_hands &&
           (quest->hands[at].dim != dim || quest->hands[at].option != option))
        at++;
    if (hand == NW_HAND_FREE) {
        if (at < quest->n_hands)
            quest->hands[at] = quest->hands[--quest->n_hands];
        return;
    }
    if (at == quest->n_hands) { /* a copy has room for one more */
        quest->n_hands++;
        quest->hands[at] = (nw_hand_row){.dim = dim, .option = option};
    }
    quest->hands[at].hand = hand;
}

static bool has_other_option(const nw_session *s, int dim, int option)
{
    int n;
    const nw_dim *d = &nw_space_dims(s->state.quest.space, &n)[dim];
    for (int i = 0; i < d->n_options; i++)
        if (i != option && nw_session_keeps(s, dim, i))
            return true;
    return false;
}

nw_status nw_session_hand_option(nw_session *s, const nw_action *action, nw_error *err)
{
    int dim = -1, option = -1;
    nw_hand hand = action->id == NW_ACTION_OPTION_KEEP   ? NW_HAND_KEEP
                   : action->id == NW_ACTION_OPTION_DROP ? NW_HAND_DROP
                                                         : NW_HAND_FREE;
    nw_status status = read_option(s->state.quest.space, action->value, &dim, &option, err);
    if (status != NW_OK)
        return status;
    if (hand == NW_HAND_DROP && !has_other_option(s, dim, option))
        return nw_fail(err, NW_INVALID, action->value,
                       "it is the last option that is left; keep another one first");
    nw_state next = nw_state_copy(&s->state);
    set_hand(&next.quest, dim, option, hand);
    nw_session_change(s, action->id, action->value, &next);
    nw_session_say(s, NW_MESSAGE_INFO, "%s is %s; u undoes it", action->value,
                   hand == NW_HAND_KEEP   ? "kept, whatever curation says"
                   : hand == NW_HAND_DROP ? "gone, whatever curation says"
                                          : "curation's again");
    return NW_OK;
}

/* ---- a network of the space ---- */

/* The network of a genome; of "; EDITS" those of the space's base; of nothing the base network. */
static nw_status make_network(const nw_space *space, const char *text, const nw_arch **out,
                              nw_error *err)
{
    uint16_t genome[NW_MAX_DIMS];
    nw_edit *edits = NULL;
    int n;
    nw_space_base_genome(space, genome);
    nw_status status = NW_OK;
    if (*text == ';') {
        status = nw_session_read_edits(text, &edits, &n, err);
        if (status == NW_OK)
            status = nw_arch_apply(nw_space_base(space), edits, n, out, NULL, err);
        free(edits);
        return status;
    }
    if (*text)
        status = nw_genome_read(space, text, genome, err);
    return status == NW_OK ? nw_space_arch(space, genome, out, err) : status;
}

static nw_status open_point(const nw_session *s, const char *text, const nw_point **out,
                            nw_error *err)
{
    const nw_space *space = s->state.quest.space;
    const nw_arch *arch;
    nw_status status = make_network(space, text, &arch, err);
    if (status != NW_OK)
        return status;
    const char *source = nw_space_source(space), *name = nw_space_name(space);
    nw_shared_model *model = nw_shared_model_of(arch, source && *source ? source : name, name);
    nw_arch_release(arch);
    status = nw_point_new(model, s->state.hw, s->state.precision, s->state.estimator, out, err);
    nw_shared_model_release(model);
    return status;
}

/* The base network's own numbers become the baseline. */
nw_status nw_session_open_genome(nw_session *s, const nw_action *action, nw_error *err)
{
    const nw_point *point, *base;
    char change[96];
    nw_status status = open_point(s, action->value, &point, err);
    if (status != NW_OK)
        return status;
    nw_state next = nw_state_copy(&s->state);
    nw_point_release(next.current);
    next.current = point;
    if (open_point(s, "", &base, NULL) == NW_OK) {
        nw_point_release(next.baseline);
        next.baseline = base;
    }
    nw_session_change(s, NW_ACTION_SPACE_OPEN, action->value, &next);
    const nw_point *from = s->state.baseline ? s->state.baseline : point;
    nw_session_say(s, NW_MESSAGE_INFO, "opened a network of %s: latency %s; u goes back",
                   nw_space_name(s->state.quest.space),
                   nw_format_change(from->estimate.latency_ps, point->estimate.latency_ps, change,
                                    sizeof change));
    return NW_OK;
}

/* ---- the landscape ---- */

/* Dimensions with something to see: channels of stages that repeat a block, any channels, any. */
static int find_serving(const nw_dim *dims, int n, int pass, int *found)
{
    int n_found = 0;
    for (int i = 0; i < n; i++) {
        bool serves = dims[i].n_options > 1 && (pass == 2 || dims[i].kind == NW_DIM_CHANNELS) &&
                      (pass > 0 || dims[i].n_blocks > 1);
        if (serves)
            found[n_found++] = i;
    }
    return n_found;
}

/* Two neighbours in the middle of the network. */
static void find_axes(const nw_space *space, int *x, int *y)
{
    int n, found[NW_MAX_DIMS], n_found = 0;
    const nw_dim *dims = nw_space_dims(space, &n);
    for (int pass = 0; pass < 3 && n_found < 2; pass++)
        n_found = find_serving(dims, n, pass, found);
    int middle = n_found / 2;
    *x = n_found ? found[middle] : n ? 0 : -1;
    *y = n_found > 1 ? found[middle - 1] : -1;
}

void nw_session_axes(const nw_session *s, int *x, int *y)
{
    const nw_quest *quest = &s->state.quest;
    find_axes(quest->space, x, y);
    int own_x = nw_space_find_dim(quest->space, quest->x);
    int own_y = nw_space_find_dim(quest->space, quest->y);
    int first_x = *x;
    if (own_x >= 0)
        *x = own_x;
    if (own_y >= 0)
        *y = own_y;
    if (*x != *y)
        return;
    if (own_y < 0 || own_y == own_x) /* the other of the two that serve */
        *y = first_x;
    else
        *x = *y == first_x ? -1 : first_x;
    for (int i = 0, n = nw_space_n_dims(quest->space); i < n && (*x == *y || *x < 0); i++)
        if (i != *y)
            *x = i;
    if (*x == *y)
        *y = -1;
}

static nw_status choose_axis(nw_session *s, const nw_action *action, bool is_x, nw_error *err)
{
    int n, x, y;
    const nw_space *space = s->state.quest.space;
    const nw_dim *dims = nw_space_dims(space, &n);
    int dim = nw_space_find_dim(space, action->value);
    if (dim < 0)
        return nw_fail(err, NW_INVALID, action->value, "%s has no such dimension",
                       nw_space_name(space));
    if (dims[dim].n_options < 2)
        return nw_fail(err, NW_INVALID, action->value, "it has one option: nothing to see");
    nw_session_axes(s, &x, &y);
    nw_state next = nw_state_copy(&s->state);
    nw_quest *quest = &next.quest;
    int other = is_x ? y : x, own = is_x ? x : y;
    if (dim == other) /* they change places */
        other = own;
    const char *other_name = other >= 0 ? dims[other].name : "";
    snprintf(quest->x, sizeof quest->x, "%s", is_x ? dims[dim].name : other_name);
    snprintf(quest->y, sizeof quest->y, "%s", is_x ? other_name : dims[dim].name);
    quest->has_start = false;
    nw_session_change(s, action->id, action->value, &next);
    nw_session_say(s, NW_MESSAGE_INFO, "landscape over %s and %s", s->state.quest.x,
                   s->state.quest.y[0] ? s->state.quest.y : "nothing else");
    return NW_OK;
}

nw_status nw_session_choose_x(nw_session *s, const nw_action *action, nw_error *err)
{
    return choose_axis(s, action, true, err);
}

nw_status nw_session_choose_y(nw_session *s, const nw_action *action, nw_error *err)
{
    return choose_axis(s, action, false, err);
}

/* Lower is better for all of them. */
nw_status nw_session_choose_metric(nw_session *s, const nw_action *action, nw_error *err)
{
    static const nw_metric metrics[] = {
        NW_METRIC_OBJECTIVE,    NW_METRIC_LATENCY, NW_METRIC_ENERGY, NW_METRIC_PEAK_LIVE,
        NW_METRIC_WEIGHT_BYTES, NW_METRIC_PARAMS,  NW_METRIC_MACS};
    enum { N = sizeof metrics / sizeof *metrics };
    int at = 0;
    if (action->value) {
        nw_metric wanted = nw_metric_find(action->value);
        while (at < N && metrics[at] != wanted)
            at++;
        if (at == N)
            return nw_fail(err, NW_INVALID, action->value,
                           "no such height; there are objective, latency, energy, memory, size, "
                           "params, macs");
    } else {
        while (metrics[at] != s->state.quest.metric)
            at++;
        at = (at + 1) % N;
    }
    nw_state next = nw_state_copy(&s->state);
    next.quest.metric = metrics[at];
    nw_session_change(s, action->id, nw_metric_name(metrics[at]), &next);
    nw_session_say(s, NW_MESSAGE_INFO, "landscape of %s", nw_metric_name(metrics[at]));
    return NW_OK;
}

/* "96 48", "96" on a line; nothing: where nw_panes_find begins by itself. */
nw_status nw_session_choose_start(nw_session *s, const nw_action *action, nw_error *err)
{
    int n, x, y;
    char own[2][64] = {"", ""};
    const nw_dim *dims = nw_space_dims(s->state.quest.space, &n);
    nw_option options[2] = {{0}};
    nw_session_axes(s, &x, &y);
    int axes[2] = {x, y};
    int n_given = action->value ? sscanf(action->value, "%63s %63s", own[0], own[1]) : 0;
    if (n_given > 0 && n_given < (y >= 0 ? 2 : 1))
        return nw_fail(err, NW_INVALID, action->value, "say both: an option of x and one of y");
    for (int i = 0; i < 2 && i < n_given && axes[i] >= 0; i++) {
        nw_status status = nw_option_read(dims[axes[i]].kind, own[i], &options[i], err);
        if (status != NW_OK)
            return status;
    }
    nw_state next = nw_state_copy(&s->state);
    if (s->scene && nw_session_landscape(s)->phase == NW_PHASE_FAILED) {
        nw_session_forget_landscape(s); /* it begins anew */
        s->follows_curation = true;
    }
    next.quest.has_start = n_given > 0;
    next.quest.start_x = options[0];
    next.quest.start_y = options[1];
    nw_session_change(s, action->id, action->value, &next);
    return NW_OK;
}
