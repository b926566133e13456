#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/pytorch.h"

/* ---- units ---- */

static const char *act_class(nw_op act)
{
    switch (act) {
    case NW_OP_RELU:
        return "nn.ReLU";
    case NW_OP_RELU6:
        return "nn.ReLU6";
    case NW_OP_HARD_SWISH:
        return "nn.Hardswish";
    case NW_OP_SWISH:
        return "nn.SiLU";
    case NW_OP_SIGMOID:
        return "nn.Sigmoid";
    case NW_OP_HARD_SIGMOID:
        return "nn.Hardsigmoid";
    case NW_OP_TANH:
        return "nn.Tanh";
    default:
        return NULL;
    }
}

static bool is_torch_act(const nw_py_writer *w, const nw_block_part *part)
{
    const nw_node *node = part->act_node == NW_NONE ? NULL : &w->graph->nodes[part->act_node];
    if (!node || !act_class(part->act))
        return false;
    return node->op != NW_OP_HARD_SIGMOID ||
           (fabs(node->attrs.alpha - 1.0 / 6) < 1e-6 && fabs(node->attrs.beta - 0.5) < 1e-6);
}

static bool has_node(const nw_py_unit *unit, nw_node_id node)
{
    for (int i = 0; i < unit->n_nodes; i++)
        if (unit->nodes[i] == node)
            return true;
    return false;
}

/* The nodes from `from` (not included) up to the last one of the activation; false: they are not a
 * formula of `from` alone. */
static bool add_act_nodes(const nw_py_writer *w, nw_py_unit *unit, nw_node_id last,
                          nw_tensor_id from)
{
    int at = unit->n_nodes;
    unit->nodes[unit->n_nodes++] = last;
    for (; at < unit->n_nodes; at++) {
        const nw_node *node = &w->graph->nodes[unit->nodes[at]];
        for (int i = 0; i < node->n_inputs; i++) {
            nw_tensor_id in = node->inputs[i];
            if (in == NW_NONE || in == from)
                continue;
            if (w->graph->tensors[in].is_const) { /* a bias may stand in front of it */
                if (nw_shape_elements(&w->graph->tensors[in].shape) > 1)
                    return false;
                continue;
            }
            nw_node_id producer = w->graph->tensors[in].producer;
            if (producer == NW_NONE || unit->n_nodes >= 10)
                return false;
            if (!has_node(unit, producer))
                unit->nodes[unit->n_nodes++] = producer;
        }
    }
    return true;
}

/* The parts of a unit that nn.Conv2d and nn.BatchNorm2d can say; the activation if it can be. */
static bool find_unit(const nw_py_writer *w, const nw_block_part *part, nw_py_unit *unit)
{
    const nw_graph *graph = w->graph;
    if (part->conv == NW_NONE || graph->nodes[part->conv].op != NW_OP_CONV2D)
        return false;
    const nw_node *conv = &graph->nodes[part->conv];
    *unit =
        (nw_py_unit){.conv = part->conv, .norm = part->norm, .act = NW_OP_IDENTITY, .eps = 1e-5};
    if (!nw_node_geometry(graph, part->conv, &unit->geometry) ||
        graph->tensors[conv->inputs[0]].shape.rank != 4 || unit->geometry.weights == NW_NONE ||
        unit->geometry.batch != 1)
        return false;
    const nw_geometry *g = &unit->geometry;
    memcpy(unit->pads, (int64_t[4]){g->pad_left, g->pad_right, g->pad_top, g->pad_bottom},
           sizeof unit->pads);
    unit->in = conv->inputs[0];
    unit->out = conv->outputs[0];
    unit->nodes[unit->n_nodes++] = part->conv;
    if (part->norm != NW_NONE) {
        const nw_node *norm = &graph->nodes[part->norm];
        if (norm->op != NW_OP_BATCH_NORM || norm->inputs[0] != unit->out || norm->n_inputs != 5)
            return false;
        unit->eps = norm->attrs.alpha;
        unit->out = norm->outputs[0];
        unit->nodes[unit->n_nodes++] = part->norm;
    }
    nw_py_unit with_act = *unit;
    if (is_torch_act(w, part) && add_act_nodes(w, &with_act, part->act_node, unit->out)) {
        *unit = with_act;
        unit->act = part->act;
        unit->out = graph->nodes[part->act_node].outputs[0];
    }
    nw_node_id pad = graph->tensors[unit->in].producer;
    int64_t pads[4];
    if (pad != NW_NONE && !w->is_leaky[pad] && unit->n_nodes < 16 &&
        nw_arch_block_of(w->arch, pad) == nw_arch_block_of(w->arch, part->conv) &&
        nw_py_zero_pads(w, pad, pads)) {
        for (int i = 0; i < 4; i++)
            unit->pads[i] += pads[i];
        unit->in = graph->nodes[pad].inputs[0];
        unit->nodes[unit->n_nodes++] = pad;
    }
    return true;
}

