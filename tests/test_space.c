/* Spaces: what is declared, what is refused and how, exact sizes by hand, genomes as text, and that
 * a genome stands for the network that its edits make.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/space/space.h"
#include "tests/support_edit.h"

#define SMALL                                                                                      \
    "cn_r1_k3_s2_c16\nir_r1_k3_s1_e1_c16_noskip\nir_r3_k3_s2_e6_c24\nir_r2_k5_s2_e6_c40\n"         \
    "cn_r1_k1_s1_c96"

static nw_space *new_space(void)
{
    const nw_arch *arch = arch_of_text(SMALL, 64);
    nw_space *space = nw_space_new("small", arch);
    nw_arch_release(arch);
    return space;
}

static nw_status add_numbers(nw_space *space, nw_dim_kind kind, const char *where, bool each,
                             const char *numbers, nw_error *err)
{
    nw_option options[64];
    char words[256], *rest = words;
    int n = 0;
    snprintf(words, sizeof words, "%s", numbers);
    for (char *word; (word = strtok_r(rest, " ", &rest));)
        ck_assert_int_eq(nw_option_read(kind, word, &options[n++], NULL), NW_OK);
    nw_dim_spec spec = {.kind = kind,
                        .where = where,
                        .options = options,
                        .n_options = n,
                        .each = each,
                        .file = "small.lua",
                        .line = 7};
    return nw_space_add(space, &spec, err);
}

static void add(nw_space *space, nw_dim_kind kind, const char *where, bool each,
                const char *numbers)
{
    nw_error err = {.message = ""};
    nw_status status = add_numbers(space, kind, where, each, numbers, &err);
    ck_assert_msg(status == NW_OK, "%s: %s", err.where, err.message);
}

static void seal(nw_space *space)
{
    nw_error err = {.message = ""};
    nw_status status = nw_space_seal(space, &err);
    ck_assert_msg(status == NW_OK, "%s: %s", err.where, err.message);
}

static void assert_size(const nw_space *space, const char *size)
{
    nw_buf text = {0};
    nw_space_size(space, &text);
    ck_assert_str_eq(nw_buf_text(&text), size);
    nw_buf_fini(&text);
}

/* ---- declaring ---- */

START_TEST(dimensions_are_named_and_sized)
{
    nw_space *space = new_space();
    add(space, NW_DIM_CHANNELS, "2,3", true, "32 16 24 40");
    add(space, NW_DIM_VARIANT, "ibn@2", true, "ibn fused");
    add(space, NW_DIM_KERNEL, "2-3", false, "3 5");
    seal(space);
    int n;
    const nw_dim *dims = nw_space_dims(space, &n);
    ck_assert_int_eq(n, 6);
    ck_assert_str_eq(dims[0].name, "c2");
    ck_assert_str_eq(dims[1].name, "c3");
    ck_assert_str_eq(dims[4].name, "v2.2");
    ck_assert_str_eq(dims[5].name, "k2-3");
    ck_assert_int_eq(dims[0].options[0].n, 16); /* numbers ascend */
    ck_assert_int_eq(dims[0].base, 1);          /* 24 */
    ck_assert_int_eq(dims[5].base, -1);         /* k3 here, k5 there */
    ck_assert_int_eq(dims[5].n_blocks, 5);
    ck_assert_str_eq(dims[0].file, "small.lua");
    ck_assert_int_eq(dims[0].line, 7);
    assert_size(space, "256"); /* 4 x 4 x 2^3 x 2 */
    nw_space_release(space);
}
END_TEST

/* Stage 2 has three blocks, of which the last two can go; a variant each. Depth 1: one variant
 * gene, 2; depth 2: 4; depth 3: 8. */
START_TEST(genes_of_dropped_blocks_count_once)
{
    nw_space *space = new_space();
    add(space, NW_DIM_DEPTH, "2", false, "1 2 3");
    add(space, NW_DIM_VARIANT, "ibn@2", true, "ibn fused");
    seal(space);
    assert_size(space, "14");
    ck_assert_double_eq(nw_space_size_approx(space), 14);
    uint16_t genome[4] = {0, 1, 1, 1};
    nw_space_canonical(space, genome);
    ck_assert_int_eq(genome[1], 1);
    ck_assert_int_eq(genome[2] + genome[3], 0);
    nw_space_release(space);
}
END_TEST

