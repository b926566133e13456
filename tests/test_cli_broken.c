/* The program against damaged and malicious files: one line that names the file and the place, or
 * an answer, but no crash, no hang, no memory without bound, and nothing raw on the terminal. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/support_onnx.h"
#include "tests/support_run.h"
#include "tests/support_tflite.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

/* Bytes, then their file, then a run on it; format has one %s for the path. */
static run_result run_on(const char *format, const char *name, const void *bytes, size_t n)
{
    char *folder = folder_new(), words[1024];
    const char *path = folder_write(folder, name, bytes, n);
    const char *mark = strstr(format, "%s");
    snprintf(words, sizeof words, "%.*s%s%s", (int)(mark - format), format, path, mark + 2);
    run_result r = run_nasw(NULL, "%s", words);
    folder_free(folder);
    return r;
}

static void expect_refused(const char *format, const char *name, const void *bytes, size_t n,
                           const char *words)
{
    char all[512];
    snprintf(all, sizeof all, "%s|%s", name, words);
    run_result r = run_on(format, name, bytes, n);
    ck_run(run_not_refused(&r, all), &r);
    ck_run(r.status == 1 ? NULL : "another status", &r);
    run_free(&r);
}

static void expect_sound(const char *format, const char *name, const void *bytes, size_t n)
{
    run_result r = run_on(format, name, bytes, n);
    ck_run(r.status ? run_not_refused(&r, name) : run_flaw(&r), &r);
    run_free(&r);
}

#define ESTIMATE      "estimate %s --hw ne32"
#define ESTIMATE_JSON "estimate %s --hw ne32 --json"
#define WITH_HW       "estimate demo --hw %s"

/* ---- any bytes ---- */

static const struct {
    const char *path, *name, *format;
} seeds[] = {
    {"tests/corpus/onnx/conv.onnx", "m.onnx", ESTIMATE},
    {"tests/corpus/onnx/qdq.onnx", "m.onnx", ESTIMATE_JSON},
    {"tests/corpus/onnx/shapes.onnx", "m.onnx", "estimate %s --hw u55-128 --csv"},
    {"tests/corpus/tflite/conv_add.tflite", "m.tflite", ESTIMATE_JSON},
    {"tests/corpus/tflite/shapes.tflite", "m.tflite", ESTIMATE},
    {"tests/corpus/network_json/tiny.json", "m.json", ESTIMATE_JSON},
    {"tests/corpus/hw/variant.json", "h.json", WITH_HW},
    {"hw/u65-512.json", "h.json", "hw %s"},
};

START_TEST(a_file_cut_anywhere_is_answered_in_one_line)
{
    size_t n;
    char *bytes = read_text(seeds[_i].path, &n);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < 24; i++)
        expect_sound(seeds[_i].format, seeds[_i].name, bytes, n * i / 24);
    expect_sound(seeds[_i].format, seeds[_i].name, bytes, n - 1);
    free(bytes);
}
END_TEST

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

START_TEST(flipped_bits_are_answered_in_one_line)
{
    size_t n;
    char *bytes = read_text(seeds[_i].path, &n), *copy = malloc(n);
    uint64_t state = 20240229 + (uint64_t)_i;
    for (int run = 0; run < 30; run++) {
        memcpy(copy, bytes, n);
        for (uint32_t i = 0; i <= next_random(&state) % 3; i++)
            copy[next_random(&state) % n] ^= (char)(1u << next_random(&state) % 8);
        expect_sound(seeds[_i].format, seeds[_i].name, copy, n);
    }
    free(copy);
    free(bytes);
}
END_TEST

