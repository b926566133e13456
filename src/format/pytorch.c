#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/format/pytorch.h"

#define MAX_LITERALS 64 /* elements of a constant that is written with its values */

/* ---- text ---- */

static const char *format_text(nw_py_writer *w, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = nw_arena_alloc(&w->arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

const char *nw_py_text(nw_py_writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = format_text(w, format, args);
    va_end(args);
    return text;
}

const char *nw_py_tuple(nw_py_writer *w, const int64_t *values, int n)
{
    nw_buf text = {0};
    for (int i = 0; i < n; i++)
        nw_buf_printf(&text, "%s%lld", i ? ", " : "", (long long)values[i]);
    const char *tuple = nw_py_text(w, n == 1 ? "(%s,)" : "(%s)", nw_buf_text(&text));
    nw_buf_fini(&text);
    return tuple;
}

const char *nw_py_real(nw_py_writer *w, double value)
{
    nw_buf text = {0};
    if (isnan(value))
        return "float(\"nan\")";
    if (isinf(value))
        return value > 0 ? "float(\"inf\")" : "-float(\"inf\")";
    nw_buf_double(&text,
                  value == (float)value ? strtod(nw_py_text(w, "%.9g", value), NULL) : value);
    const char *real =
        nw_py_text(w, strpbrk(nw_buf_text(&text), ".e") ? "%s" : "%s.0", nw_buf_text(&text));
    nw_buf_fini(&text);
    return real;
}

const char *nw_py_shape(nw_py_writer *w, nw_tensor_id tensor)
{
    const nw_shape *shape = &w->graph->tensors[tensor].shape;
    return nw_py_tuple(w, shape->dims, shape->rank);
}

void nw_py_init(nw_py_writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    nw_buf_printf(&w->init, "        %s\n", format_text(w, format, args));
    va_end(args);
}

void nw_py_line(nw_py_writer *w, nw_node_id node, const char *format, ...)
{
    char clean[64], fit[40];
    va_list args;
    va_start(args, format);
    nw_buf_printf(&w->forward, "        %s", format_text(w, format, args));
    va_end(args);
    if (node != NW_NONE && w->graph->nodes[node].name[0])
        nw_buf_printf(&w->forward, "  # %s",
                      nw_text_fit(nw_text_visible(w->graph->nodes[node].name, clean, sizeof clean),
                                  fit, sizeof fit));
    nw_buf_puts(&w->forward, "\n");
}

void nw_py_fail(nw_py_writer *w, nw_node_id node, const char *why)
{
    char label[160];
    if (w->status == NW_OK)
        w->status =
            nw_fail(w->err, NW_UNSUPPORTED, nw_node_label(w->graph, node, label, sizeof label),
                    "%s cannot be written for PyTorch: %s", w->graph->nodes[node].file_type, why);
}

/* ---- values ---- */

const char *nw_py_name_value(nw_py_writer *w, nw_tensor_id tensor, const char *name)
{
    if (!name)
        name = nw_py_text(w, "t%d", w->n_values++);
    return w->values[tensor] = name;
}

bool nw_py_ints(const nw_py_writer *w, nw_tensor_id tensor, const int64_t **values, int *n)
{
    if (tensor == NW_NONE || !w->graph->tensors[tensor].ints)
        return false;
    *values = w->graph->tensors[tensor].ints;
    *n = (int)nw_shape_elements(&w->graph->tensors[tensor].shape);
    return true;
}

static bool element(const nw_tensor *tensor, int64_t i, double *out)
{
    if (tensor->ints)
        *out = (double)tensor->ints[i];
    else if (tensor->floats)
        *out = tensor->floats[i];
    return tensor->ints || tensor->floats;
}

bool nw_py_number(const nw_py_writer *w, nw_tensor_id tensor, double *value)
{
    return tensor != NW_NONE && nw_shape_elements(&w->graph->tensors[tensor].shape) == 1 &&
           element(&w->graph->tensors[tensor], 0, value);
}

static const char *type_name(nw_dtype dtype)
{
    switch (dtype) {
    case NW_DTYPE_INT64:
    case NW_DTYPE_UINT64:
    case NW_DTYPE_UINT32:
        return "torch.int64";
    case NW_DTYPE_INT32:
    case NW_DTYPE_UINT16:
        return "torch.int32";
    case NW_DTYPE_INT16:
        return "torch.int16";
    case NW_DTYPE_INT8:
        return "torch.int8";
    case NW_DTYPE_UINT8:
        return "torch.uint8";
    case NW_DTYPE_BOOL:
        return "torch.bool";
    case NW_DTYPE_FLOAT64:
        return "torch.float64";
    default:
        return "torch.float32";
    }
}

void nw_py_enter(nw_py_writer *w, nw_tensor_id tensor, const char *path)
{
    nw_tensor_id root = tensor == NW_NONE ? NW_NONE : nw_graph_stored_root(w->graph, tensor);
    if (tensor == NW_NONE)
        return;
    if (root == NW_NONE)
        root = tensor;
    if (w->params[root]) {
        nw_py_init(w, "self.%s = self.%s", path, w->params[root]);
        return;
    }
    w->params[root] = nw_py_text(w, "%s", path);
    w->n_params += nw_shape_elements(&w->graph->tensors[root].shape);
}

static const char *literals(nw_py_writer *w, const nw_tensor *tensor, int64_t n)
{
    nw_buf list = {0};
    for (int64_t i = 0; i < n; i++) {
        double value = 0;
        element(tensor, i, &value);
        nw_buf_printf(&list, "%s%s", i ? ", " : "",
                      tensor->ints ? nw_py_text(w, "%lld", (long long)tensor->ints[i])
                                   : nw_py_real(w, value));
    }
    const char *text = nw_py_text(w, "[%s]", nw_buf_text(&list));
    nw_buf_fini(&list);
    return text;
}

/* The values in the constant's shape, or zeros where there are many of them or none to be had. */
static const char *tensor_text(nw_py_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    const char *shape = nw_py_shape(w, id), *type = type_name(tensor->dtype);
    int64_t n = nw_shape_elements(&tensor->shape);
    double value;
    if (n < 1 || n > MAX_LITERALS || !element(tensor, 0, &value))
        return nw_py_text(w, "torch.zeros(%s, dtype=%s)", shape, type);
    return nw_py_text(w, "torch.tensor(%s, dtype=%s).reshape(%s)", literals(w, tensor, n), type,
                      shape);
}

/* Whether the constant is learned, as nw_graph_count sees it: what the elementwise operators and
 * products read, the table of a gather. */
static bool is_parameter(const nw_node *node, nw_tensor_id tensor)
{
    switch (node->op) {
    case NW_OP_CONV2D:
    case NW_OP_CONV_TRANSPOSE:
    case NW_OP_FULLY_CONNECTED:
    case NW_OP_LAYER_NORM:
    case NW_OP_INSTANCE_NORM:
    case NW_OP_PRELU:
    case NW_OP_BATCH_NORM:
        return node->inputs[0] != tensor;
    case NW_OP_MATMUL:
    case NW_OP_ADD:
    case NW_OP_SUB:
    case NW_OP_MUL:
    case NW_OP_DIV:
        return true;
    case NW_OP_GATHER:
        return node->inputs[0] == tensor;
    default:
        return false;
    }
}

static void find_learned(nw_py_writer *w)
{
    for (nw_node_id id = 0; id < w->graph->n_nodes; id++) {
        const nw_node *node = &w->graph->nodes[id];
        for (int i = 0; i < node->n_inputs; i++)
            if (node->inputs[i] != NW_NONE && is_parameter(node, node->inputs[i]))
                w->is_learned[node->inputs[i]] = 1;
    }
}

static const char *constant_value(nw_py_writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    bool is_float = nw_dtype_is_float(tensor->dtype);
    nw_tensor_id root = nw_graph_stored_root(w->graph, id);
    double value;
    if (nw_py_number(w, id, &value))
        return is_float ? nw_py_real(w, value) : nw_py_text(w, "%lld", (long long)value);
    if (root != NW_NONE && w->params[root])
        return nw_py_text(w, "self.%s.reshape(%s)", w->params[root], nw_py_shape(w, id));
    const char *name = nw_py_text(w, "c%d", w->n_modules++);
    if (root != NW_NONE && nw_shape_elements(&tensor->shape) > 1 && w->is_learned[id]) {
        nw_py_init(w, "self.%s = nn.Parameter(%s%s)", name, tensor_text(w, id),
                   is_float ? "" : ", requires_grad=False");
        nw_py_enter(w, id, name);
    } else {
        nw_py_init(w, "self.register_buffer(\"%s\", %s)", name, tensor_text(w, id));
    }
    return nw_py_text(w, "self.%s", name);
}

const char *nw_py_value(nw_py_writer *w, nw_tensor_id tensor)
{
    if (tensor == NW_NONE)
        return "None";
    const nw_tensor *t = &w->graph->tensors[tensor];
    if (!w->values[tensor] && (t->is_const || t->ints || t->floats))
        w->values[tensor] = constant_value(w, tensor);
    assert(w->values[tensor] || w->status != NW_OK); /* in schedule order */
    return w->values[tensor] ? w->values[tensor] : "None";
}

/* ---- the module ---- */

static void name_inputs(nw_py_writer *w, nw_buf *arguments)
{
    for (int i = 0; i < w->graph->n_inputs; i++) {
        const nw_tensor *tensor = &w->graph->tensors[w->graph->inputs[i]];
        bool is_plain = isalpha((unsigned char)tensor->name[0]) != 0 && strlen(tensor->name) < 32;
        for (const char *s = tensor->name; *s; s++)
            is_plain &= isalnum((unsigned char)*s) || *s == '_';
        static const char *const taken[] = {"input", "image", "images", "data", "x", "pixels"};
        bool is_known = false; /* others might be words of Python's, or variables of ours */
        for (size_t k = 0; k < sizeof taken / sizeof *taken; k++)
            is_known |= strcmp(tensor->name, taken[k]) == 0;
        const char *name = is_plain && is_known && w->graph->n_inputs == 1
                               ? tensor->name
                               : nw_py_text(w, "input%d", i);
        nw_py_name_value(w, w->graph->inputs[i], name);
        nw_buf_printf(arguments, ", %s", name);
    }
}

bool nw_py_is_folded(const nw_graph *graph, nw_node_id id)
{
    const nw_node *node = &graph->nodes[id];
    for (int i = 0; i < node->n_outputs; i++) {
        const nw_tensor *out =
            node->outputs[i] == NW_NONE ? NULL : &graph->tensors[node->outputs[i]];
        if (out && !out->is_const && !out->ints && !out->floats)
            return false;
    }
    return true;
}

static void write_nodes(nw_py_writer *w)
{
    int n_blocks;
    const nw_block *blocks = nw_arch_blocks(w->arch, &n_blocks);
    for (int i = 0; i < w->graph->n_nodes && w->status == NW_OK; i++) {
        nw_node_id id = w->graph->order[i];
        const nw_block *block = nw_arch_block_of(w->arch, id);
        if (nw_py_is_folded(w->graph, id))
            continue;
        size_t at = block ? (size_t)(block - blocks) : 0;
        bool is_last = block && --w->n_left[at] == 0;
        if (block && w->forms[at] == NW_PY_AS_CLASS) {
            if (is_last)
                nw_py_write_block(w, block);
        } else if (w->unit_of[id] != NW_NONE) {
            if (--w->unit_left[w->unit_of[id]] == 0)
                nw_py_write_unit(w, w->unit_of[id]);
        } else {
            nw_py_write_node(w, id);
        }
    }
}

static void write_outputs(nw_py_writer *w)
{
    nw_buf list = {0};
    for (int i = 0; i < w->graph->n_outputs; i++) {
        nw_tensor_id id = w->graph->outputs[i];
        const char *value = nw_py_value(w, id);
        if (w->graph->tensors[id].is_const)
            value = nw_py_text(w, "torch.as_tensor(%s).reshape(%s)", value, nw_py_shape(w, id));
        nw_buf_printf(&list, "%s%s", i ? ", " : "", value);
    }
    nw_py_line(w, NW_NONE, "return %s", nw_buf_text(&list));
    nw_buf_fini(&list);
}

static void write_sizes(nw_py_writer *w, const char *name, const nw_tensor_id *ids, int n,
                        bool has_types, nw_buf *out)
{
    nw_buf_printf(out, "%s = [", name);
    for (int i = 0; i < n; i++) {
        nw_buf_puts(out, i ? ", " : "");
        if (has_types)
            nw_buf_printf(out, "(%s, %s)", nw_py_shape(w, ids[i]),
                          type_name(w->graph->tensors[ids[i]].dtype));
        else
            nw_buf_puts(out, nw_py_shape(w, ids[i]));
    }
    nw_buf_puts(out, "]\n");
}

static void write_head(nw_py_writer *w, const nw_graph *source, nw_buf *out)
{
    char clean[128], name[64];
    nw_counts counts;
    nw_graph_count(w->graph, &counts);
    nw_text_fit(nw_text_visible(source->name, clean, sizeof clean), name, sizeof name);
    for (char *s = name; *s; s++)
        if (*s == '"' || *s == '\\')
            *s = '_';
    nw_buf_printf(out,
                  "\"\"\"%s%sa PyTorch module, written by nasw.\n\n"
                  "%lld parameters, %lld multiply-accumulates at the sizes below. The weights are "
                  "not included:\nevery module has what PyTorch gives it.\n\"\"\"\n",
                  name, *name ? ": " : "", (long long)w->n_params, (long long)counts.macs);
    nw_buf_puts(out, "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n");
    nw_buf_printf(out, "PARAMS = %lld\n", (long long)w->n_params);
    write_sizes(w, "INPUTS", w->graph->inputs, w->graph->n_inputs, true, out);
    write_sizes(w, "OUTPUTS", w->graph->outputs, w->graph->n_outputs, false, out);
}

static const char main_text[] =
    "\n\nif __name__ == \"__main__\":\n"
    "    network = Network().eval()\n"
    "    n_params = sum(p.numel() for p in network.parameters())\n"
    "    assert n_params == PARAMS, f\"{n_params} parameters, not {PARAMS}\"\n"
    "    with torch.no_grad():\n"
    "        outputs = network(*[torch.rand(shape).to(dtype) for shape, dtype in INPUTS])\n"
    "    if torch.is_tensor(outputs):\n"
    "        outputs = (outputs,)\n"
    "    shapes = [tuple(y.shape) for y in outputs]\n"
    "    assert shapes == OUTPUTS, f\"outputs {shapes}, not {OUTPUTS}\"\n"
    "    print(n_params, \"parameters, outputs\", shapes)\n";

static void write_module(nw_py_writer *w, const nw_graph *source, nw_buf *out)
{
    nw_buf arguments = {0};
    find_learned(w);
    nw_py_plan(w);
    name_inputs(w, &arguments);
    write_nodes(w);
    if (w->status == NW_OK) {
        write_outputs(w);
        write_head(w, source, out);
        nw_py_write_classes(w, out);
        nw_buf_printf(out,
                      "\n\nclass Network(nn.Module):\n    def __init__(self):\n"
                      "        super().__init__()\n%s\n    def forward(self%s):\n%s",
                      nw_buf_text(&w->init), nw_buf_text(&arguments), nw_buf_text(&w->forward));
        nw_buf_puts(out, main_text);
    }
    nw_buf_fini(&arguments);
}

/* The same network as ONNX says it, without weights. */
static nw_status simplify(const nw_graph *graph, const nw_arch **out, nw_error *err)
{
    nw_onnx_options options = {.to_float = true, .weights = NW_ONNX_WEIGHTS_LEFT_OUT};
    nw_buf bytes = {0};
    nw_graph *plain = NULL;
    nw_status status = nw_onnx_write(graph, &options, &bytes, err);
    if (status == NW_OK) {
        nw_file *file = nw_file_from_bytes("", nw_buf_text(&bytes), bytes.length);
        status = nw_onnx_read(file, &plain, err);
        nw_file_release(file);
    }
    nw_buf_fini(&bytes);
    if (status == NW_OK)
        status = nw_graph_seal(plain, NULL, 0, err);
    if (status == NW_OK)
        *out = nw_arch_lift(plain);
    else
        nw_graph_free(plain);
    return status;
}

nw_status nw_pytorch_write(const nw_graph *graph, nw_buf *out, nw_error *err)
{
    const nw_arch *arch;
    nw_status status = simplify(graph, &arch, err);
    if (status != NW_OK)
        return status;
    const nw_graph *plain = nw_arch_graph(arch);
    int n_blocks;
    nw_arch_blocks(arch, &n_blocks);
    nw_py_writer w = {.graph = plain, .arch = arch, .err = err};
    size_t n_nodes = (size_t)plain->n_nodes, n_tensors = (size_t)plain->n_tensors;
    w.values = nw_zalloc(n_tensors * sizeof *w.values + 1);
    w.params = nw_zalloc(n_tensors * sizeof *w.params + 1);
    w.unit_of = nw_alloc(n_nodes * sizeof *w.unit_of + 1);
    w.unit_left = nw_zalloc(n_nodes * sizeof *w.unit_left + 1);
    w.is_leaky = nw_zalloc(n_nodes + 1);
    w.is_learned = nw_zalloc(n_tensors + 1);
    w.forms = nw_zalloc((size_t)n_blocks + 1);
    w.n_left = nw_zalloc((size_t)n_blocks * sizeof *w.n_left + 1);
    write_module(&w, graph, out);
    free(w.values);
    free(w.params);
    free(w.unit_of);
    free(w.unit_left);
    free(w.is_leaky);
    free(w.is_learned);
    free(w.forms);
    free(w.n_left);
    nw_buf_fini(&w.init);
    nw_buf_fini(&w.forward);
    nw_arena_fini(&w.arena);
    nw_arch_release(arch);
    return w.status;
}