START_TEST(sizes_beyond_64_bits_are_exact)
{
    nw_space *space = new_space();
    nw_option options[249];
    for (int i = 0; i < 249; i++)
        options[i] = (nw_option){.n = 8 + i};
    nw_dim_spec spec = {
        .kind = NW_DIM_CHANNELS, .where = "*", .options = options, .n_options = 249, .each = true};
    nw_error err;
    ck_assert_int_eq(nw_space_add(space, &spec, &err), NW_OK);
    add(space, NW_DIM_KERNEL, "2-3", true, "1 3 5 7 9 11 13");
    add(space, NW_DIM_VARIANT, "2-3", true, "ibn fused tucker:0.25 tucker:0.75");
    add(space, NW_DIM_EXPANSION, "2-3", true, "1 1.5 2 2.5 3 3.5 4 4.5 5 5.5 6 6.5 7 7.5 8 8.5");
    int n;
    nw_space_dims(space, &n);
    ck_assert_int_eq(n, 4 + 5 + 5 + 5); /* the last map is an output: its channels are fixed */
    seal(space);
    assert_size(space, "69372518014483030867968"); /* 249^4 x 7^5 x 4^5 x 16^5 */
    nw_space_release(space);
}
END_TEST

START_TEST(a_stage_may_grow)
{
    nw_space *space = new_space();
    add(space, NW_DIM_VARIANT, "ibn@3", true, "ibn fused");
    add(space, NW_DIM_DEPTH, "3", false, "1 2 4");
    add(space, NW_DIM_KERNEL, "3.3", true, "3 5");
    seal(space);
    int n;
    const nw_dim *dims = nw_space_dims(space, &n);
    ck_assert_int_eq(n, 4);
    ck_assert_int_eq(dims[2].base, 1);    /* two blocks in the file */
    ck_assert_int_eq(dims[1].depth_n, 2); /* declared before the stage grew */
    ck_assert_int_eq(dims[3].depth_n, 4);
    uint16_t genome[4];
    const nw_arch *arch;
    nw_error err;
    for (int d = 0; d < 3; d++) {
        nw_space_base_genome(space, genome);
        genome[2] = (uint16_t)d;
        ck_assert_int_eq(nw_space_arch(space, genome, &arch, &err), NW_OK);
        ck_assert_ptr_eq(nw_arch_find_block(arch, "3.4"), NULL);
        ck_assert_int_eq(nw_arch_find_block(arch, "3.3") != NULL, d == 2);
        ck_assert_int_eq(nw_arch_find_block(arch, "3.1") != NULL, d >= 1);
        nw_arch_release(arch);
    }
    nw_space_release(space);
}
END_TEST

/* ---- what is refused ---- */

static const struct {
    nw_dim_kind kind;
    const char *where, *options, *words;
} refused[] = {
    {NW_DIM_CHANNELS, "9", "16", "'9' picks no block: the network has stages 0 to 4"},
    {NW_DIM_CHANNELS, "nonsense", "16", "'nonsense' names no blocks"},
    {NW_DIM_CHANNELS, "2", "16 24 16", "the option 16 of channels stands there twice"},
    {NW_DIM_CHANNELS, "2", "", "needs options: the list is empty"},
    {NW_DIM_CHANNELS, "2", "0", "0 is no value of a dimension of channels"},
    {NW_DIM_KERNEL, "2", "4", "4 is no value of a dimension of kernel"},
    {NW_DIM_EXPANSION, "0", "4", "block 0.0 of kind conv has no expansion to vary"},
    {NW_DIM_VARIANT, "2.0", "ibn ibn", "the option ibn of variant stands there twice"},
    {NW_DIM_DEPTH, "2-3", "1 2", "a depth is of one stage"},
    {NW_DIM_RESOLUTION, "2", "64x64", "the resolution is of the whole network"},
};

START_TEST(mistakes_are_refused_where_they_stand)
{
    nw_space *space = new_space();
    nw_error err = {.message = ""};
    nw_status status =
        add_numbers(space, refused[_i].kind, refused[_i].where, false, refused[_i].options, &err);
    ck_assert_int_eq(status, NW_INVALID);
    ck_assert_str_eq(err.where, "small.lua:7");
    ck_assert_msg(strstr(err.message, refused[_i].words) != NULL, "%s", err.message);
    ck_assert_int_eq(nw_space_n_dims(space), 0);
    nw_space_release(space);
}
END_TEST

