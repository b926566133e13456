#include <math.h>
#include <stdio.h>
#include <string.h>

#include "src/format/format.h"
#include "src/format/timm.h"

/* A block as a string of its own; why: what timm's strings have no word for, "" if nothing. */
typedef struct spoken {
    nw_timm_block block;
    char why[96];
    bool may_skip; /* its shapes allow a residual, so that noskip matters */
} spoken;

typedef struct timm_writer {
    const nw_arch *arch;
    nw_buf lines;
    nw_timm_block run; /* n_repeats 0: none is open */
    bool run_may_skip, is_line_open;
    int64_t run_c;
    int stage, n_written, n_left_out;
    int n_folded, n_other_gates;
} timm_writer;

static int find_act(nw_op op)
{
    for (int i = 0; i < NW_TIMM_ACTS; i++)
        if (nw_timm_acts[i].op == op)
            return i;
    return -1;
}

static bool refuse(spoken *s, const char *why)
{
    snprintf(s->why, sizeof s->why, "%s", why);
    return false;
}

/* The window of the k x k: square, odd, with the padding that keeps ceil(size / stride). */
static bool say_window(const nw_graph *graph, const nw_block *block, spoken *s)
{
    nw_geometry g;
    nw_node_id conv = block->parts[NW_PART_SPATIAL].conv;
    if (conv == NW_NONE || !nw_node_geometry(graph, conv, &g) || g.weights == NW_NONE)
        return refuse(s, "it has no k x k convolution");
    if (g.kernel_h != g.kernel_w || g.kernel_h % 2 == 0 || g.kernel_h > NW_TIMM_MAX_KERNEL)
        return refuse(s, "its kernel is not square and odd");
    if (g.stride_h != g.stride_w || g.stride_h > 2)
        return refuse(s, "its stride is not 1 or 2");
    if (block->dilation != 1)
        return refuse(s, "it is dilated");
    int64_t stride = g.stride_h;
    if (block->out_h != (block->in_h + stride - 1) / stride ||
        block->out_w != (block->in_w + stride - 1) / stride)
        return refuse(s, "its padding is not timm's");
    s->block.kernel = (nw_timm_kernels){1, {(int)g.kernel_h}};
    s->block.stride = (int)stride;
    return true;
}

static bool say_act(const nw_block *block, nw_part_role role, spoken *s)
{
    int act = find_act(block->parts[role].act);
    if (act < 0)
        return refuse(s, block->parts[role].act == NW_OP_IDENTITY ? "it has no activation"
                                                                  : "timm has no such activation");
    s->block.act = act;
    return true;
}

static bool is_linear(const nw_block *block, nw_part_role role)
{
    return block->parts[role].act == NW_OP_IDENTITY;
}

/* Over the block's input in the string, of the expanded channels in the network. */
static bool say_squeeze(const nw_block *block, int64_t map_c, spoken *s)
{
    double over = s->block.expansion;
    if (!block->squeeze_c)
        return true;
    s->block.squeeze = (double)block->squeeze_c / (double)map_c * over;
    return (int64_t)rint((double)map_c * (s->block.squeeze / over)) == block->squeeze_c ||
           refuse(s, "its squeeze-and-excite is no ratio");
}

static bool say_expansion(const nw_block *block, spoken *s)
{
    s->block.expansion = (double)block->mid_c / (double)block->in_c;
    if (nw_timm_divisible((double)block->mid_c) != block->mid_c)
        return refuse(s, "its expanded channels are no multiple of 8");
    return s->block.expansion <= 1024 || refuse(s, "it expands too much");
}

static bool say_inverted(const nw_block *block, spoken *s)
{
    if (!say_expansion(block, s) || !say_act(block, NW_PART_SPATIAL, s))
        return false;
    if (block->parts[NW_PART_EXPAND].act != block->parts[NW_PART_SPATIAL].act)
        return refuse(s, "its activations differ");
    if (!is_linear(block, NW_PART_PROJECT))
        return refuse(s, "it has an activation at its end");
    s->block.type = NW_TIMM_IR;
    s->block.group_size = block->mid_c / block->groups;
    return say_squeeze(block, block->mid_c, s);
}

static bool say_fused(const nw_block *block, spoken *s)
{
    if (!say_expansion(block, s) || !say_act(block, NW_PART_SPATIAL, s))
        return false;
    if (!is_linear(block, NW_PART_PROJECT))
        return refuse(s, "it has an activation at its end");
    s->block.type = NW_TIMM_ER;
    s->block.group_size = block->groups > 1 ? block->mid_c / block->groups : 0;
    return say_squeeze(block, block->mid_c, s);
}

static bool say_separable(const nw_block *block, spoken *s)
{
    bool is_active = !is_linear(block, NW_PART_PROJECT);
    if (!say_act(block, NW_PART_SPATIAL, s))
        return false;
    if (is_active && (block->parts[NW_PART_PROJECT].act != block->parts[NW_PART_SPATIAL].act ||
                      block->has_residual))
        return refuse(s, "it has another activation, or a residual, at its end");
    s->block.type = is_active ? NW_TIMM_DSA : NW_TIMM_DS;
    return say_squeeze(block, block->in_c, s);
}

