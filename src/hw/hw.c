#include "src/hw/hw.h"

#include <stdlib.h>
#include <string.h>

#include "src/hw/internal.h"

int64_t nw_hw_macs_per_cycle(const nw_hw *hw)
{
    if (hw->array.kind == NW_ARRAY_SYSTOLIC)
        return (int64_t)hw->array.rows * hw->array.cols * hw->cores;
    return (int64_t)hw->array.pf_out * hw->array.pf_in * hw->array.px_h * hw->array.px_w *
           hw->cores;
}

double nw_hw_precision_rate(const nw_hw *hw, int weight_bits, int activation_bits, bool is_float)
{
    for (int i = 0; i < hw->n_precisions; i++) {
        const nw_hw_precision *p = &hw->precisions[i];
        if (p->weight_bits == weight_bits && p->activation_bits == activation_bits &&
            p->is_float == is_float)
            return p->rate;
    }
    return 0;
}

const char *nw_hw_source(const nw_hw *hw, const char *key)
{
    int row = nw_hw_find_row(key);
    if (row >= 0)
        return hw->store->sources[row];
    if (strncmp(key, "ops.", 4) != 0)
        return NULL;
    nw_op op = nw_op_find(key + 4);
    const char *own = op == NW_OP_COUNT ? NULL : hw->store->op_sources[op];
    return own || op == NW_OP_COUNT ? own : hw->store->sources[nw_hw_find_row("ops")];
}

const char *nw_hw_copy_visible(nw_arena *arena, const char *text)
{
    size_t size = 4 * strlen(text) + 1;
    char *clean = nw_alloc(size);
    const char *copy = nw_arena_strdup(arena, nw_text_visible(text, clean, size));
    free(clean);
    return copy;
}
