#include "src/format/timm.h"

static void print_kernels(const char *key, const nw_timm_kernels *kernels, nw_buf *out)
{
    nw_buf_printf(out, "_%s", key);
    if (!kernels->n)
        nw_buf_puts(out, "0");
    for (int i = 0; i < kernels->n; i++)
        nw_buf_printf(out, i ? ".%d" : "%d", kernels->sizes[i]);
}

static bool is_one(const nw_timm_kernels *kernels)
{
    return kernels->n == 1 && kernels->sizes[0] == 1;
}

/* Plain decimals: an exponent's letter would start a token of its own. */
static void print_real(const char *key, double value, nw_buf *out)
{
    nw_buf number = {0};
    nw_buf_printf(&number, "%.12f", value);
    size_t n = number.length;
    while (n && number.text[n - 1] == '0')
        n--;
    if (n && (number.text[n - 1] == '.' || number.text[n - 1] == ','))
        n--;
    nw_buf_printf(out, "_%s", key);
    for (size_t i = 0; i < n; i++)
        nw_buf_add(out, number.text[i] == ',' ? "." : &number.text[i], 1);
    nw_buf_fini(&number);
}

static void print_shape(const nw_timm_block *block, nw_buf *out)
{
    bool is_uir = block->type == NW_TIMM_UIR;
    if (is_uir ? block->start.n > 0 : block->type == NW_TIMM_IR && !is_one(&block->start))
        print_kernels("a", &block->start, out);
    print_kernels("k", &block->kernel, out);
    if (is_uir ? block->end.n > 0 : !is_one(&block->end))
        print_kernels("p", &block->end, out);
    nw_buf_printf(out, "_s%d", block->stride);
    if (block->type == NW_TIMM_IR || block->type == NW_TIMM_ER || is_uir)
        print_real("e", block->expansion, out);
    if (block->type == NW_TIMM_TU) {
        print_real("ir", block->rank_in, out);
        print_real("or", block->rank_out, out);
    }
}

void nw_timm_print_block(const nw_timm_block *block, nw_buf *out)
{
    bool is_dense = block->type == NW_TIMM_ER || block->type == NW_TIMM_CN;
    nw_buf_printf(out, "%s_r%d", nw_timm_type_names[block->type], block->n_repeats);
    print_shape(block, out);
    nw_buf_printf(out, "_c%lld", (long long)block->out_c);
    if (block->squeeze > 0)
        print_real("se", block->squeeze, out);
    if (block->type != NW_TIMM_TU && block->group_size != (is_dense ? 0 : 1))
        nw_buf_printf(out, "_gs%lld", (long long)block->group_size);
    if (block->type == NW_TIMM_ER && block->forced_c)
        nw_buf_printf(out, "_fc%lld", (long long)block->forced_c);
    if (block->act != NW_TIMM_RELU)
        nw_buf_printf(out, "_n%s", nw_timm_acts[block->act].letters);
    if (block->no_skip && block->type != NW_TIMM_CN && block->type != NW_TIMM_DSA)
        nw_buf_puts(out, "_noskip");
    if (block->skips && block->type == NW_TIMM_CN)
        nw_buf_puts(out, "_skip");
}

void nw_timm_print(const nw_timm_net *net, nw_buf *out)
{
    for (int i = 0; i < net->n_blocks; i++) {
        if (i)
            nw_buf_puts(out, net->blocks[i].starts_stage ? "\n" : " ");
        nw_timm_print_block(&net->blocks[i], out);
    }
    if (net->n_blocks)
        nw_buf_puts(out, "\n");
}
