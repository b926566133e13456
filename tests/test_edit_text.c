/* Edits as lines of text: what is written reads back the same, what is no edit is refused in one
 * line that says what is wrong. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/edit.h"
#include "src/base/rng.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* As they stand in arch.h, and as they are written. */
static const char *const lines[] = {
    "variant 2.1 fused",
    "variant ibn@1-3 fused e=4",
    "channels 3 64",
    "channels * nearest 32",
    "channels ibn@* up 8",
    "expansion 2.1 4",
    "expansion 2.1 c=96",
    "expansion ibn down 16",
    "kernel 3.0 5",
    "depth 4 3",
    "width 0.75 8",
    "width 1.25",
    "resolution 256 320",
    "precision 2.1 int16",
    "precision * float16",
    "precision 2 file",
    "squeeze 3 0.25",
    "squeeze * 0",
    "act * relu",
    "act 1.0 none",
    "residual 2.1 off",
    "residual * on",
    "join 2.1",
    "split 2.1 Add",
    "split 2.1 a name with blanks",
    "stride 1.0 2",
    "variant 1-3.0 dsep",
};

static void assert_same(const nw_edit *a, const nw_edit *b, const char *line)
{
    bool is_same = a->kind == b->kind && a->where.kind == b->where.kind &&
                   a->where.first_stage == b->where.first_stage &&
                   a->where.last_stage == b->where.last_stage && a->where.index == b->where.index &&
                   a->block == b->block && a->mode == b->mode && a->count == b->count &&
                   a->count2 == b->count2 && a->number == b->number && a->act == b->act &&
                   strcmp(a->text, b->text) == 0;
    ck_assert_msg(is_same, "%s reads back as another edit", line);
}

START_TEST(a_line_is_written_as_it_was_read)
{
    nw_edit edit;
    nw_error err;
    nw_buf out = {0};
    const char *line = lines[_i];
    ck_assert_msg(nw_edit_read(line, &edit, &err) == NW_OK, "%s: %s", line, err.message);
    nw_edit_write(&edit, &out);
    if (strcmp(line, "channels ibn@* up 8") == 0)
        line = "channels ibn up 8";
    ck_assert_str_eq(nw_buf_text(&out), line);
    nw_buf_fini(&out);
}
END_TEST

static const struct {
    const char *short_form, *line;
} aliases[] = {
    {"fuse 2.1", "variant 2.1 fused"},
    {"fuse ibn@1-3 4", "variant ibn@1-3 fused e=4"},
    {"align * 32", "channels * nearest 32"},
    {"align 2 down 8", "channels 2 down 8"},
    {"  variant\t2.1   er  ", "variant 2.1 fused"},
    {"variant mbconv ds", "variant ibn dsep"},
    {"act * silu", "act * swish"},
    {"precision 1 fp16", "precision 1 float16"},
    {"resolution 224", "resolution 224 224"},
    {"expansion 1.0 set 96", "expansion 1.0 c=96"},
    {"variant ir tu", "variant ibn tucker"},
    {"variant mbconv fused_ibn e=3", "variant ibn fused e=3"},
    {"variant ibn fused_mbconv", "variant ibn fused"},
    {"channels cn set 24", "channels conv 24"},
    {"act 1 hswish", "act 1 hard_swish"},
    {"act 1 identity", "act 1 none"},
    {"precision 1 uint8", "precision 1 int8"},
    {"squeeze ibn@2-2.0 0", "squeeze ibn@2.0 0"},
    {"width 7.5e-1 8", "width 0.75 8"},
};

START_TEST(short_forms_are_the_long_ones)
{
    nw_edit edit;
    nw_error err;
    nw_buf out = {0};
    ck_assert_msg(nw_edit_read(aliases[_i].short_form, &edit, &err) == NW_OK, "%s: %s",
                  aliases[_i].short_form, err.message);
    nw_edit_write(&edit, &out);
    ck_assert_str_eq(nw_buf_text(&out), aliases[_i].line);
    nw_buf_fini(&out);
}
END_TEST

