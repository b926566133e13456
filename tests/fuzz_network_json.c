/* Any bytes as a network in JSON: an error or a graph, never a crash. What was read is written in
 * a way that reads back and is then written the same; and it can be sealed or refused, and what is
 * sealed is written as ONNX and for PyTorch, or refused, has blocks and channel groups, and can be
 * edited: what edits make reads back and can be sealed again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "src/arch/arch.h"
#include "src/format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const lines[] = {
    "variant * fused",  "variant * conv", "variant * dsep",    "variant * ibn e=3",
    "channels * 24",    "channels * 3",   "channels * up 8",   "expansion * c=16",
    "kernel * 5",       "kernel * 1",     "stride * 2",        "stride * 1",
    "depth 0 3",        "depth 1 1",      "width 0.5 4",       "width 1.5 1",
    "resolution 16 24", "resolution 5 5", "precision * int16", "squeeze * 0.25",
    "squeeze * 0",      "act * relu6",    "act * none",        "residual * on",
    "residual * off",   "join *",         "split *",           "variant * tucker",
};

/* Which edits a file gets: any that follow from its bytes. */
static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

/* A network that an edit made is one: it can be written, read and sealed. */
static void assert_reads_back(const nw_graph *graph)
{
    nw_error err;
    nw_graph *again;
    nw_buf text = {0};
    nw_network_json_write(graph, &text);
    nw_file *file = nw_file_from_bytes("edited", nw_buf_text(&text), text.length);
    bool is_read = nw_network_json_read(file, &again, &err) == NW_OK;
    assert(is_read);
    bool is_sealed = nw_graph_seal(again, NULL, 0, &err) == NW_OK;
    assert(is_sealed);
    nw_graph_free(again);
    nw_file_release(file);
    nw_buf_fini(&text);
}

/* Takes arch. */
static void edit(const nw_arch *arch, const uint8_t *data, size_t size)
{
    int n;
    uint32_t state = 2166136261u;
    for (size_t i = 0; i < size; i++)
        state = (state ^ data[i]) * 16777619u;
    (void)nw_arch_groups(arch, &n);
    for (int i = 0; i < 3; i++) {
        nw_error err;
        nw_edit one;
        const nw_arch *next;
        if (nw_edit_read(lines[draw(&state) % (sizeof lines / sizeof *lines)], &one, &err) != NW_OK)
            continue;
        if (nw_arch_apply(arch, &one, 1, &next, NULL, &err) != NW_OK)
            continue;
        nw_arch_release(arch);
        arch = next;
        assert_reads_back(nw_arch_graph(arch));
    }
    nw_arch_release(arch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nw_error err;
    nw_graph *graph = NULL, *again = NULL;
    nw_file *file = nw_file_from_bytes("fuzz", data, size);
    nw_network_json_is(file);
    nw_status status = nw_network_json_read(file, &graph, &err);
    nw_file_release(file);
    if (status != NW_OK)
        return 0;
    nw_buf first = {0}, second = {0};
    nw_network_json_write(graph, &first);
    file = nw_file_from_bytes("fuzz", first.text, first.length);
    status = nw_network_json_read(file, &again, &err);
    assert(status == NW_OK);
    nw_network_json_write(again, &second);
    assert(strcmp(first.text, second.text) == 0);
    status = nw_graph_seal(again, NULL, 0, &err);
    nw_buf_clear(&second);
    if (status == NW_OK)
        nw_network_json_write(again, &second);
    nw_counts counts;
    if (status == NW_OK)
        nw_graph_count(again, &counts);
    nw_buf_clear(&second);
    if (status == NW_OK && counts.constant_bytes < 1 << 20 && counts.n_ops < 100)
        (void)!nw_onnx_write(again, NULL, &second, &err);
    nw_buf_clear(&second);
    if (status == NW_OK && counts.constant_bytes < 1 << 20 && counts.n_ops < 100)
        (void)!nw_pytorch_write(again, &second, &err);
    nw_file_release(file);
    nw_graph_free(graph);
    if (status == NW_OK) {
        const nw_arch *arch = nw_arch_lift(again);
        (void)nw_arch_recognised(arch);
        if (counts.n_ops < 100)
            edit(arch, data, size);
        else
            nw_arch_release(arch);
    } else {
        nw_graph_free(again);
    }
    nw_buf_fini(&first);
    nw_buf_fini(&second);
    return 0;
}