START_TEST(a_parameter_belongs_to_one_dimension)
{
    nw_space *space = new_space();
    nw_error err;
    add(space, NW_DIM_CHANNELS, "2", false, "16 24");
    ck_assert_int_eq(add_numbers(space, NW_DIM_WIDTH, "*", false, "0.5 1", &err), NW_INVALID);
    ck_assert_msg(strstr(err.message, "dimension 'c2' of small.lua:7 has the") != NULL, "%s",
                  err.message);
    ck_assert_int_eq(add_numbers(space, NW_DIM_CHANNELS, "2", false, "16 24", &err), NW_INVALID);
    ck_assert_int_eq(nw_space_n_dims(space), 1);
    nw_space_release(space);
}
END_TEST

START_TEST(an_option_that_breaks_the_network_is_named_when_sealing)
{
    nw_space *space = new_space();
    nw_error err;
    add(space, NW_DIM_VARIANT, "0", false, "conv fused");
    ck_assert_int_eq(nw_space_seal(space, &err), NW_INVALID);
    ck_assert_str_eq(err.where, "small.lua:7");
    ck_assert_msg(strncmp(err.message, "option fused of dimension 'v0' breaks the network: ", 50) ==
                      0,
                  "%s", err.message);
    nw_space_release(space);
}
END_TEST

START_TEST(a_space_of_nothing_is_refused_and_of_one_point_is_not)
{
    nw_space *space = new_space();
    nw_error err;
    ck_assert_int_eq(nw_space_seal(space, &err), NW_INVALID);
    add(space, NW_DIM_CHANNELS, "2", false, "24");
    seal(space);
    assert_size(space, "1");
    nw_space_release(space);
}
END_TEST

/* ---- requirements ---- */

static const struct {
    const char *text;
    int n_met; /* of 3 x 3 x 2: c2 16 24 32, c3 24 32 40, v2.0 ibn fused; -1: no requirement */
} requirements[] = {
    {"c2 <= c3", 16},      {"c2 < c3", 12},      {"c2 + c3 > 60", 6},
    {"c3 - c2 >= 16", 6},  {"2*c2 == c3", 2},    {"c2 ~= 24", 12},
    {"v2.0 == fused", 9},  {"v2.0 ~= fused", 9}, {"c2 <=", -1},
    {"c2 <= c9", -1},      {"c2", -1},           {"v2.0 < fused", -1},
    {"v2.0 + c2 > 3", -1}, {"c2 <= c3 c3", -1},  {"", -1},
};

START_TEST(requirements_mean_what_they_say)
{
    nw_space *space = new_space();
    nw_error err = {.message = ""};
    add(space, NW_DIM_CHANNELS, "2", false, "16 24 32");
    add(space, NW_DIM_CHANNELS, "3", false, "24 32 40");
    add(space, NW_DIM_VARIANT, "2.0", false, "ibn fused");
    nw_status status = nw_space_require(space, requirements[_i].text, "small.lua", 9, &err);
    ck_assert_int_eq(status == NW_OK, requirements[_i].n_met >= 0);
    if (status == NW_OK) {
        seal(space);
        int n_met = 0;
        for (uint16_t i = 0; i < 18; i++) {
            uint16_t genome[3] = {i % 3, i / 3 % 3, i / 9};
            n_met += nw_space_allows(space, genome, NULL, 0);
        }
        ck_assert_int_eq(n_met, requirements[_i].n_met);
    } else {
        ck_assert_str_eq(err.where, "small.lua:9");
    }
    nw_space_release(space);
}
END_TEST

