#include "tests/support_edit.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/format.h"
#include "tests/support.h"

const nw_arch *arch_of_text(const char *timm, int size)
{
    nw_graph *graph;
    nw_error err;
    nw_input_size input = {"", {4, {1, 3, size, size}}};
    ck_assert_msg(nw_model_load(timm, &input, 1, &graph, &err) == NW_OK, "%s: %s", err.where,
                  err.message);
    return nw_arch_lift(graph);
}

const nw_arch *arch_of_model(const char *file)
{
    char name[128];
    nw_graph *graph;
    nw_error err;
    snprintf(name, sizeof name, "models/%s", file);
    const char *path = shared_path(name);
    if (!path)
        return NULL;
    ck_assert_msg(nw_model_load(path, NULL, 0, &graph, &err) == NW_OK, "%s: %s", err.where,
                  err.message);
    return nw_arch_lift(graph);
}

nw_edit edit_of(const char *line)
{
    nw_edit edit;
    nw_error err;
    ck_assert_msg(nw_edit_read(line, &edit, &err) == NW_OK, "%s: %s", line, err.message);
    return edit;
}

const nw_arch *edit_with_notes(const nw_arch *arch, const char *line, nw_edit_report *report)
{
    const nw_arch *out;
    nw_edit edit = edit_of(line);
    nw_error err;
    ck_assert_msg(nw_arch_apply(arch, &edit, 1, &out, report, &err) == NW_OK, "%s: %s", err.where,
                  err.message);
    return out;
}

const nw_arch *edit_arch(const nw_arch *arch, const char *line)
{
    const nw_arch *out = edit_with_notes(arch, line, NULL);
    nw_arch_release(arch);
    return out;
}

void refuse_edit(const nw_arch *arch, const char *line, const char *words)
{
    const nw_arch *out = NULL;
    nw_edit edit = edit_of(line);
    nw_error err;
    ck_assert_msg(nw_arch_apply(arch, &edit, 1, &out, NULL, &err) == NW_INVALID, "%s is done",
                  line);
    ck_assert_ptr_null(out);
    ck_assert_str_eq(err.where, line);
    ck_assert_msg(strstr(err.message, words) != NULL, "%s: '%s' has no '%s'", line, err.message,
                  words);
}

int64_t macs_of(const nw_arch *arch)
{
    nw_counts counts;
    nw_graph_count(nw_arch_graph(arch), &counts);
    return counts.macs;
}

int64_t macs_of_block(const nw_arch *arch, const char *label)
{
    const nw_block *block = nw_arch_find_block(arch, label);
    ck_assert_msg(block != NULL, "no block %s", label);
    return block->macs;
}

char *json_of(const nw_arch *arch)
{
    nw_buf text = {0};
    nw_network_json_write(nw_arch_graph(arch), &text);
    return text.text;
}