/* No node outside the unit may read what is inside it. */
static bool is_closed(const nw_py_writer *w, const nw_py_unit *unit)
{
    const nw_block *block = nw_arch_block_of(w->arch, unit->conv);
    for (int i = 0; i < unit->n_nodes; i++) {
        const nw_node *node = &w->graph->nodes[unit->nodes[i]];
        if (nw_arch_block_of(w->arch, unit->nodes[i]) != block)
            return false;
        if (node->outputs[0] != unit->out && w->is_leaky[unit->nodes[i]])
            return false;
    }
    for (int k = 0; k < block->n_nodes; k++) {
        const nw_node *reader = &w->graph->nodes[block->nodes[k]];
        for (int i = 0; i < reader->n_inputs && !has_node(unit, block->nodes[k]); i++)
            for (int j = 0; j < unit->n_nodes; j++)
                if (reader->inputs[i] == w->graph->nodes[unit->nodes[j]].outputs[0] &&
                    reader->inputs[i] != unit->out)
                    return false;
    }
    return true;
}

/* The padding as the class takes it: nothing where it is the usual one. */
static const char *padding_text(nw_py_writer *w, const nw_py_unit *unit)
{
    const nw_geometry *g = &unit->geometry;
    const int64_t *p = unit->pads;
    int64_t h = g->dilation_h * (g->kernel_h - 1) / 2, v = g->dilation_w * (g->kernel_w - 1) / 2;
    if (p[0] == v && p[1] == v && p[2] == h && p[3] == h && g->kernel_h == g->kernel_w &&
        g->dilation_h == g->dilation_w)
        return "";
    if (p[0] == p[1] && p[0] == p[2] && p[0] == p[3])
        return nw_py_text(w, ", padding=%lld", (long long)p[0]);
    return nw_py_text(w, ", padding=%s", nw_py_tuple(w, p, 4));
}

static const char *pair_text(nw_py_writer *w, int64_t h, int64_t v)
{
    return h == v ? nw_py_text(w, "%lld", (long long)h) : nw_py_tuple(w, (int64_t[2]){h, v}, 2);
}

/* ", kernel=3, stride=2, ..." of the k x k convolution, without groups. */
static const char *window_text(nw_py_writer *w, const nw_py_unit *unit)
{
    const nw_geometry *g = &unit->geometry;
    const char *kernel = pair_text(w, g->kernel_h, g->kernel_w);
    const char *stride = pair_text(w, g->stride_h, g->stride_w);
    const char *dilation = pair_text(w, g->dilation_h, g->dilation_w);
    return nw_py_text(w, "%s%s%s%s%s%s%s", strcmp(kernel, "1") ? ", kernel=" : "",
                      strcmp(kernel, "1") ? kernel : "", strcmp(stride, "1") ? ", stride=" : "",
                      strcmp(stride, "1") ? stride : "", strcmp(dilation, "1") ? ", dilation=" : "",
                      strcmp(dilation, "1") ? dilation : "", padding_text(w, unit));
}

static const char *norm_text(nw_py_writer *w, const nw_py_unit *unit)
{
    if (unit->norm == NW_NONE)
        return ", norm=False";
    return fabs(unit->eps - 1e-5) < 1e-9 ? "" : nw_py_text(w, ", eps=%s", nw_py_real(w, unit->eps));
}

