/* The shipped spaces: every file loads, is as large as its declarations say, holds its network, and
 * any genome of it makes a network and reads back from its text. Prints the size of each. */
#include "tests/lua_harness.h"
#include "tests/support.h"

#define N_GENOMES 200
#define N_WHOLE   10 /* of them made without what is kept between genomes */

/* Sizes are products of the options listed in the files, by hand; 0: genes of dropped blocks make
 * it a sum, which is not worked out here. macs: of the network that the space is about. */
static const struct {
    const char *name;
    int n_dims;
    double size;
    const char *network; /* in spaces/networks */
} spaces[] = {
    /* stem 2, c1 2, c2 3, c3 3, c4 4, c5 4, c6 5, c7 3, last 4; 16 blocks x 2; 6 stages x 3, x 2 */
    {"presence_detector", 37, 2. * 2 * 3 * 3 * 4 * 4 * 5 * 3 * 4 * 65536 * 729 * 64, "presence"},
    {"presence_detector_uncurated", 57, 0, "presence"},
    /* a block x 2 kinds, 6 stages x 3, 6 x 2 kernels, 11 x 2 expansions, 5 widths */
    {"edge_tpu", 25, 2 * 729. * 64 * 2048 * 5, "edgetpu"},
    {"edge_tpu_uncurated", 65, 0, "edgetpu"},
    /* 16 blocks x 4 kinds, 5 x 2, 21 x 2 expansions, 21 x 2 kernels; 3 4 3 3 4 4 channels */
    {"mobiledet", 69, 4294967296. * 32 * 2097152 * 2097152 * 3 * 4 * 3 * 3 * 4 * 4, "mobiledet"},
    {"mobiledet_uncurated", 71, 0, "mobiledet"},
    /* a block of stages 2 and 3 has 3 x 3 choices, of 4 to 7 4 x 3; so stages of one to three, one
     * to four blocks have 9 + 81 + 729 and 12 + 144 + 1728 + 20736; then 5 blocks, channels, sizes
     */
    {"camera_classifier", 42, 819. * 819 * 22620 * 248832 * (2 * 2 * 3 * 3 * 4 * 3 * 4 * 3) * 5,
     "camera"},
    {"camera_classifier_uncurated", 57, 0, "camera"},
    /* channels; 5 stages x 2 kinds, x 3 expansions, x 2 kernels; depths */
    {"robot_segmentation", 25, 2880. * 32 * 243 * 32 * 4 * 4 * 3, "robot"},
    {"robot_segmentation_uncurated", 58, 0, "robot"},
};

static const nw_space *load(const char *name)
{
    lua_config config = {.data_path = PRESETS};
    const nw_space_loader loader = {&config, lua_engine_load_space};
    const nw_space *space = NULL;
    char path[128];
    nw_error err;
    snprintf(path, sizeof path, "spaces/%s.lua", name);
    ck_assert_msg(nw_space_load(path, &loader, &space, &err) == NW_OK, "%s: %s", err.where,
                  err.message);
    return space;
}

START_TEST(shipped_spaces_are_as_large_as_their_files_say)
{
    const nw_space *space = load(spaces[_i].name);
    nw_buf size = {0};
    nw_space_size(space, &size);
    printf("%-30s %2d dimensions, %s networks\n", spaces[_i].name, nw_space_n_dims(space),
           nw_buf_text(&size));
    ck_assert_int_eq(nw_space_n_dims(space), spaces[_i].n_dims);
    ck_assert_double_eq_tol(nw_space_size_approx(space), strtod(nw_buf_text(&size), NULL),
                            1e-9 * nw_space_size_approx(space));
    if (spaces[_i].size > 0)
        ck_assert_double_eq_tol(nw_space_size_approx(space), spaces[_i].size,
                                1e-9 * spaces[_i].size);
    ck_assert_int_eq(nw_space_n_predicates(space), 0);
    nw_buf_fini(&size);
    nw_space_release(space);
}
END_TEST

static int64_t macs_of(const nw_arch *arch)
{
    nw_counts counts;
    nw_graph_count(nw_arch_graph(arch), &counts);
    return counts.macs;
}

static int64_t network_macs(const char *name)
{
    lua_config config = {.data_path = PRESETS};
    const nw_arch *arch = NULL;
    char path[128];
    nw_error err;
    snprintf(path, sizeof path, "spaces/networks/%s.lua", name);
    ck_assert_msg(lua_engine_load_network(&config, path, &arch, &err) == NW_OK, "%s: %s", err.where,
                  err.message);
    int64_t macs = macs_of(arch);
    nw_arch_release(arch);
    return macs;
}

/* The network as it is belongs to every one of them. */
START_TEST(shipped_spaces_hold_their_network)
{
    const nw_space *space = load(spaces[_i].name);
    uint16_t genome[NW_MAX_DIMS];
    const nw_arch *arch;
    nw_error err;
    int n;
    const nw_dim *dims = nw_space_dims(space, &n);
    for (int d = 0; d < n; d++)
        ck_assert_msg(dims[d].base >= 0, "%s: the network has no option of %s", spaces[_i].name,
                      dims[d].name);
    nw_space_base_genome(space, genome);
    ck_assert_int_eq(nw_space_arch(space, genome, &arch, &err), NW_OK);
    ck_assert(nw_space_allows(space, genome, NULL, 0));
    ck_assert_int_eq(macs_of(arch), network_macs(spaces[_i].network));
    nw_arch_release(arch);
    nw_space_release(space);
}
END_TEST

static void check_text(const nw_space *space, const uint16_t *genome)
{
    uint16_t back[NW_MAX_DIMS];
    nw_buf text = {0};
    nw_error err;
    nw_genome_write(space, genome, &text);
    ck_assert_msg(nw_genome_read(space, nw_buf_text(&text), back, &err) == NW_OK, "%s: %s",
                  err.where, err.message);
    ck_assert_mem_eq(back, genome, (size_t)nw_space_n_dims(space) * sizeof *genome);
    nw_buf_fini(&text);
}

START_TEST(any_genome_of_a_shipped_space_is_a_network_and_a_text)
{
    const nw_space *space = load(spaces[_i].name);
    nw_realiser *realiser = nw_realiser_new(space);
    nw_rng rng = nw_rng_make(17, (uint64_t)_i);
    for (int i = 0; i < N_GENOMES; i++) {
        uint16_t genome[NW_MAX_DIMS];
        const nw_arch *arch, *whole;
        nw_error err;
        nw_space_random(space, &rng, genome);
        check_text(space, genome);
        ck_assert_msg(nw_realiser_make(realiser, genome, &arch, &err) == NW_OK, "%s: %s: %s",
                      spaces[_i].name, err.where, err.message);
        if (i < N_WHOLE) {
            ck_assert_msg(nw_space_arch(space, genome, &whole, &err) == NW_OK, "%s: %s: %s",
                          spaces[_i].name, err.where, err.message);
            ck_assert_int_eq(macs_of(arch), macs_of(whole));
            nw_arch_release(whole);
        }
        nw_arch_release(arch);
    }
    nw_realiser_free(realiser);
    nw_space_release(space);
}
END_TEST

int main(void)
{
    int n = (int)(sizeof spaces / sizeof *spaces);
    Suite *suite = suite_create("lua_space_shipped");
    TCase *tc = tcase_create("spaces");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, shipped_spaces_are_as_large_as_their_files_say, 0, n);
    tcase_add_loop_test(tc, shipped_spaces_hold_their_network, 0, n);
    tcase_add_loop_test(tc, any_genome_of_a_shipped_space_is_a_network_and_a_text, 0, n);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