static bool say_tucker(const nw_block *block, spoken *s)
{
    if (!say_act(block, NW_PART_SPATIAL, s))
        return false;
    if (block->parts[NW_PART_EXPAND].act != block->parts[NW_PART_SPATIAL].act ||
        !is_linear(block, NW_PART_PROJECT) || block->squeeze_c || block->groups > 1)
        return refuse(s, "it is no plain Tucker block");
    if (nw_timm_divisible((double)block->mid_c) != block->mid_c ||
        nw_timm_divisible((double)block->rank_out) != block->rank_out)
        return refuse(s, "its ranks are no multiples of 8");
    s->block.type = NW_TIMM_TU;
    s->block.rank_in = (double)block->mid_c / (double)block->in_c;
    s->block.rank_out = (double)block->rank_out / (double)block->out_c;
    return true;
}

static bool say_conv(const nw_block *block, spoken *s)
{
    if (!say_act(block, NW_PART_SPATIAL, s))
        return false;
    s->block.type = NW_TIMM_CN;
    s->block.group_size = block->groups > 1 ? block->in_c / block->groups : 0;
    s->block.skips = block->has_residual;
    return true;
}

/* A head that is one convolution, such as the last one of a chain. */
static bool say_head(const nw_block *block, spoken *s)
{
    const nw_block_part *part = &block->parts[NW_PART_SPATIAL];
    int n_nodes = 1 + (part->norm != NW_NONE) + (part->act_node != NW_NONE);
    return block->n_nodes == n_nodes ? say_conv(block, s)
                                     : refuse(s, "it is more than a convolution");
}

static bool has_size(const nw_block *block)
{
    return block->in_c > 0 && block->out_c > 0 && block->in_h > 0 && block->in_w > 0;
}

static bool say(const nw_graph *graph, const nw_block *block, nw_tensor_id at, spoken *s)
{
    static bool (*const speakers[NW_BLOCK_COUNT])(const nw_block *, spoken *) = {
        [NW_BLOCK_CONV] = say_conv,     [NW_BLOCK_DSEP] = say_separable,
        [NW_BLOCK_IBN] = say_inverted,  [NW_BLOCK_GROUPED] = say_inverted,
        [NW_BLOCK_FUSED] = say_fused,   [NW_BLOCK_FUSED_GROUPED] = say_fused,
        [NW_BLOCK_TUCKER] = say_tucker, [NW_BLOCK_HEAD] = say_head,
    };
    *s = (spoken){.block = {.n_repeats = 1,
                            .start = {1, {1}},
                            .end = {1, {1}},
                            .expansion = 1,
                            .group_size = 1,
                            .out_c = block->out_c}};
    if (!speakers[block->kind])
        return refuse(s, "timm has no such block");
    if (!has_size(block))
        return refuse(s, "it works on no map");
    if (block->in != at)
        return refuse(s, "it does not read what the last string makes");
    if (nw_timm_divisible((double)block->out_c) != block->out_c)
        return refuse(s, "its channels are no multiple of 8");
    if (!say_window(graph, block, s) || !speakers[block->kind](block, s))
        return false;
    bool is_conv = s->block.type == NW_TIMM_CN || s->block.type == NW_TIMM_DSA;
    s->may_skip = block->in_c == block->out_c && s->block.stride == 1 && !is_conv;
    if (block->has_residual && !s->may_skip && s->block.type != NW_TIMM_CN)
        return refuse(s, "its residual is not timm's");
    s->block.no_skip = s->may_skip && !block->has_residual;
    return true;
}

/* ---- runs ---- */

static void start_line(timm_writer *w)
{
    if (w->is_line_open)
        nw_buf_puts(&w->lines, "\n");
    w->is_line_open = false;
}

static void close_run(timm_writer *w)
{
    if (!w->run.n_repeats)
        return;
    if (w->run.starts_stage)
        start_line(w);
    if (w->is_line_open)
        nw_buf_puts(&w->lines, " ");
    nw_timm_print_block(&w->run, &w->lines);
    w->is_line_open = true;
    w->run.n_repeats = 0;
}

static bool same_kernels(const nw_timm_kernels *a, const nw_timm_kernels *b)
{
    return a->n == b->n && a->sizes[0] == b->sizes[0];
}

static bool continues(const timm_writer *w, const nw_block *block, const spoken *s)
{
    const nw_timm_block *a = &w->run, *b = &s->block;
    return a->n_repeats && !b->starts_stage && a->type == b->type && b->stride == 1 &&
           block->in_c == w->run_c && same_kernels(&a->kernel, &b->kernel) &&
           a->expansion == b->expansion && a->squeeze == b->squeeze && a->out_c == b->out_c &&
           a->group_size == b->group_size && a->act == b->act && a->rank_in == b->rank_in &&
           a->rank_out == b->rank_out && a->skips == b->skips &&
           (a->no_skip == b->no_skip || !w->run_may_skip || !s->may_skip);
}