static void enter_unit(nw_py_writer *w, const nw_py_unit *unit, const char *path)
{
    nw_py_enter(w, unit->geometry.weights, nw_py_text(w, "%s.conv.weight", path));
    if (unit->geometry.has_bias)
        nw_py_enter(w, unit->geometry.bias, nw_py_text(w, "%s.conv.bias", path));
    if (unit->norm == NW_NONE)
        return;
    const nw_node *norm = &w->graph->nodes[unit->norm];
    nw_py_enter(w, norm->inputs[1], nw_py_text(w, "%s.norm.weight", path));
    nw_py_enter(w, norm->inputs[2], nw_py_text(w, "%s.norm.bias", path));
}

static const nw_block_part *part_of(const nw_py_writer *w, nw_node_id conv)
{
    const nw_block *block = nw_arch_block_of(w->arch, conv);
    for (int i = 0; block && i < NW_PART_COUNT; i++)
        if (block->parts[i].conv == conv)
            return &block->parts[i];
    return NULL;
}

void nw_py_write_unit(nw_py_writer *w, nw_node_id conv)
{
    nw_py_unit unit;
    if (!find_unit(w, part_of(w, conv), &unit))
        return;
    const nw_geometry *g = &unit.geometry;
    const char *name = nw_py_text(w, "conv%d", w->n_modules++);
    bool is_plain = g->has_bias == (unit.norm == NW_NONE);
    const char *groups = g->groups > 1 ? nw_py_text(w, ", groups=%lld", (long long)g->groups) : "";
    const char *act = act_class(unit.act);
    w->uses[NW_PY_CONV] = true;
    nw_py_init(w, "self.%s = ConvNormAct(%lld, %lld%s%s%s%s%s%s)", name, (long long)g->in_c,
               (long long)g->out_c, window_text(w, &unit), groups,
               is_plain ? "" : nw_py_text(w, ", bias=%s", g->has_bias ? "True" : "False"),
               norm_text(w, &unit), act ? ", act=" : "", act ? act : "");
    enter_unit(w, &unit, name);
    const char *x = nw_py_value(w, unit.in);
    nw_py_line(w, conv, "%s = self.%s(%s)", nw_py_name_value(w, unit.out, NULL), name, x);
}

/* ---- blocks ---- */

typedef struct shape_row {
    nw_block_kind kind;
    nw_py_class class;
    const char *name;
    nw_part_role roles[3];
    int n_roles;
} shape_row;

static const shape_row shape_rows[] = {
    {NW_BLOCK_DSEP, NW_PY_SEPARABLE, "DepthwiseSeparable", {NW_PART_SPATIAL, NW_PART_PROJECT}, 2},
    {NW_BLOCK_IBN,
     NW_PY_INVERTED,
     "InvertedResidual",
     {NW_PART_EXPAND, NW_PART_SPATIAL, NW_PART_PROJECT},
     3},
    {NW_BLOCK_GROUPED,
     NW_PY_INVERTED,
     "InvertedResidual",
     {NW_PART_EXPAND, NW_PART_SPATIAL, NW_PART_PROJECT},
     3},
    {NW_BLOCK_FUSED, NW_PY_FUSED, "FusedInvertedResidual", {NW_PART_SPATIAL, NW_PART_PROJECT}, 2},
    {NW_BLOCK_FUSED_GROUPED,
     NW_PY_FUSED,
     "FusedInvertedResidual",
     {NW_PART_SPATIAL, NW_PART_PROJECT},
     2},
    {NW_BLOCK_TUCKER,
     NW_PY_TUCKER,
     "TuckerResidual",
     {NW_PART_EXPAND, NW_PART_SPATIAL, NW_PART_PROJECT},
     3},
};

typedef struct block_view {
    const shape_row *row;
    nw_py_unit units[3], squeeze, excite;
    bool squeezes;
    nw_tensor_id squeezed; /* behind the product */
    int n_nodes;           /* accounted for */
} block_view;

static bool is_mean(const nw_py_writer *w, nw_node_id id)
{
    return id != NW_NONE && nw_py_is_global_mean(w, id);
}

static bool is_pointwise(const nw_py_unit *unit)
{
    const nw_geometry *g = &unit->geometry;
    const int64_t *p = unit->pads;
    return g->kernel_h == 1 && g->kernel_w == 1 && g->stride_h == 1 && g->stride_w == 1 &&
           g->groups == 1 && !p[0] && !p[1] && !p[2] && !p[3];
}