START_TEST(what_is_no_model_is_said_to_be_none)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *words;
    } cases[] = {
        {"", 0, "empty"},
        {"\0", 1, ""},
        {"hello, world\n", 13, "ONNX"},
        {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "ONNX"},
        {"PK\3\4", 4, "ONNX"},
        {"\x7f"
         "ELF\2\1\1",
         7, "ONNX"},
        {"{}", 2, ""},
        {"[]", 2, ""},
        {"{\"schema\": \"nasw.network/9\"}", 28, ""},
        {"\x1c\0\0\0TFL3", 8, "byte"},
        {"\x08\x07", 2, ""},                             /* no graph */
        {"\x08\x07\x3a\x00", 4, "no outputs"},           /* an empty graph */
        {"\x08\x07\x3a\xff\xff\xff\xff\x7f", 8, "byte"}, /* 32 GiB of graph */
        {"\x08\x07\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 12, "byte"},
    };
    for (int i = 0; i < N_OF(cases); i++)
        expect_refused(ESTIMATE, "file.bin", cases[i].bytes, cases[i].n, cases[i].words);
    expect_refused(WITH_HW, "h.json", "", 0, "JSON");
    expect_refused("hw %s", "h.json", "null", 4, "object");
    expect_refused("measure --hw ne32 --shapes %s -o -", "s.csv", "", 0, "header");
    expect_refused("measure --hw ne32 --shapes %s -o -", "s.csv", "\0\1\2", 3, "zero bytes");
}
END_TEST

/* ---- ONNX ---- */

static void refuse_onnx(nw_buf *graph, const char *words)
{
    nw_buf bytes = onnx_model(graph, 13);
    expect_refused(ESTIMATE, "m.onnx", bytes.text, bytes.length, words);
    nw_buf_fini(&bytes);
}

static void put_sizes(nw_buf *graph, int n, const int64_t *dims, size_t n_bytes)
{
    nw_buf w = onnx_tensor("weight", ONNX_FLOAT, n, dims);
    char *bytes = calloc(1, n_bytes + 1);
    onnx_put_bytes(&w, 9, bytes, n_bytes);
    onnx_put_message(graph, 5, &w);
    free(bytes);
}