static const struct {
    const char *line, *why;
} broken[] = {
    {"", "no edit"},
    {"   ", "no edit"},
    {"melt 2.1", "'melt' is no edit"},
    {"variant", "which blocks is missing"},
    {"variant 2.1", "the kind of block to become is missing"},
    {"variant 2.1 round", "'round' is no kind of block"},
    {"variant 2.1 fused e=", "the expansion is \"\""},
    {"variant 2.1 fused e=-4", "a number from"},
    {"variant 3-1 fused", "names no blocks"},
    {"variant 2.1.1 fused", "names no blocks"},
    {"variant blob fused", "'blob' is no kind of block"},
    {"variant 99999999999999999999 fused", "names no blocks"},
    {"channels 2 0", "a whole number from 1"},
    {"channels 2 12.5", "a whole number"},
    {"channels 2 sideways 8", "a whole number"},
    {"channels 2 99999999999", "a whole number"},
    {"kernel 2.1 4", "kernels are odd"},
    {"kernel 2.1 0", "a whole number from 1 to 99"},
    {"stride 2.1 3", "from 1 to 2"},
    {"depth 2 0", "from 1"},
    {"width nan", "a number from"},
    {"width inf 8", "a number from"},
    {"width 0x2 8", "a number from"},
    {"resolution 0 5", "from 1 to 65536"},
    {"precision * int7", "'int7' is no element type"},
    {"act * step", "'step' is no activation"},
    {"residual 1.0 maybe", "neither on nor off"},
    {"residual 1.0 on twice", "'twice' stands behind the end"},
    {"kernel -1 5", "'-1'"},
    {"kernel 2. 5", "'2.'"},
    {"variant ibn@ fused", "'ibn@'"},
    {"kernel 2.1 5x", "\"5x\""},
    {"channels 2.1 up", "how many channels is missing"},
    {"resolution 256x256", "\"256x256\""},
    {"act 2.1 \x1b[31mrelu", "one line"},
    {"kernel 2.1 5\nkernel 2.2 5", "one line of plain text"},
    {"split 1.0 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
     "63 are kept"},
};

START_TEST(what_is_no_edit_is_refused_in_one_line)
{
    nw_edit edit = {.count = 77};
    nw_error err;
    ck_assert_int_eq(nw_edit_read(broken[_i].line, &edit, &err), NW_INVALID);
    ck_assert_msg(strstr(err.message, broken[_i].why) != NULL, "\"%s\" says: %s", broken[_i].line,
                  err.message);
    ck_assert(strchr(err.message, '\n') == NULL && strchr(err.where, '\n') == NULL);
    ck_assert_int_eq(edit.count, 77); /* nothing is written on failure */
}
END_TEST

static void draw_values(nw_rng *rng, nw_edit *edit)
{
    static const nw_op acts[] = {NW_OP_IDENTITY, NW_OP_RELU,       NW_OP_RELU6, NW_OP_HARD_SWISH,
                                 NW_OP_SWISH,    NW_OP_LEAKY_RELU, NW_OP_GELU};
    double number = (double)nw_rng_range(rng, 1, 100000) / 1024.0 / 3.0 + 0.01;
    int64_t count = nw_rng_range(rng, 1, 4096);
    edit->count = count;
    switch (edit->kind) {
    case NW_EDIT_VARIANT:
        edit->count = 0;
        edit->block = (nw_block_kind)nw_rng_range(rng, 0, NW_BLOCK_COUNT - 1);
        edit->number = nw_rng_range(rng, 0, 1) ? number : 0;
        break;
    case NW_EDIT_EXPANSION:
    case NW_EDIT_CHANNELS:
        edit->mode = (nw_count_mode)nw_rng_range(rng, 0, 3);
        if (edit->kind == NW_EDIT_EXPANSION && nw_rng_range(rng, 0, 1)) {
            edit->mode = NW_COUNT_SET;
            edit->count = 0;
            edit->number = number;
        }
        break;
    case NW_EDIT_KERNEL:
        edit->count = 2 * nw_rng_range(rng, 0, 9) + 1;
        break;
    case NW_EDIT_STRIDE:
        edit->count = nw_rng_range(rng, 1, 2);
        break;
    case NW_EDIT_DEPTH:
        edit->count = nw_rng_range(rng, 1, 1000);
        break;
    case NW_EDIT_WIDTH:
        edit->number = number;
        edit->count = nw_rng_range(rng, 0, 64);
        break;
    case NW_EDIT_RESOLUTION:
        edit->count2 = nw_rng_range(rng, 1, 65536);
        break;
    case NW_EDIT_PRECISION:
        edit->count = 16;
        edit->number = (double)nw_rng_range(rng, 0, 1);
        break;
    case NW_EDIT_SQUEEZE:
        edit->count = 0;
        edit->number = nw_rng_range(rng, 0, 3) ? number : 0;
        break;
    case NW_EDIT_ACT:
        edit->count = 0;
        edit->act = acts[nw_rng_range(rng, 0, (int64_t)COUNT_OF(acts) - 1)];
        break;
    case NW_EDIT_RESIDUAL:
        edit->count = nw_rng_range(rng, 0, 1);
        break;
    default:
        edit->count = 0;
        snprintf(edit->text, sizeof edit->text, "%s", nw_rng_range(rng, 0, 1) ? "Add" : "");
        break;
    }
}