/* Pool, 1x1, activation, 1x1, gate, product with what was pooled. */
static bool see_squeeze(const nw_py_writer *w, const nw_block *block, block_view *view)
{
    const nw_graph *graph = w->graph;
    nw_tensor_id from = view->units[view->row->n_roles - 2].out;
    if (!find_unit(w, &block->parts[NW_PART_SQUEEZE], &view->squeeze) ||
        !find_unit(w, &block->parts[NW_PART_EXCITE], &view->excite))
        return false;
    const nw_py_unit *a = &view->squeeze, *b = &view->excite;
    nw_node_id pool = graph->tensors[a->in].producer;
    if ((a->norm == NW_NONE) != (b->norm == NW_NONE) || a->eps != b->eps ||
        a->geometry.has_bias != (a->norm == NW_NONE) ||
        b->geometry.has_bias != (b->norm == NW_NONE) || !is_pointwise(a) || !is_pointwise(b) ||
        a->out != b->in || a->act == NW_OP_IDENTITY || b->act == NW_OP_IDENTITY ||
        !is_mean(w, pool) || graph->nodes[pool].inputs[0] != from)
        return false;
    for (int i = 0; i < block->n_nodes; i++) {
        const nw_node *node = &graph->nodes[block->nodes[i]];
        if (node->op != NW_OP_MUL || node->n_inputs != 2)
            continue;
        if ((node->inputs[0] == from && node->inputs[1] == b->out) ||
            (node->inputs[1] == from && node->inputs[0] == b->out)) {
            view->squeezes = true;
            view->squeezed = node->outputs[0];
            view->n_nodes += a->n_nodes + b->n_nodes + 2;
            return true;
        }
    }
    return false;
}

/* Normalised and activated alike, as the classes have it. */
static bool are_alike(const block_view *view)
{
    int n = view->row->n_roles;
    for (int i = 0; i < n; i++) {
        const nw_py_unit *unit = &view->units[i];
        bool is_spatial = i == n - 2;
        if ((unit->norm == NW_NONE) != (view->units[0].norm == NW_NONE) ||
            unit->eps != view->units[0].eps || unit->geometry.has_bias != (unit->norm == NW_NONE))
            return false;
        if (i < n - 1 && unit->act != view->units[0].act)
            return false;
        if (!is_spatial && !is_pointwise(unit))
            return false;
    }
    return view->row->class == NW_PY_SEPARABLE || view->units[n - 1].act == NW_OP_IDENTITY;
}

static bool see_residual(const nw_py_writer *w, const nw_block *block, block_view *view)
{
    nw_tensor_id end = view->units[view->row->n_roles - 1].out;
    if (block->add == NW_NONE)
        return end == block->out;
    const nw_node *add = &w->graph->nodes[block->add];
    nw_tensor_id from = view->units[0].in;
    view->n_nodes++;
    return add->op == NW_OP_ADD && add->n_inputs == 2 && add->outputs[0] == block->out &&
           ((add->inputs[0] == from && add->inputs[1] == end) ||
            (add->inputs[1] == from && add->inputs[0] == end));
}

static int count_running(const nw_graph *graph, const nw_block *block)
{
    int n = 0;
    for (int i = 0; i < block->n_nodes; i++)
        n += !nw_py_is_folded(graph, block->nodes[i]);
    return n;
}

/* False: some node of the block is not what the class would do. */
static bool see_block(const nw_py_writer *w, const nw_block *block, block_view *view)
{
    *view = (block_view){.row = NULL};
    for (size_t i = 0; i < sizeof shape_rows / sizeof *shape_rows; i++)
        if (shape_rows[i].kind == block->kind)
            view->row = &shape_rows[i];
    if (!view->row)
        return false;
    for (int i = 0; i < view->row->n_roles; i++) {
        nw_py_unit *unit = &view->units[i];
        if (!find_unit(w, &block->parts[view->row->roles[i]], unit))
            return false;
        view->n_nodes += unit->n_nodes;
        bool is_last = i == view->row->n_roles - 1;
        if (is_last && block->parts[NW_PART_SQUEEZE].conv != NW_NONE &&
            !see_squeeze(w, block, view))
            return false;
        if (i && unit->in != (is_last && view->squeezes ? view->squeezed : view->units[i - 1].out))
            return false;
    }
    for (int i = 0; i < block->n_nodes; i++)
        if (w->is_leaky[block->nodes[i]] &&
            w->graph->nodes[block->nodes[i]].outputs[0] != block->out)
            return false;
    return are_alike(view) && see_residual(w, block, view) &&
           view->n_nodes == count_running(w->graph, block);
}