static void add(timm_writer *w, const nw_block *block, spoken *s)
{
    s->block.starts_stage =
        !w->n_written || block->stage != w->stage || s->block.stride > 1 || !w->is_line_open;
    if (w->run.n_repeats && block->stage == w->stage && s->block.stride == 1)
        s->block.starts_stage = false;
    if (continues(w, block, s)) {
        w->run.n_repeats++;
        w->run.no_skip = w->run_may_skip ? w->run.no_skip : s->block.no_skip;
        w->run_may_skip |= s->may_skip;
    } else {
        close_run(w);
        w->run = s->block;
        w->run_may_skip = s->may_skip;
        w->run_c = block->out_c;
    }
    w->stage = block->stage;
    w->n_written++;
    for (int i = 0; i < NW_PART_COUNT; i++)
        w->n_folded += block->parts[i].conv != NW_NONE && block->parts[i].norm == NW_NONE &&
                       i != NW_PART_SQUEEZE && i != NW_PART_EXCITE;
    const nw_block_part *squeeze = &block->parts[NW_PART_SQUEEZE];
    const nw_block_part *excite = &block->parts[NW_PART_EXCITE];
    w->n_other_gates += block->squeeze_c &&
                        (excite->act != NW_OP_SIGMOID || find_act(squeeze->act) != s->block.act ||
                         squeeze->norm != NW_NONE || excite->norm != NW_NONE);
}

static void leave_out(timm_writer *w, const nw_block *block, const spoken *s)
{
    char label[24], text[160], clean[200];
    close_run(w);
    start_line(w);
    nw_block_text(block, text, sizeof text);
    nw_buf_printf(&w->lines, "# %s %s: %s\n", nw_block_label(block, label, sizeof label),
                  nw_text_visible(text, clean, sizeof clean), s->why);
    w->n_left_out++;
}

static void write_head(const timm_writer *w, nw_buf *out)
{
    const nw_graph *graph = nw_arch_graph(w->arch);
    nw_hwc input = nw_tensor_hwc(graph, graph->inputs[0]);
    if (w->n_left_out)
        nw_buf_printf(out, "# not the whole network: %d of %d blocks have no string\n",
                      w->n_left_out, w->n_left_out + w->n_written);
    if (input.h != NW_TIMM_INPUT_SIZE || input.w != NW_TIMM_INPUT_SIZE)
        nw_buf_printf(out, "# read with --input 1x3x%lldx%lld\n", (long long)input.h,
                      (long long)input.w);
    if (w->n_folded)
        nw_buf_printf(out, "# %d convolutions have no normalisation; timm puts one behind each\n",
                      w->n_folded);
    if (w->n_other_gates)
        nw_buf_printf(
            out,
            "# %d of squeeze-and-excite have another activation, gate or normalisation than "
            "the strings' own\n",
            w->n_other_gates);
}

/* The map that the chain begins with: the input, or what a layout or a scaling makes of it. */
static nw_tensor_id chain_start(const nw_arch *arch)
{
    int n_blocks;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    const nw_graph *graph = nw_arch_graph(arch);
    nw_hwc input = nw_tensor_hwc(graph, graph->inputs[0]);
    for (int i = 0; i < n_blocks; i++)
        if (blocks[i].kind != NW_BLOCK_OP)
            return blocks[i].in_c == 3 && blocks[i].in_h == input.h && blocks[i].in_w == input.w
                       ? blocks[i].in
                       : NW_NONE;
    return NW_NONE;
}

nw_status nw_timm_write(const nw_arch *arch, nw_buf *out, int *n_left_out, nw_error *err)
{
    int n_blocks;
    const nw_block *blocks = nw_arch_blocks(arch, &n_blocks);
    const nw_graph *graph = nw_arch_graph(arch);
    timm_writer w = {.arch = arch, .stage = -1};
    nw_tensor_id at = graph->n_inputs == 1 ? chain_start(arch) : NW_NONE;
    char why[96] = "it has no block of 3 channels at its input";
    for (int i = 0; i < n_blocks; i++) {
        spoken s;
        if (say(graph, &blocks[i], at, &s)) {
            add(&w, &blocks[i], &s);
            at = blocks[i].out;
        } else {
            if (!w.n_left_out)
                snprintf(why, sizeof why, "%s", s.why);
            leave_out(&w, &blocks[i], &s);
        }
    }
    close_run(&w);
    start_line(&w);
    if (w.n_written) {
        write_head(&w, out);
        nw_buf_puts(out, nw_buf_text(&w.lines));
        if (n_left_out)
            *n_left_out = w.n_left_out;
    }
    nw_buf_fini(&w.lines);
    return w.n_written ? NW_OK
                       : nw_fail(err, NW_UNSUPPORTED, "",
                                 "no block of it can be said as a timm string; the first: %s", why);
}
