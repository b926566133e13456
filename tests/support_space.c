#include "tests/support_space.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support_session.h"

enum { WAITS = 6000, WAIT_MS = 20 };

static void expect_ok(nw_status status, const nw_error *err)
{
    if (status == NW_OK)
        return;
    printf("%s: %s\n", err->where, err->message);
    fflush(stdout);
    abort();
}

static nw_status add_channels(nw_space *space, const char *where, int64_t first, int64_t last,
                              int line, nw_error *err)
{
    nw_option options[8] = {{0}};
    int n = 0;
    for (int64_t c = first; c <= last; c += 8)
        options[n++].n = c;
    const nw_dim_spec spec = {.kind = NW_DIM_CHANNELS,
                              .where = where,
                              .options = options,
                              .n_options = n,
                              .file = SMALL_SPACE,
                              .line = line};
    return nw_space_add(space, &spec, err);
}

/* c3 and c4 over these ranges; with_kinds: v4.1 too. */
static nw_status make_space(int64_t c3, int64_t to_c3, int64_t c4, int64_t to_c4, bool with_kinds,
                            const nw_space **out, nw_error *err)
{
    nw_graph *graph;
    nw_status status = nw_model_load("demo", NULL, 0, &graph, err);
    if (status != NW_OK)
        return status;
    const nw_arch *arch = nw_arch_lift(graph);
    nw_space *space = nw_space_new("small", arch);
    nw_arch_release(arch);
    nw_option kinds[] = {{.block = NW_BLOCK_IBN}, {.block = NW_BLOCK_FUSED}};
    const nw_dim_spec variant = {.kind = NW_DIM_VARIANT,
                                 .where = "4.1",
                                 .options = kinds,
                                 .n_options = 2,
                                 .file = SMALL_SPACE,
                                 .line = 3};
    status = add_channels(space, "3", c3, to_c3, 1, err);
    if (status == NW_OK)
        status = add_channels(space, "4", c4, to_c4, 2, err);
    if (status == NW_OK && with_kinds)
        status = nw_space_add(space, &variant, err);
    nw_space_set_source(space, SMALL_SPACE);
    if (status == NW_OK)
        status = nw_space_seal(space, err);
    if (status == NW_OK)
        *out = space;
    else
        nw_space_release(space);
    return status;
}

static nw_status load_small(void *context, const char *path, const nw_space **out, nw_error *err)
{
    (void)context;
    if (strcmp(path, SMALL_SPACE) != 0)
        return nw_fail(err, NW_IO, path, "there is no such file");
    return make_space(24, 40, 48, 80, true, out, err);
}

const nw_arch *small_network(int64_t c3, int64_t c4)
{
    nw_error err;
    const nw_space *space;
    const nw_arch *arch;
    uint16_t genome[NW_MAX_DIMS] = {0};
    expect_ok(make_space(c3, c3, c4, c4, false, &space, &err), &err);
    expect_ok(nw_space_arch(space, genome, &arch, &err), &err);
    nw_space_release(space);
    return arch;
}

const nw_space_loader *small_space_loader(void)
{
    static const nw_space_loader loader = {NULL, load_small};
    return &loader;
}

nw_session *begin_small_space(void)
{
    nw_session *s;
    nw_error err;
    nw_session_config config = {.data_path = PRESETS, .hw = "ne32", .n_workers = 2};
    expect_ok(nw_session_new(&config, &s, &err), &err);
    nw_session_set_space_loader(s, small_space_loader());
    act(s, "estimator", "device");
    act(s, "space", SMALL_SPACE);
    return s;
}

void choose_by_hand(nw_session *s)
{
    static const char *const kept[] = {"c3=32", "c3=40", "c4=48", "c4=64", "c4=80", "v4.1=ibn"};
    static const char *const dropped[] = {"c3=24", "c4=56", "c4=72", "v4.1=fused"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        act(s, "option.keep", kept[i]);
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
        act(s, "option.drop", dropped[i]);
}

void wait_a_moment(nw_session *s)
{
    struct pollfd poller = {.fd = nw_session_wake_fd(s), .events = POLLIN};
    poll(&poller, 1, WAIT_MS);
    nw_session_poll(s);
}

void wait_for_curation(nw_session *s)
{
    for (int i = 0; i < WAITS && nw_session_curation_phase(s) == NW_PHASE_RUNNING; i++)
        wait_a_moment(s);
    if (nw_session_curation_phase(s) == NW_PHASE_RUNNING) {
        printf("curation does not end\n");
        fflush(stdout);
        abort();
    }
}

void wait_for_landscape(nw_session *s)
{
    for (int i = 0; i < WAITS; i++) {
        const nw_landscape *l = nw_session_landscape(s);
        if (!l || (l->phase != NW_PHASE_RUNNING))
            return;
        wait_a_moment(s);
    }
    printf("the landscape does not end\n");
    fflush(stdout);
    abort();
}