START_TEST(any_edit_reads_back_the_same)
{
    nw_rng rng = nw_rng_make(5, 0);
    for (int i = 0; i < 20000; i++) {
        nw_edit edit, again;
        nw_error err;
        nw_buf out = {0};
        nw_edit_init(&edit, (nw_edit_kind)nw_rng_range(&rng, 0, NW_EDIT_COUNT - 1));
        draw_values(&rng, &edit);
        if (edit.kind != NW_EDIT_WIDTH && edit.kind != NW_EDIT_RESOLUTION) {
            edit.where.kind = (int)nw_rng_range(&rng, -1, NW_BLOCK_COUNT - 1);
            edit.where.first_stage = (int)nw_rng_range(&rng, -1, 20);
            edit.where.last_stage = edit.where.first_stage < 0
                                        ? -1
                                        : edit.where.first_stage + (int)nw_rng_range(&rng, 0, 4);
            edit.where.index = (int)nw_rng_range(&rng, -1, 9);
        }
        nw_edit_write(&edit, &out);
        ck_assert_msg(nw_edit_read(nw_buf_text(&out), &again, &err) == NW_OK, "%s: %s",
                      nw_buf_text(&out), err.message);
        assert_same(&edit, &again, nw_buf_text(&out));
        nw_buf_fini(&out);
    }
}
END_TEST

START_TEST(noise_is_refused_without_harm)
{
    static const char letters[] = "variantfused2.1-3*@= \t0e+-.~\xff\x80:cn";
    nw_rng rng = nw_rng_make(6, 0);
    for (int i = 0; i < 20000; i++) {
        char line[80];
        int n = (int)nw_rng_range(&rng, 0, (int64_t)sizeof line - 1);
        for (int k = 0; k < n; k++)
            line[k] = letters[nw_rng_range(&rng, 0, (int64_t)sizeof letters - 2)];
        line[n] = '\0';
        if (i % 2 && n > 12)
            memcpy(line, "variant 2.1 ", 12);
        nw_edit edit;
        nw_error err;
        nw_status status = nw_edit_read(line, &edit, &err);
        ck_assert(status == NW_OK || (status == NW_INVALID && err.message[0]));
    }
}
END_TEST

static char *write_line(const nw_edit *edit)
{
    nw_buf text = {0};
    nw_edit_write(edit, &text);
    return text.text;
}

/* Words of the language, with bytes of all kinds between. */
START_TEST(no_text_crashes_the_reader_and_what_it_takes_is_written_the_same_again)
{
    static const char *const words[] = {"variant", "channels", "2.1",  "ibn@1-3", "*",    "fused",
                                        "nearest", "e=4",      "c=96", "0.75",    "int8", "join",
                                        "split",   "relu",     "off",  "@",       "-",    "."};
    nw_rng rng = nw_rng_make(2, 0);
    for (int i = 0; i < 50000; i++) {
        char line[512] = "";
        size_t length = 0;
        for (int64_t n = nw_rng_range(&rng, 0, 6); n > 0; n--) {
            bool is_word = nw_rng_range(&rng, 0, 3) != 0;
            const char *word = words[nw_rng_range(&rng, 0, 17)];
            char byte[2] = {(char)nw_rng_range(&rng, 1, 255), '\0'};
            length += (size_t)snprintf(line + length, sizeof line - length, "%s%s",
                                       is_word ? word : byte, nw_rng_range(&rng, 0, 7) ? " " : "");
        }
        nw_edit edit, again;
        nw_error err = {.message = ""};
        if (nw_edit_read(line, &edit, &err) != NW_OK) {
            ck_assert(err.message[0] != '\0');
            continue;
        }
        char *text = write_line(&edit);
        ck_assert_msg(nw_edit_read(text, &again, &err) == NW_OK, "'%s': %s", text, err.message);
        char *twice = write_line(&again);
        ck_assert_str_eq(text, twice);
        free(twice);
        free(text);
    }
}
END_TEST