START_TEST(requirements_that_nothing_meets_are_refused)
{
    static const char *const impossible[][2] = {{"c2 > 100", "c2 > 100"},
                                                {"c2 < c3 - 10", "c2 > c3 - 12"}};
    for (int i = 0; i < 2; i++) {
        nw_space *space = new_space();
        nw_error err = {.message = ""};
        add(space, NW_DIM_CHANNELS, "2", false, "16 32");
        add(space, NW_DIM_CHANNELS, "3", false, "32 40");
        for (int k = 0; k < 2; k++)
            ck_assert_int_eq(nw_space_require(space, impossible[i][k], "f", 1, &err), NW_OK);
        ck_assert_int_eq(nw_space_seal(space, &err), NW_INVALID);
        ck_assert_msg(strstr(err.message, "no genome meets") != NULL, "%s", err.message);
        nw_space_release(space);
    }
}
END_TEST

/* ---- genomes ---- */

static nw_space *varied_space(void)
{
    nw_space *space = new_space();
    add(space, NW_DIM_RESOLUTION, "*", false, "64x64 96x96");
    add(space, NW_DIM_DEPTH, "2", false, "1 2 3");
    add(space, NW_DIM_CHANNELS, "0-3", true, "8 16 24 40 64");
    add(space, NW_DIM_VARIANT, "ibn", true, "ibn fused tucker:0.75");
    add(space, NW_DIM_KERNEL, "2", false, "3 5");
    add(space, NW_DIM_EXPANSION, "2-3", true, "2 4 6.5");
    add(space, NW_DIM_SQUEEZE, "3", true, "0 0.25");
    add(space, NW_DIM_PRECISION, "4", false, "file int16");
    seal(space);
    return space;
}

START_TEST(genomes_round_trip_as_text)
{
    nw_space *space = varied_space();
    int n = nw_space_n_dims(space);
    uint16_t genome[64], again[64];
    nw_rng rng = nw_rng_make(3, 0);
    nw_error err = {.message = ""};
    for (int i = 0; i < 200; i++) {
        nw_buf text = {0};
        nw_space_random(space, &rng, genome);
        nw_genome_write(space, genome, &text);
        ck_assert_msg(nw_genome_read(space, nw_buf_text(&text), again, &err) == NW_OK, "%s: %s",
                      err.where, err.message);
        ck_assert_mem_eq(genome, again, (size_t)n * sizeof *genome);
        nw_buf_fini(&text);
    }
    nw_space_release(space);
}
END_TEST

static const char *const broken_genomes[][2] = {
    {"c2=25", "c2 has no option 25"},
    {"c9=8", "no dimension c9"},
    {"c2", "is no gene"},
    {"c2=24 c2=24", "twice"},
    {"small@0 c2=24", "of another version"},
    {"c2=\x1b[2J", "c2 has no option \\x1b[2J"},
};

START_TEST(genomes_that_are_none_are_refused)
{
    nw_space *space = varied_space();
    uint16_t genome[64];
    nw_error err = {.message = ""};
    ck_assert_int_eq(nw_genome_read(space, broken_genomes[_i][0], genome, &err), NW_INVALID);
    nw_buf said = {0};
    nw_buf_printf(&said, "%s %s", err.where, err.message);
    ck_assert_msg(strstr(nw_buf_text(&said), broken_genomes[_i][1]) != NULL, "%s",
                  nw_buf_text(&said));
    nw_buf_fini(&said);
    nw_space_release(space);
}
END_TEST

/* ---- networks ---- */

/* One edit after the other, each a copy of the network of its own, against all at once. */
START_TEST(a_genome_is_the_network_of_its_edits)
{
    nw_space *space = varied_space();
    nw_realiser *realiser = nw_realiser_new(space);
    nw_rng rng = nw_rng_make(4, 0);
    uint16_t genome[64];
    nw_error err = {.message = ""};
    for (int i = 0; i < 60; i++) {
        const nw_arch *quick, *slow;
        nw_edit *edits;
        int n;
        nw_space_random(space, &rng, genome);
        nw_status status = nw_realiser_make(realiser, genome, &quick, &err);
        ck_assert_msg(status == NW_OK, "%s: %s", err.where, err.message);
        ck_assert_int_eq(nw_space_edits(space, genome, &edits, &n, &err), NW_OK);
        ck_assert_int_eq(nw_arch_apply(nw_space_base(space), edits, n, &slow, NULL, &err), NW_OK);
        nw_counts a, b;
        nw_graph_count(nw_arch_graph(quick), &a);
        nw_graph_count(nw_arch_graph(slow), &b);
        ck_assert_int_eq(a.macs, b.macs);
        ck_assert_int_eq(a.params, b.params);
        ck_assert_int_eq(nw_arch_graph(quick)->n_nodes, nw_arch_graph(slow)->n_nodes);
        nw_arch_release(quick);
        nw_arch_release(slow);
        free(edits);
    }
    nw_realiser_free(realiser);
    nw_space_release(space);
}
END_TEST