START_TEST(absurd_sizes_name_their_tensor)
{
    static const struct {
        int n;
        int64_t dims[4];
    } weights[] = {{1, {-1}},
                   {2, {INT64_MIN, 2}},
                   {1, {INT64_MAX}},
                   {2, {1ll << 31, 1ll << 31}},
                   {4, {1ll << 20, 1ll << 20, 1ll << 20, 1ll << 20}},
                   {4, {1ll << 16, 1ll << 16, 1ll << 16, 1ll << 16}}, /* 2^64: 0 when it wraps */
                   {1, {1ll << 30}},
                   {2, {3, 3}}};
    for (int i = 0; i < N_OF(weights); i++) {
        nw_buf g = onnx_graph_of_xy();
        put_sizes(&g, weights[i].n, weights[i].dims, 8);
        onnx_add_node(&g, "Add", "x weight", "y");
        refuse_onnx(&g, "weight");
    }
    static const int64_t inputs[][4] = {{1, 1ll << 40, 1, 1},
                                        {1ll << 31, 1ll << 31, 1ll << 31, 1},
                                        {1ll << 16, 1ll << 16, 1ll << 16, 1ll << 16},
                                        {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
    for (int i = 0; i < N_OF(inputs); i++) {
        nw_buf g = {0};
        onnx_add_value(&g, 11, "picture", 4, inputs[i]);
        onnx_add_value(&g, 12, "y", 4, onnx_image);
        onnx_add_node(&g, "Relu", "picture", "y");
        refuse_onnx(&g, "picture");
    }
}
END_TEST

/* The largest tensor there may be, many times: the sums of costs must not overflow. */
START_TEST(networks_that_are_absurd_as_a_whole_name_where)
{
    static const int64_t big[4] = {1, 1 << 10, 1 << 15, 1 << 15},
                         kernel[4] = {1 << 10, 1 << 10, 1, 1};
    nw_buf g = {0};
    char from[16] = "x", to[16];
    float *zeros = calloc(1 << 20, sizeof *zeros);
    nw_buf w = onnx_tensor("w", ONNX_FLOAT, 4, kernel);
    onnx_put_bytes(&w, 9, zeros, sizeof *zeros << 20);
    onnx_put_message(&g, 5, &w);
    free(zeros);
    onnx_add_value(&g, 11, "x", 4, big);
    for (int i = 0; i < 2000; i++) {
        char inputs[40];
        snprintf(to, sizeof to, "t%d", i);
        snprintf(inputs, sizeof inputs, "%s w", from);
        onnx_add_node(&g, "Conv", inputs, to);
        memcpy(from, to, sizeof from);
    }
    onnx_add_value(&g, 12, to, 4, big);
    refuse_onnx(&g, "absurdly large|Conv");
}
END_TEST

START_TEST(impossible_windows_name_their_node)
{
    static const struct {
        const char *name;
        int64_t values[4];
        int n;
    } cases[] = {
        {"kernel_shape", {-5, 3}, 2},     {"kernel_shape", {0, 0}, 2},
        {"kernel_shape", {9, 9}, 2},      {"strides", {0, 1}, 2},
        {"strides", {INT64_MIN, 1}, 2},   {"dilations", {-1, 1}, 2},
        {"dilations", {1ll << 40, 1}, 2}, {"pads", {INT64_MAX, 0, INT64_MAX, 0}, 4},
        {"pads", {-9, -9, -9, -9}, 4},
    };
    for (int i = 0; i < N_OF(cases); i++) {
        nw_buf g = onnx_graph_of_xy(), n = onnx_node("MaxPool", "x", "y");
        onnx_put_text(&n, 3, "pool");
        if (strcmp(cases[i].name, "kernel_shape") != 0)
            onnx_add_ints(&n, "kernel_shape", 2, (const int64_t[]){3, 3});
        onnx_add_ints(&n, cases[i].name, cases[i].n, cases[i].values);
        onnx_put_message(&g, 1, &n);
        refuse_onnx(&g, "pool");
    }
}
END_TEST

static const struct {
    const char *nodes[2][2]; /* inputs, outputs */
    const char *words;
} wirings[] = {
    {{{"a", "b"}, {"b", "a"}}, ""},
    {{{"x b", "b"}, {"b", "y"}}, "cycle"},
    {{{"x c", "b"}, {"b", "c y"}}, "cycle"},
    {{{"x", "b"}, {"x missing", "y"}}, "missing"},
    {{{"x", "y"}, {"x", "y"}}, "'y'|second time"},
    {{{"x", "x"}, {"x", "y"}}, "'x'|second time"},
    {{{"x", "a"}, {"a", "b"}}, "'y'"},
};

START_TEST(wrong_wiring_names_its_tensor_or_node)
{
    nw_buf g = onnx_graph_of_xy();
    for (int k = 0; k < 2; k++)
        onnx_add_node(&g, "Mystery", wirings[_i].nodes[k][0], wirings[_i].nodes[k][1]);
    refuse_onnx(&g, wirings[_i].words);
}
END_TEST

START_TEST(graphs_nested_too_deep_are_refused)
{
    static const int depths[] = {100, 1000, 3000};
    for (int k = 0; k < N_OF(depths); k++) {
        nw_buf g = onnx_graph_of_xy();
        for (int i = 0; i < depths[k]; i++) {
            nw_buf n = onnx_node("If", "x", "y");
            onnx_add_message(&n, "then_branch", 5, 6, &g);
            g = onnx_graph_of_xy();
            onnx_put_message(&g, 1, &n);
        }
        refuse_onnx(&g, "nested");
    }
}
END_TEST

START_TEST(data_outside_the_models_folder_are_refused)
{
    static const char *const locations[] = {"/etc/passwd", "../weights.bin", "link.bin"};
    char *folder = folder_new(), link[600];
    snprintf(link, sizeof link, "%s/link.bin", folder);
    ck_assert_int_eq(symlink("/etc/passwd", link), 0);
    for (int i = 0; i < N_OF(locations); i++) {
        nw_buf g = onnx_graph_of_xy(), t = onnx_tensor("weight", ONNX_FLOAT, 1, onnx_image);
        nw_buf entry = {0};
        onnx_put_text(&entry, 1, "location");
        onnx_put_text(&entry, 2, locations[i]);
        onnx_put_message(&t, 13, &entry);
        onnx_put_int(&t, 14, 1);
        onnx_put_message(&g, 5, &t);
        onnx_add_node(&g, "Add", "x weight", "y");
        nw_buf bytes = onnx_model(&g, 13);
        const char *path = folder_write(folder, "m.onnx", bytes.text, bytes.length);
        run_result r = run_nasw(NULL, "estimate %s --hw ne32", path);
        ck_run(run_not_refused(&r, "m.onnx|weight|outside"), &r);
        run_free(&r);
        nw_buf_fini(&bytes);
    }
    folder_free(folder);
}
END_TEST

START_TEST(a_chain_of_20000_nodes_is_estimated)
{
    nw_buf g = {0};
    char from[16] = "x", to[16];
    onnx_add_value(&g, 11, "x", 4, onnx_image);
    for (int i = 0; i < 20000; i++) {
        snprintf(to, sizeof to, "t%d", i);
        onnx_add_node(&g, i % 2 ? "Sigmoid" : "Relu", from, to);
        memcpy(from, to, sizeof from);
    }
    onnx_add_value(&g, 12, to, 4, onnx_image);
    nw_buf bytes = onnx_model(&g, 13);
    static const char *const formats[] = {ESTIMATE, ESTIMATE_JSON, "estimate %s --hw ne32 --csv"};
    for (int i = 0; i < N_OF(formats); i++) {
        run_result r = run_on(formats[i], "m.onnx", bytes.text, bytes.length);
        ck_run(run_flaw(&r), &r);
        ck_run(r.status ? "not done" : NULL, &r);
        run_free(&r);
    }
    nw_buf_fini(&bytes);
}
END_TEST

/* One tensor read by 4000 nodes that all end in one: everything lives at once. */
START_TEST(a_fan_of_4000_branches_is_estimated)
{
    nw_buf g = {0}, join = {0};
    onnx_add_value(&g, 11, "x", 4, onnx_image);
    for (int i = 0; i < 4000; i++) {
        char to[16];
        snprintf(to, sizeof to, "t%d", i);
        onnx_add_node(&g, "Sigmoid", "x", to);
        onnx_put_text(&join, 1, to);
    }
    onnx_put_text(&join, 2, "y");
    onnx_put_text(&join, 4, "Concat");
    onnx_add_int(&join, "axis", 1);
    onnx_put_message(&g, 1, &join);
    onnx_add_value(&g, 12, "y", 0, NULL);
    nw_buf bytes = onnx_model(&g, 13);
    run_result r = run_on(ESTIMATE_JSON, "m.onnx", bytes.text, bytes.length);
    ck_run(run_flaw(&r), &r);
    ck_run(r.status ? "not done" : NULL, &r);
    run_free(&r);
    nw_buf_fini(&bytes);
}
END_TEST

/* ---- names ---- */

/* Terminal orders, C1 controls, text that runs backwards, marks, bytes that are no UTF-8; long
 * enough that labels are cut, at every place of a character of three bytes. */
static const char *const names[] = {
    "a\033]0;owned\007b",
    "a\033[2J\r\n\tb",
    "\xc2\x9b"
    "31m",
    "\xe2\x80\xae"
    "evil\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c",
    "\xff\xfe\x80",
    "\x7f",
    "\",\"x\":\"\\u0000,=cmd",
    "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc"
    "\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6"
    "\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2",
};

static char *longer(const char *name, int n_before)
{
    char *text = malloc(600);
    int at = snprintf(text, 600, "%.*s", n_before, "abcdefghi");
    while (at < 300)
        at += snprintf(text + at, (size_t)(600 - at), "%s", name);
    return text;
}

/* Everything that has a name is called so: two operators, a tensor, types, an open size. */
static nw_buf badly_named(const char *name, bool is_open)
{
    static const int64_t open[4] = {1, 3, 0, 0};
    nw_buf g = {0}, n = {0}, opaque = {0};
    onnx_put_text(&g, 2, name);
    onnx_add_value(&g, 11, name, 4, is_open ? open : onnx_image);
    onnx_put_text(&n, 1, name);
    onnx_put_text(&n, 2, "t");
    onnx_put_text(&n, 3, name);
    onnx_put_text(&n, 4, "Sigmoid");
    onnx_put_message(&g, 1, &n);
    onnx_put_text(&opaque, 1, "t");
    onnx_put_text(&opaque, 2, "y");
    onnx_put_text(&opaque, 3, name);
    onnx_put_text(&opaque, 4, name);
    onnx_put_text(&opaque, 7, name);
    onnx_put_message(&g, 1, &opaque);
    onnx_add_value(&g, 12, "y", 4, onnx_image);
    return onnx_model(&g, 13);
}

START_TEST(names_reach_no_terminal_raw)
{
    static const char *const formats[] = {ESTIMATE, ESTIMATE_JSON, "estimate %s --hw ne32 --csv"};
    for (int i = 0; i < 4; i++) {
        char *name = i ? longer(names[_i], i - 1) : strdup(names[_i]);
        nw_buf good = badly_named(name, false), open = badly_named(name, true);
        for (int k = 0; k < N_OF(formats); k++) {
            run_result r = run_on(formats[k], "m.onnx", good.text, good.length);
            ck_run(run_flaw(&r), &r);
            ck_run(r.status ? "not done" : NULL, &r);
            run_free(&r);
            expect_refused(formats[k], "m.onnx", open.text, open.length, "axis 2");
        }
        nw_buf_fini(&good);
        nw_buf_fini(&open);
        free(name);
    }
}
END_TEST

START_TEST(names_of_tflite_files_reach_no_terminal_raw)
{
    char *name = longer(names[_i], 1);
    const made_tensor tensors[] = {{name, 0, 2, {1, 8}}, {name, 0, 2, {1, 8}}};
    const made_op op = {32, name, 1, {0}, 1, {1}};
    const made_model model = {tensors, &op, 2, 1, 1, {0}, 1, {1}};
    size_t n;
    uint8_t *bytes = make_tflite(&model, &n);
    expect_sound(ESTIMATE, "m.tflite", bytes, n);
    expect_sound(ESTIMATE_JSON, "m.tflite", bytes, n);
    free(bytes);
    free(name);
}
END_TEST

START_TEST(names_of_files_reach_no_terminal_raw)
{
    char *folder = folder_new(), path[512];
    snprintf(path, sizeof path, "%s/\033[2Jm\xc2\x9b\xe2\x80\xae.json", folder);
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        fputs(i ? "{\"extends\": \"ne32\"}" : "{", file);
        fclose(file);
        const char *const words[][8] = {{"estimate", path, "--hw", "ne32"},
                                        {"hw", path},
                                        {"estimate", "demo", "--json", "--hw", path},
                                        {"measure", "--hw", "ne32", "--shapes", path, "-o", "-"}};
        for (int k = 0; k < N_OF(words); k++) {
            run_result r = run_words(NULL, words[k]);
            ck_run(r.status ? run_not_refused(&r, ".json") : run_flaw(&r), &r);
            run_free(&r);
        }
        char set[600];
        snprintf(set, sizeof set, "NASW_DATA=%s", folder);
        const run_setup setup = {.set = set};
        run_result r = run_nasw(&setup, "hw");
        ck_run(run_flaw(&r), &r);
        run_free(&r);
    }
    folder_free(folder);
}
END_TEST

/* ---- JSON ---- */

/* The seed with one piece of text in place of another. */
static void refuse_changed(const char *seed, const char *format, const char *name, const char *from,
                           const char *to, const char *words)
{
    char *text = read_text(seed, NULL);
    ck_assert_ptr_nonnull(text);
    const char *at = strstr(text, from);
    ck_assert_msg(at != NULL, "no %s in %s", from, seed);
    nw_buf changed = {0};
    nw_buf_add(&changed, text, (size_t)(at - text));
    nw_buf_puts(&changed, to);
    nw_buf_puts(&changed, at + strlen(from));
    expect_refused(format, name, changed.text, changed.length, words);
    nw_buf_fini(&changed);
    free(text);
}

static const struct {
    const char *from, *to, *words;
} networks[] = {
    {"[1, 8, 8, 3]", "[1, NaN, 8, 3]", "byte 222"},
    {"[1, 8, 8, 3]", "[1, Infinity, 8, 3]", "byte 222"},
    {"[1, 8, 8, 3]", "[1, 1e999, 8, 3]", "tensors[0]"},
    {"[1, 8, 8, 3]", "[1, 1e18, 8, 3]", "tensors[0]"},
    {"[1, 8, 8, 3]", "[1, 2147483648, 2147483648, 2147483648]", "tensors[0]"},
    {"[1, 8, 8, 3]", "[1, 8.5, 8, 3]", "tensors[0]"},
    {"[1, 8, 8, 3]", "[1, -8, 8, 3]", "tensors[0]"},
    {"[1, 8, 8, 3]", "[1, \"x\", 8, 3]", "tensors[0]"},
    {"[1, 8, 8, 3]", "[1, 1, 1, 1, 1, 1, 1, 1, 1]", "tensors[0]"},
    {"\"scale\": 0.5", "\"scale\": -1e999", "tensors[0]"},
    {"\"bytes\": 108", "\"bytes\": 9e15", "tensors[1]"},
    {"\"id\": 1, \"name\"", "\"id\": 0, \"name\"", "id"},
    {"\"stride_h\": 2", "\"stride_h\": 0", "CONV_2D #0"},
    {"\"stride_h\": 2", "\"stride_h\": 1e12", "nodes[0]"},
    {"\"stride_h\": 2", "\"stride_x\": 2", "stride_x"},
    {"\"outputs\": [3]", "\"outputs\": [0]", "second time"},
    {"\"inputs\": [0, 1, 2]", "\"inputs\": [5, 1, 2]", "cycle"},
    {"\"inputs\": [0, 1, 2]", "\"inputs\": [99, 1, 2]", "99"},
    {"\"op\": \"conv2d\"", "\"op\": \"conv9d\"", "conv9d"},
    {"\"layout\": \"nhwc\"", "\"layout\": \"chwn\"", "layout"},
};

START_TEST(wrong_values_of_a_network_are_named)
{
    refuse_changed("tests/corpus/network_json/tiny.json", ESTIMATE, "m.json", networks[_i].from,
                   networks[_i].to, networks[_i].words);
}
END_TEST

static const struct {
    const char *text, *words;
} descriptions[] = {
    {"{\"extends\": \"ne32\", \"clock_hz\": NaN}", "line 1"},
    {"{\"extends\": \"ne32\",\n \"clock_hz\": Infinity}", "line 2"},
    {"{\"extends\": \"ne32\", \"clock_hz\": 1e999}", "clock_hz"},
    {"{\"extends\": \"ne32\", \"clock_hz\": -1}", "clock_hz"},
    {"{\"extends\": \"ne32\", \"clock_hz\": 0}", "clock_hz"},
    {"{\"extends\": \"ne32\", \"clock_hz\": 1e-300}", "clock_hz"},
    {"{\"extends\": \"ne32\", \"clock_hz\": \"fast\"}", "clock_hz"},
    {"{\"extends\": \"ne32\", \"clock_hz\": 1e9, \"clock_hz\": 2e9}", "clock_hz|twice"},
    {"{\"extends\": \"ne32\", \"clock_mhz\": 5}", "clock_mhz|unknown key"},
    {"{\"extends\": \"ne32\", \"array\": {\"pf_ou\": 5}}", "array.pf_ou|unknown key|pf_out"},
    {"{\"extends\": \"ne32\", \"array\": {\"pf_out\": 0}}", "array.pf_out"},
    {"{\"extends\": \"ne32\", \"array\": {\"pf_out\": 1e18}}", "array.pf_out"},
    {"{\"extends\": \"ne32\", \"array\": []}", "array"},
    {"{\"extends\": \"ne32\", \"sram\": {\"bytes\": -5}}", "sram.bytes"},
    {"{\"extends\": \"ne32\", \"ops\": {\"softmaxx\": \"host\"}}", "softmaxx"},
    {"{\"extends\": \"ne32\", \"\\u001b[2J\": 1}", "\\x1b[2J"},
    {"{\"extends\": \"h.json\"}", "extends"},
    {"{\"extends\": \"nowhere\"}", "nowhere"},
    {"{\"extends\": \"nowhere.json\"}", "nowhere.json"},
    {"{\"extends\": 7}", "extends"},
    {"{\"clock_hz\": 1e9}", "missing"},
    {"{\"extends\": \"ne32\"} more", "line 1"},
    {"{\"extends\": \"ne32\",}", "line 1"},
    {"[{}]", "object"},
};

START_TEST(wrong_values_of_a_description_are_named)
{
    expect_refused(WITH_HW, "h.json", descriptions[_i].text, strlen(descriptions[_i].text),
                   descriptions[_i].words);
}
END_TEST

START_TEST(json_nested_without_end_is_refused)
{
    size_t n = 1000000;
    char *text = malloc(n);
    static const char head[] = "{\"schema\": \"nasw.network/1\", \"name\": ";
    memset(text, '[', n);
    expect_refused(WITH_HW, "h.json", text, n, "");
    expect_refused(ESTIMATE, "m.json", text, n, "");
    memcpy(text, head, sizeof head - 1);
    expect_refused(ESTIMATE, "m.json", text, n, "");
    free(text);
}
END_TEST

/* ---- tables ---- */

#define HEADER "kernel,in_h,in_w,in_c,out_h,out_w,out_c,kernel_h,kernel_w,stride_h,stride_w\n"

static const struct {
    const char *text, *words;
} tables[] = {
    {"a,b\n1,2\n", "s.csv:1|kernel"},
    {HEADER "conv,1,1,1\n", "s.csv:2|cells"},
    {HEADER "conv,0,1,1,1,1,1,1,1,1,1\n", "s.csv:2|in_h"},
    {HEADER "conv,8,-8,1,1,1,1,1,1,1,1\n", "s.csv:2|in_w"},
    {HEADER "conv,8,8,nan,1,1,1,1,1,1,1\n", "s.csv:2|in_c"},
    {HEADER "conv,8,8,1e9,1,1,1,1,1,1,1\n", "s.csv:2|in_c"},
    {HEADER "conv,8,8,99999999999999999999,1,1,1,1,1,1,1\n", "s.csv:2|in_c"},
    {HEADER "conv,8,8,8,8,8,,1,1,1,1\n", "s.csv:2|out_c"},
    {HEADER "\nmagic\033[2J,8,8,8,8,8,8,1,1,1,1\n", "s.csv:3|magic\\x1b"},
};

START_TEST(wrong_rows_of_a_table_are_named)
{
    expect_refused("measure --hw ne32 --shapes %s -o -", "s.csv", tables[_i].text,
                   strlen(tables[_i].text), tables[_i].words);
}
END_TEST

/* ---- the outside world ---- */

START_TEST(unreadable_files_are_named)
{
    static const char text[] = "{\"extends\": \"ne32\"}";
    static const char *const formats[] = {"estimate %s --hw ne32", "estimate demo --hw %s", "hw %s",
                                          "measure --hw ne32 --shapes %s -o -"};
    const run_setup setup = {.is_unprivileged = true};
    char *folder = folder_new(), words[1024];
    const char *path = folder_write(folder, "closed.json", text, strlen(text));
    ck_assert_int_eq(chmod(path, 0), 0);
    for (int i = 0; i < N_OF(formats); i++) {
        const char *mark = strstr(formats[i], "%s");
        snprintf(words, sizeof words, "%.*s%s%s", (int)(mark - formats[i]), formats[i], path,
                 mark + 2);
        run_result r = run_nasw(&setup, "%s", words);
        if (r.status == 127) {
            printf("skipped: the program cannot be run by somebody else\n");
            run_free(&r);
            break;
        }
        ck_run(run_not_refused(&r, "closed.json|Permission denied"), &r);
        run_free(&r);
    }
    folder_free(folder);
}
END_TEST

START_TEST(devices_and_endless_files_are_no_models)
{
    static const char *const paths[] = {"/dev/null", "/dev/zero", "/dev/full"};
    for (int i = 0; i < N_OF(paths); i++) {
        run_result r = run_nasw(NULL, "estimate %s --hw ne32", paths[i]);
        ck_run(run_not_refused(&r, paths[i]), &r);
        run_free(&r);
        r = run_nasw(NULL, "hw %s", paths[i]);
        ck_run(run_not_refused(&r, paths[i]), &r);
        run_free(&r);
        r = run_nasw(NULL, "measure --hw ne32 --shapes %s -o -", paths[i]);
        ck_run(run_not_refused(&r, paths[i]), &r);
        run_free(&r);
    }
}
END_TEST

/* Where a path is too long for a line, its end stays: the name of the file. */
START_TEST(long_paths_keep_their_end)
{
    char *folder = folder_new(), path[1024];
    int at = snprintf(path, sizeof path, "%s", folder);
    for (int i = 0; i < 4; i++) {
        at += snprintf(path + at, sizeof path - (size_t)at, "/%0100d", i);
        ck_assert_int_eq(mkdir(path, 0755), 0);
    }
    snprintf(path + at, sizeof path - (size_t)at, "/last.onnx");
    run_result r = run_nasw(NULL, "estimate %s --hw ne32", path);
    ck_run(run_not_refused(&r, "last.onnx|No such file"), &r);
    run_free(&r);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs("no model", file);
    fclose(file);
    r = run_nasw(NULL, "estimate %s --hw ne32", path);
    ck_run(run_not_refused(&r, "last.onnx|no model"), &r);
    run_free(&r);
    folder_free(folder);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("cli_broken");
    TCase *tcase = tcase_create("broken");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, a_file_cut_anywhere_is_answered_in_one_line, 0, N_OF(seeds));
    tcase_add_loop_test(tcase, flipped_bits_are_answered_in_one_line, 0, N_OF(seeds));
    tcase_add_test(tcase, what_is_no_model_is_said_to_be_none);
    tcase_add_test(tcase, absurd_sizes_name_their_tensor);
    tcase_add_test(tcase, networks_that_are_absurd_as_a_whole_name_where);
    tcase_add_test(tcase, impossible_windows_name_their_node);
    tcase_add_loop_test(tcase, wrong_wiring_names_its_tensor_or_node, 0, N_OF(wirings));
    tcase_add_test(tcase, graphs_nested_too_deep_are_refused);
    tcase_add_test(tcase, data_outside_the_models_folder_are_refused);
    tcase_add_test(tcase, a_chain_of_20000_nodes_is_estimated);
    tcase_add_test(tcase, a_fan_of_4000_branches_is_estimated);
    tcase_add_loop_test(tcase, names_reach_no_terminal_raw, 0, N_OF(names));
    tcase_add_loop_test(tcase, names_of_tflite_files_reach_no_terminal_raw, 0, N_OF(names));
    tcase_add_test(tcase, names_of_files_reach_no_terminal_raw);
    tcase_add_loop_test(tcase, wrong_values_of_a_network_are_named, 0, N_OF(networks));
    tcase_add_loop_test(tcase, wrong_values_of_a_description_are_named, 0, N_OF(descriptions));
    tcase_add_test(tcase, json_nested_without_end_is_refused);
    tcase_add_loop_test(tcase, wrong_rows_of_a_table_are_named, 0, N_OF(tables));
    tcase_add_test(tcase, unreadable_files_are_named);
    tcase_add_test(tcase, devices_and_endless_files_are_no_models);
    tcase_add_test(tcase, long_paths_keep_their_end);
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? 1 : 0;
}