static const char *squeeze_text(nw_py_writer *w, const block_view *view)
{
    if (!view->squeezes)
        return "";
    w->uses[NW_PY_SQUEEZE] = true;
    const nw_geometry *g = &view->squeeze.geometry;
    return nw_py_text(w, ", squeeze=SqueezeExcite(%lld, %lld, %s, %s%s)", (long long)g->in_c,
                      (long long)g->out_c, act_class(view->squeeze.act),
                      act_class(view->excite.act), norm_text(w, &view->squeeze));
}

/* The channels: in, (middle, or the ranks,) out. */
static const char *channels_text(nw_py_writer *w, const block_view *view)
{
    nw_buf text = {0};
    int n = view->row->n_roles, first = view->row->class == NW_PY_SEPARABLE ? 1 : 0;
    nw_buf_printf(&text, "%lld", (long long)view->units[0].geometry.in_c);
    for (int i = first; i < n; i++)
        if (view->row->class != NW_PY_INVERTED || i != 1)
            nw_buf_printf(&text, ", %lld", (long long)view->units[i].geometry.out_c);
    const char *channels = nw_py_text(w, "%s", nw_buf_text(&text));
    nw_buf_fini(&text);
    return channels;
}

static void enter_block(nw_py_writer *w, const block_view *view, const char *name)
{
    static const char *const part_names[] = {"expand", "spatial", "project"};
    for (int i = 0; i < view->row->n_roles; i++)
        enter_unit(w, &view->units[i],
                   nw_py_text(w, "%s.%s", name, part_names[i + 3 - view->row->n_roles]));
    if (!view->squeezes)
        return;
    enter_unit(w, &view->squeeze, nw_py_text(w, "%s.squeeze.reduce", name));
    enter_unit(w, &view->excite, nw_py_text(w, "%s.squeeze.excite", name));
}

void nw_py_write_block(nw_py_writer *w, const nw_block *block)
{
    block_view view;
    char label[24], text[128];
    if (!see_block(w, block, &view))
        return;
    int n = view.row->n_roles;
    const nw_py_unit *spatial = &view.units[n - 2];
    bool is_deep = view.row->class == NW_PY_INVERTED || view.row->class == NW_PY_SEPARABLE;
    int64_t usual = is_deep ? spatial->geometry.in_c : 1, groups = spatial->geometry.groups;
    nw_block_label(block, label, sizeof label);
    char *name = nw_arena_strdup(&w->arena, nw_py_text(w, "b%s", label));
    for (char *s = name; *s; s++)
        if (*s == '.')
            *s = '_';
    const char *act = act_class(view.units[0].act), *last = act_class(view.units[n - 1].act);
    w->uses[view.row->class] = w->uses[NW_PY_CONV] = true;
    nw_py_init(w, "# %s %s", label, nw_block_text(block, text, sizeof text));
    nw_py_init(w, "self.%s = %s(%s%s%s%s, act=%s%s%s%s%s)", name, view.row->name,
               channels_text(w, &view), window_text(w, spatial),
               groups == usual ? "" : nw_py_text(w, ", groups=%lld", (long long)groups),
               norm_text(w, &view.units[0]), act ? act : "None", last ? ", last_act=" : "",
               last ? last : "", squeeze_text(w, &view),
               block->add == NW_NONE ? "" : ", residual=True");
    enter_block(w, &view, name);
    const char *x = nw_py_value(w, view.units[0].in);
    nw_py_line(w, NW_NONE, "%s = self.%s(%s)",
               nw_py_name_value(w, block->out, nw_py_text(w, "x%s", name + 1)), name, x);
}

/* ---- the plan ---- */

static void find_leaks(nw_py_writer *w)
{
    const nw_graph *graph = w->graph;
    for (nw_node_id id = 0; id < graph->n_nodes; id++) {
        const nw_block *block = nw_arch_block_of(w->arch, id);
        for (int i = 0; i < graph->nodes[id].n_inputs; i++) {
            nw_tensor_id in = graph->nodes[id].inputs[i];
            nw_node_id producer = in == NW_NONE ? NW_NONE : graph->tensors[in].producer;
            if (producer != NW_NONE && nw_arch_block_of(w->arch, producer) != block)
                w->is_leaky[producer] = 1;
        }
    }
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->tensors[graph->outputs[i]].producer != NW_NONE)
            w->is_leaky[graph->tensors[graph->outputs[i]].producer] = 1;
}