/* MobileNetV2's rule: a block expands its input sixfold, whatever the input's channels. */
START_TEST(expansions_follow_the_channels)
{
    nw_space *space = new_space();
    add(space, NW_DIM_CHANNELS, "2", false, "24 40");
    seal(space);
    uint16_t genome[1] = {1};
    const nw_arch *arch;
    nw_error err;
    ck_assert_int_eq(nw_space_arch(space, genome, &arch, &err), NW_OK);
    ck_assert_int_eq(nw_arch_find_block(arch, "2.0")->mid_c, 96);
    ck_assert_int_eq(nw_arch_find_block(arch, "2.1")->mid_c, 240);
    ck_assert_int_eq(nw_arch_find_block(arch, "3.0")->mid_c, 240);
    ck_assert_int_eq(nw_arch_find_block(arch, "3.0")->in_c, 40);
    nw_arch_release(arch);
    nw_space_release(space);
}
END_TEST

/* Stage 2 has 24 channels: 0.5 times that in multiples of 16 is 16, twice that 48; 1 leaves it. */
START_TEST(widths_are_rounded_but_one_leaves_all_as_it_is)
{
    static const int64_t channels[] = {16, 24, 48};
    nw_space *space = new_space();
    add(space, NW_DIM_WIDTH, "2", false, "0.5/16 1/16 2/16");
    seal(space);
    ck_assert_int_eq(nw_space_dims(space, NULL)[0].base, 1);
    for (uint16_t i = 0; i < 3; i++) {
        const nw_arch *arch;
        nw_error err;
        ck_assert_int_eq(nw_space_arch(space, &i, &arch, &err), NW_OK);
        ck_assert_int_eq(nw_arch_find_block(arch, "2.0")->out_c, channels[i]);
        nw_arch_release(arch);
    }
    nw_space_release(space);
}
END_TEST

START_TEST(a_restricted_space_holds_the_same_networks)
{
    nw_space *space = varied_space();
    int n;
    const nw_dim *dims = nw_space_dims(space, &n);
    uint8_t keep[64][64] = {{0}};
    const uint8_t *rows[64];
    for (int d = 0; d < n; d++) {
        rows[d] = keep[d];
        for (int i = 0; i < dims[d].n_options; i += 2)
            keep[d][i] = 1;
    }
    const nw_space *part;
    nw_error err;
    ck_assert_int_eq(nw_space_restrict(space, rows, "part", &part, &err), NW_OK);
    uint16_t genome[64], wide[64], back[64];
    nw_rng rng = nw_rng_make(5, 0);
    for (int i = 0; i < 20; i++) {
        const nw_arch *a, *b;
        nw_space_random(part, &rng, genome);
        nw_space_widen(part, space, genome, wide);
        ck_assert(nw_space_narrow(part, space, wide, false, back));
        ck_assert_mem_eq(genome, back, (size_t)n * sizeof *genome);
        ck_assert_int_eq(nw_space_arch(part, genome, &a, &err), NW_OK);
        ck_assert_int_eq(nw_space_arch(space, wide, &b, &err), NW_OK);
        char *x = json_of(a), *y = json_of(b);
        ck_assert_str_eq(x, y);
        free(x);
        free(y);
        nw_arch_release(a);
        nw_arch_release(b);
    }
    memset(keep[3], 0, sizeof keep[3]);
    const nw_space *none;
    ck_assert_int_eq(nw_space_restrict(space, rows, "none", &none, &err), NW_INVALID);
    nw_space_release(part);
    nw_space_release(space);
}
END_TEST

static const char *const models[] = {"tv_mobilenet_v2_w035_224.onnx",
                                     "tv_ssdlite320_mobilenet_v3_large_2cls.onnx",
                                     "tv_lraspp_mobilenet_v3_small_256.onnx",
                                     "mobilenet_v2_1.0_224_quant.tflite",
                                     "mcunet_vww.tflite",
                                     "yunet_n_320.onnx",
                                     "person_detect_rpi_fp16.tflite"};