START_TEST(selectors_pick_what_they_say)
{
    static const struct {
        const char *text;
        int kind, stage, index;
        bool picks;
    } cases[] = {
        {"2.1", NW_BLOCK_IBN, 2, 1, true},        {"2.1", NW_BLOCK_IBN, 2, 0, false},
        {"2.1", NW_BLOCK_IBN, 12, 1, false},      {"2", NW_BLOCK_OP, 2, 7, true},
        {"2", NW_BLOCK_OP, 3, 7, false},          {"1-3", NW_BLOCK_CONV, 1, 0, true},
        {"1-3", NW_BLOCK_CONV, 3, 0, true},       {"1-3", NW_BLOCK_CONV, 4, 0, false},
        {"1-3.0", NW_BLOCK_CONV, 2, 0, true},     {"1-3.0", NW_BLOCK_CONV, 2, 1, false},
        {"ibn", NW_BLOCK_IBN, 9, 9, true},        {"ibn", NW_BLOCK_FUSED, 9, 9, false},
        {"ibn@1-3", NW_BLOCK_IBN, 3, 2, true},    {"ibn@1-3", NW_BLOCK_IBN, 0, 2, false},
        {"mbconv@2.1", NW_BLOCK_IBN, 2, 1, true}, {"*", NW_BLOCK_OP, 30, 0, true},
        {"*.0", NW_BLOCK_HEAD, 5, 0, true},       {"*.0", NW_BLOCK_HEAD, 5, 1, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nw_selector where;
        nw_error err;
        nw_block block = {
            .kind = (nw_block_kind)cases[i].kind, .stage = cases[i].stage, .index = cases[i].index};
        ck_assert_int_eq(nw_selector_read(cases[i].text, &where, &err), NW_OK);
        ck_assert_msg(nw_selector_matches(&where, &block) == cases[i].picks, "%s and %d.%d",
                      cases[i].text, block.stage, block.index);
    }
}
END_TEST

START_TEST(a_line_of_a_million_bytes_is_refused_in_one_line)
{
    static const char *const starts[] = {"",         "variant ", "variant ibn@", "kernel 2.1 ",
                                         "split * ", "width "};
    size_t size = 1000000;
    char *line = malloc(size + 1);
    ck_assert_ptr_nonnull(line);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        nw_edit edit;
        nw_error err;
        memset(line, '7', size);
        line[size] = '\0';
        memcpy(line, starts[i], strlen(starts[i]));
        ck_assert_int_eq(nw_edit_read(line, &edit, &err), NW_INVALID);
        ck_assert_uint_lt(strlen(err.message), sizeof err.message - 1);
    }
    free(line);
}
END_TEST

START_TEST(every_kind_has_a_name_and_is_found_by_it)
{
    for (int kind = 0; kind < NW_EDIT_COUNT; kind++)
        ck_assert_int_eq(nw_edit_kind_find(nw_edit_kind_name((nw_edit_kind)kind)), kind);
    ck_assert_int_eq(nw_edit_kind_find("fuse"), NW_EDIT_VARIANT);
    ck_assert_int_eq(nw_edit_kind_find("align"), NW_EDIT_CHANNELS);
    ck_assert_int_eq(nw_edit_kind_find("melt"), NW_EDIT_COUNT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edit_text");
    TCase *tcase = tcase_create("edit_text");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_line_is_written_as_it_was_read, 0, (int)COUNT_OF(lines));
    tcase_add_loop_test(tcase, short_forms_are_the_long_ones, 0, (int)COUNT_OF(aliases));
    tcase_add_loop_test(tcase, what_is_no_edit_is_refused_in_one_line, 0, (int)COUNT_OF(broken));
    tcase_add_test(tcase, any_edit_reads_back_the_same);
    tcase_add_test(tcase, noise_is_refused_without_harm);
    tcase_add_test(tcase, no_text_crashes_the_reader_and_what_it_takes_is_written_the_same_again);
    tcase_add_test(tcase, selectors_pick_what_they_say);
    tcase_add_test(tcase, a_line_of_a_million_bytes_is_refused_in_one_line);
    tcase_add_test(tcase, every_kind_has_a_name_and_is_found_by_it);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