static void plan_units(nw_py_writer *w, const nw_block *block)
{
    for (int role = 0; role < NW_PART_COUNT; role++) {
        nw_py_unit unit;
        bool is_free = find_unit(w, &block->parts[role], &unit) && is_closed(w, &unit);
        for (int i = 0; is_free && i < unit.n_nodes; i++)
            is_free = w->unit_of[unit.nodes[i]] == NW_NONE;
        for (int i = 0; is_free && i < unit.n_nodes; i++)
            w->unit_of[unit.nodes[i]] = unit.conv;
        if (is_free)
            w->unit_left[unit.conv] = unit.n_nodes;
    }
}

void nw_py_plan(nw_py_writer *w)
{
    int n_blocks;
    const nw_block *blocks = nw_arch_blocks(w->arch, &n_blocks);
    for (int i = 0; i < w->graph->n_nodes; i++)
        w->unit_of[i] = NW_NONE;
    find_leaks(w);
    for (int i = 0; i < n_blocks; i++) {
        block_view view;
        w->n_left[i] = count_running(w->graph, &blocks[i]);
        w->forms[i] = see_block(w, &blocks[i], &view) ? NW_PY_AS_CLASS : NW_PY_AS_NODES;
        if (w->forms[i] == NW_PY_AS_NODES)
            plan_units(w, &blocks[i]);
    }
}

/* ---- the classes ---- */