/* The edits of a genome, one upon the other, make the network that all at once make. */
static void assert_same_by_edits(const nw_space *space, const uint16_t *genome,
                                 const nw_arch *quick, const char *model)
{
    const nw_arch *slow;
    nw_edit *edits;
    int n;
    nw_error err = {.message = ""};
    nw_counts a, b;
    nw_status status = nw_space_edits(space, genome, &edits, &n, &err);
    ck_assert_msg(status == NW_OK, "%s: %s: %s", model, err.where, err.message);
    status = nw_arch_apply(nw_space_base(space), edits, n, &slow, NULL, &err);
    ck_assert_msg(status == NW_OK, "%s: %s: %s", model, err.where, err.message);
    nw_graph_count(nw_arch_graph(quick), &a);
    nw_graph_count(nw_arch_graph(slow), &b);
    ck_assert_msg(a.macs == b.macs, "%s: %lld MACs at once, %lld one by one", model,
                  (long long)a.macs, (long long)b.macs);
    nw_arch_release(slow);
    free(edits);
}

START_TEST(any_imported_network_is_a_space)
{
    const nw_arch *arch = arch_of_model(models[_i]);
    if (!arch)
        return;
    nw_space *space;
    nw_error err = {.message = ""};
    nw_status status = nw_space_of_model(arch, 8, &space, &err);
    ck_assert_msg(status == NW_OK, "%s: %s: %s", models[_i], err.where, err.message);
    nw_realiser *realiser = nw_realiser_new(space);
    uint16_t genome[NW_MAX_DIMS];
    nw_rng rng = nw_rng_make(6, 0);
    for (int i = 0; i < 30; i++) {
        const nw_arch *made;
        nw_space_random(space, &rng, genome);
        status = nw_realiser_make(realiser, genome, &made, &err);
        ck_assert_msg(status == NW_OK, "%s: %s: %s", models[_i], err.where, err.message);
        if (i % 5 == 0)
            assert_same_by_edits(space, genome, made, models[_i]);
        nw_arch_release(made);
    }
    nw_realiser_free(realiser);
    nw_space_release(space);
    nw_arch_release(arch);
}
END_TEST

#define COUNT_OF(array) (int)(sizeof(array) / sizeof *(array))

int main(void)
{
    Suite *suite = suite_create("space");
    TCase *declaring = tcase_create("declaring");
    TCase *networks = tcase_create("networks");
    tcase_set_timeout(networks, 300);
    tcase_set_timeout(declaring, 60);
    tcase_add_test(declaring, dimensions_are_named_and_sized);
    tcase_add_test(declaring, genes_of_dropped_blocks_count_once);
    tcase_add_test(declaring, sizes_beyond_64_bits_are_exact);
    tcase_add_test(declaring, a_stage_may_grow);
    tcase_add_loop_test(declaring, mistakes_are_refused_where_they_stand, 0, COUNT_OF(refused));
    tcase_add_test(declaring, a_parameter_belongs_to_one_dimension);
    tcase_add_test(declaring, an_option_that_breaks_the_network_is_named_when_sealing);
    tcase_add_test(declaring, a_space_of_nothing_is_refused_and_of_one_point_is_not);
    tcase_add_loop_test(declaring, requirements_mean_what_they_say, 0, COUNT_OF(requirements));
    tcase_add_test(declaring, requirements_that_nothing_meets_are_refused);
    tcase_add_test(networks, genomes_round_trip_as_text);
    tcase_add_loop_test(networks, genomes_that_are_none_are_refused, 0, COUNT_OF(broken_genomes));
    tcase_add_test(networks, a_genome_is_the_network_of_its_edits);
    tcase_add_test(networks, expansions_follow_the_channels);
    tcase_add_test(networks, widths_are_rounded_but_one_leaves_all_as_it_is);
    tcase_add_test(networks, a_restricted_space_holds_the_same_networks);
    tcase_add_loop_test(networks, any_imported_network_is_a_space, 0, COUNT_OF(models));
    suite_add_tcase(suite, declaring);
    suite_add_tcase(suite, networks);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