static const char *const class_texts[NW_PY_CLASSES] = {
    [NW_PY_CONV] =
        "class ConvNormAct(nn.Module):\n"
        "    \"\"\"Convolution, normalisation, activation.\n\n"
        "    padding: of every side, or (left, right, top, bottom); None keeps the map's size.\n"
        "    \"\"\"\n\n"
        "    def __init__(self, in_c, out_c, kernel=1, stride=1, padding=None, dilation=1, "
        "groups=1,\n"
        "                 bias=None, norm=True, eps=1e-5, act=None):\n"
        "        super().__init__()\n"
        "        if padding is None:\n"
        "            padding = dilation * (kernel - 1) // 2\n"
        "        is_uneven = isinstance(padding, tuple)\n"
        "        self.pad = nn.ZeroPad2d(padding) if is_uneven else nn.Identity()\n"
        "        self.conv = nn.Conv2d(in_c, out_c, kernel, stride, 0 if is_uneven else padding,\n"
        "                              dilation, groups, bias=not norm if bias is None else bias)\n"
        "        self.norm = nn.BatchNorm2d(out_c, eps) if norm else nn.Identity()\n"
        "        self.act = act() if act else nn.Identity()\n\n"
        "    def forward(self, x):\n"
        "        return self.act(self.norm(self.conv(self.pad(x))))\n",
    [NW_PY_SQUEEZE] =
        "class SqueezeExcite(nn.Module):\n"
        "    \"\"\"Weighs the channels of a map by what they are on average.\"\"\"\n\n"
        "    def __init__(self, in_c, inner_c, act, gate, norm=True, eps=1e-5):\n"
        "        super().__init__()\n"
        "        self.reduce = ConvNormAct(in_c, inner_c, norm=norm, eps=eps, act=act)\n"
        "        self.excite = ConvNormAct(inner_c, in_c, norm=norm, eps=eps, act=gate)\n\n"
        "    def forward(self, x):\n"
        "        return x * self.excite(self.reduce(x.mean((2, 3), keepdim=True)))\n",
    [NW_PY_SEPARABLE] =
        "class DepthwiseSeparable(nn.Module):\n"
        "    \"\"\"Depthwise k x k, 1x1.\"\"\"\n\n"
        "    def __init__(self, in_c, out_c, kernel=1, stride=1, padding=None, dilation=1, "
        "groups=None,\n"
        "                 norm=True, eps=1e-5, act=None, last_act=None, squeeze=None, "
        "residual=False):\n"
        "        super().__init__()\n"
        "        self.spatial = ConvNormAct(in_c, in_c, kernel, stride, padding, dilation, "
        "groups or in_c,\n"
        "                                   norm=norm, eps=eps, act=act)\n"
        "        self.squeeze = squeeze or nn.Identity()\n"
        "        self.project = ConvNormAct(in_c, out_c, norm=norm, eps=eps, act=last_act)\n"
        "        self.residual = residual\n\n"
        "    def forward(self, x):\n"
        "        y = self.project(self.squeeze(self.spatial(x)))\n"
        "        return x + y if self.residual else y\n",
    [NW_PY_INVERTED] =
        "class InvertedResidual(nn.Module):\n"
        "    \"\"\"1x1 up to mid_c, depthwise (or grouped) k x k, 1x1 down.\"\"\"\n\n"
        "    def __init__(self, in_c, mid_c, out_c, kernel=1, stride=1, padding=None, "
        "dilation=1,\n"
        "                 groups=None, norm=True, eps=1e-5, act=None, squeeze=None, "
        "residual=False):\n"
        "        super().__init__()\n"
        "        self.expand = ConvNormAct(in_c, mid_c, norm=norm, eps=eps, act=act)\n"
        "        self.spatial = ConvNormAct(mid_c, mid_c, kernel, stride, padding, dilation, "
        "groups or mid_c,\n"
        "                                   norm=norm, eps=eps, act=act)\n"
        "        self.squeeze = squeeze or nn.Identity()\n"
        "        self.project = ConvNormAct(mid_c, out_c, norm=norm, eps=eps)\n"
        "        self.residual = residual\n\n"
        "    def forward(self, x):\n"
        "        y = self.project(self.squeeze(self.spatial(self.expand(x))))\n"
        "        return x + y if self.residual else y\n",
    [NW_PY_FUSED] =
        "class FusedInvertedResidual(nn.Module):\n"
        "    \"\"\"k x k up to mid_c, 1x1 down.\"\"\"\n\n"
        "    def __init__(self, in_c, mid_c, out_c, kernel=1, stride=1, padding=None, "
        "dilation=1,\n"
        "                 groups=1, norm=True, eps=1e-5, act=None, squeeze=None, "
        "residual=False):\n"
        "        super().__init__()\n"
        "        self.spatial = ConvNormAct(in_c, mid_c, kernel, stride, padding, dilation, "
        "groups,\n"
        "                                   norm=norm, eps=eps, act=act)\n"
        "        self.squeeze = squeeze or nn.Identity()\n"
        "        self.project = ConvNormAct(mid_c, out_c, norm=norm, eps=eps)\n"
        "        self.residual = residual\n\n"
        "    def forward(self, x):\n"
        "        y = self.project(self.squeeze(self.spatial(x)))\n"
        "        return x + y if self.residual else y\n",
    [NW_PY_TUCKER] =
        "class TuckerResidual(nn.Module):\n"
        "    \"\"\"1x1 to rank_in, k x k to rank_out, 1x1.\"\"\"\n\n"
        "    def __init__(self, in_c, rank_in, rank_out, out_c, kernel=1, stride=1, padding=None,\n"
        "                 dilation=1, groups=1, norm=True, eps=1e-5, act=None, squeeze=None,\n"
        "                 residual=False):\n"
        "        super().__init__()\n"
        "        self.expand = ConvNormAct(in_c, rank_in, norm=norm, eps=eps, act=act)\n"
        "        self.spatial = ConvNormAct(rank_in, rank_out, kernel, stride, padding, dilation, "
        "groups,\n"
        "                                   norm=norm, eps=eps, act=act)\n"
        "        self.squeeze = squeeze or nn.Identity()\n"
        "        self.project = ConvNormAct(rank_out, out_c, norm=norm, eps=eps)\n"
        "        self.residual = residual\n\n"
        "    def forward(self, x):\n"
        "        y = self.project(self.squeeze(self.spatial(self.expand(x))))\n"
        "        return x + y if self.residual else y\n",
};

void nw_py_write_classes(const nw_py_writer *w, nw_buf *out)
{
    for (int i = 0; i < NW_PY_CLASSES; i++)
        if (w->uses[i])
            nw_buf_printf(out, "\n\n%s", class_texts[i]);
}
