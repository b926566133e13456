#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/arena.h"
#include "src/format/format.h"
#include "src/format/network_json.h"

static const char *const pad_modes[] = {"explicit", "same_upper", "same_lower", "valid", NULL};
static const char *const weight_layouts[] = {"oihw", "iohw", "ohwi", "hwio", NULL};
static const char *const reduces[] = {"mean", "sum", "max", "min", "prod", "other", NULL};
static const char *const unaries[] = {"other", "abs",      "neg",   "floor",      "ceil", "round",
                                      "sqrt",  "exp",      "log",   "reciprocal", "not",  "erf",
                                      "elu",   "softplus", "rsqrt", "square",     NULL};
static const char *const compares[] = {
    "equal",         "not_equal", "less", "less_equal", "greater",
    "greater_equal", "and",       "or",   "xor",        NULL};
static const char *const resize_forms[] = {"scales", "sizes", "size_hw", NULL};
static const char *const resize_modes[] = {"nearest", "linear", "cubic", NULL};
static const char *const roundings[] = {"half_down", "half_up", "floor", "ceil", NULL};
static const char *const fills[] = {"constant", "edge", "reflect", "symmetric", NULL};

const char *const nw_json_acts[] = {"none",     "relu", "relu_n1_to_1", "relu6", "tanh",
                                    "sign_bit", NULL};
const char *const nw_json_edit_fills[] = {"zero", "one", "he", "slope", NULL};
const char *const nw_json_layouts[] = {"nhwc", "nchw", NULL};

#define ATTR(field, type)                                                                          \
    {                                                                                              \
#field, NW_JSON_##type, offsetof(nw_attrs, field), NULL                                    \
    }
#define ATTR_ENUM(field, names)                                                                    \
    {                                                                                              \
#field, NW_JSON_ENUM, offsetof(nw_attrs, field), names                                     \
    }

const nw_json_attr nw_json_attrs[] = {
    ATTR(kernel_h, INT32),
    ATTR(kernel_w, INT32),
    ATTR(stride_h, INT32),
    ATTR(stride_w, INT32),
    ATTR(dilation_h, INT32),
    ATTR(dilation_w, INT32),
    ATTR(pad_top, INT32),
    ATTR(pad_left, INT32),
    ATTR(pad_bottom, INT32),
    ATTR(pad_right, INT32),
    ATTR(output_pad_h, INT32),
    ATTR(output_pad_w, INT32),
    ATTR(groups, INT32),
    ATTR(axis, INT32),
    ATTR(block, INT32),
    ATTR(begin_mask, INT32),
    ATTR(end_mask, INT32),
    ATTR(ellipsis_mask, INT32),
    ATTR(new_axis_mask, INT32),
    ATTR(shrink_mask, INT32),
    ATTR(n_axes, INT32),
    ATTR_ENUM(pad_mode, pad_modes),
    ATTR_ENUM(weight_layout, weight_layouts),
    ATTR_ENUM(reduce, reduces),
    ATTR_ENUM(unary, unaries),
    ATTR_ENUM(compare, compares),
    ATTR_ENUM(resize_form, resize_forms),
    ATTR_ENUM(resize_mode, resize_modes),
    ATTR_ENUM(rounding, roundings),
    ATTR_ENUM(fill, fills),
    ATTR(ceil_mode, BOOL),
    ATTR(transpose_a, BOOL),
    ATTR(transpose_b, BOOL),
    ATTR(keep_dims, BOOL),
    ATTR(allow_zero, BOOL),
    ATTR(noop_empty, BOOL),
    ATTR(pads_paired, BOOL),
    ATTR(counts_pads, BOOL),
    ATTR(is_crd, BOOL),
    ATTR(to_end, BOOL),
    ATTR(one_from_zero, BOOL),
    ATTR(is_partial, BOOL),
    ATTR(has_ints, BOOL),
    ATTR(half_pixel, BOOL),
    ATTR(align_corners, BOOL),
    ATTR(alpha, FLOAT),
    ATTR(beta, FLOAT),
    {NULL, NW_JSON_BOOL, 0, NULL},
};

typedef struct writer {
    nw_buf *out;
    const nw_graph *graph;
    const char *file;   /* named at the top: what references mean without a file of their own */
    const char *target; /* where the text will be; NULL: not said */
    const char *named;  /* the file whose name for there is in `name` */
    char *name;
    size_t inline_bytes; /* of large constants, so far */
} writer;

/* ---- values ---- */

static void put_base64(nw_buf *out, const uint8_t *bytes, size_t n_bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n_bytes; i += 3) {
        size_t left = n_bytes - i;
        uint32_t word = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (left > 2 ? bytes[i + 2] : 0);
        char four[4] = {digits[word >> 18], digits[word >> 12 & 63], '=', '='};
        if (left > 1)
            four[2] = digits[word >> 6 & 63];
        if (left > 2)
            four[3] = digits[word & 63];
        nw_buf_add(out, four, 4);
    }
}

static bool is_printable(const char *text)
{
    size_t size = 4 * strlen(text) + 1;
    char small[512];
    char *clean = size <= sizeof small ? small : nw_alloc(size);
    bool same =
        strcmp(nw_text_visible(text, clean, size <= sizeof small ? sizeof small : size), text) == 0;
    if (clean != small)
        free(clean);
    return same;
}

static void put_text(nw_buf *out, const char *text)
{
    bool is_marked = strncmp(text, NW_JSON_BASE64, strlen(NW_JSON_BASE64)) == 0;
    if (!is_marked && is_printable(text)) {
        nw_buf_json_string(out, text);
        return;
    }
    nw_buf_puts(out, "\"" NW_JSON_BASE64);
    put_base64(out, (const uint8_t *)text, strlen(text));
    nw_buf_puts(out, "\"");
}

static void put_int(nw_buf *out, int64_t value)
{
    bool is_exact = value >= -NW_JSON_MAX_EXACT && value <= NW_JSON_MAX_EXACT;
    nw_buf_printf(out, is_exact ? "%lld" : "\"%lld\"", (long long)value);
}

static void put_real(nw_buf *out, double value)
{
    if (isfinite(value))
        nw_buf_double(out, value);
    else
        nw_buf_puts(out, isnan(value) ? "\"nan\"" : value > 0 ? "\"inf\"" : "\"-inf\"");
}

static void put_key(nw_buf *out, const char *name)
{
    nw_buf_printf(out, ", \"%s\": ", name);
}

static void put_ids(nw_buf *out, const nw_tensor_id *ids, int n)
{
    nw_buf_puts(out, "[");
    for (int i = 0; i < n; i++) {
        nw_buf_puts(out, i ? ", " : "");
        if (ids[i] == NW_NONE)
            nw_buf_puts(out, "null");
        else
            nw_buf_printf(out, "%d", (int)ids[i]);
    }
    nw_buf_puts(out, "]");
}

static void put_ints(nw_buf *out, const int64_t *values, int n)
{
    nw_buf_puts(out, "[");
    for (int i = 0; i < n; i++) {
        nw_buf_puts(out, i ? ", " : "");
        put_int(out, values[i]);
    }
    nw_buf_puts(out, "]");
}

static void put_floats(nw_buf *out, const float *values, int n)
{
    nw_buf_puts(out, "[");
    for (int i = 0; i < n; i++) {
        nw_buf_puts(out, i ? ", " : "");
        put_real(out, values[i]);
    }
    nw_buf_puts(out, "]");
}

/* ---- tensors ---- */

static void put_shape(nw_buf *out, const char *name, const nw_shape *shape)
{
    put_key(out, name);
    if (shape->rank < 0)
        nw_buf_puts(out, "null");
    else
        put_ints(out, shape->dims, shape->rank);
}

static void put_quant(nw_buf *out, const nw_quant *quant)
{
    put_key(out, "quant");
    nw_buf_printf(out, "{\"channels\": %d, \"axis\": %d, \"scale\": ", quant->n_channels,
                  quant->axis);
    put_real(out, quant->scale);
    nw_buf_puts(out, ", \"zero_point\": ");
    put_int(out, quant->zero_point);
    if (quant->scales) {
        put_key(out, "scales");
        put_floats(out, quant->scales, quant->n_channels);
    }
    if (quant->zero_points) {
        put_key(out, "zero_points");
        put_ints(out, quant->zero_points, quant->n_channels);
    }
    nw_buf_puts(out, "}");
}

static bool has_quant(const nw_quant *quant)
{
    return quant->n_channels || quant->axis || quant->scale != 0 || quant->zero_point;
}

static bool is_small(const nw_tensor *tensor)
{
    if (tensor->n_bytes > NW_JSON_SMALL_BYTES)
        return false;
    return nw_shape_is_known(&tensor->shape)
               ? nw_shape_elements(&tensor->shape) <= NW_JSON_SMALL_ELEMENTS
               : tensor->n_bytes <= NW_JSON_SMALL_ELEMENTS;
}

static bool has_inline_data(writer *w, const nw_tensor *tensor)
{
    if (!tensor->data || is_small(tensor))
        return tensor->data != NULL;
    if (tensor->file_offset >= 0 || tensor->n_bytes > NW_JSON_INLINE_TOTAL - w->inline_bytes)
        return false;
    w->inline_bytes += tensor->n_bytes;
    return true;
}

/* Whether the bytes are as good as a short list of whole numbers. */
static bool has_values(const nw_tensor *tensor)
{
    int bits = nw_dtype_bits(tensor->dtype);
    int64_t n = nw_shape_elements(&tensor->shape);
    return nw_shape_is_known(&tensor->shape) && bits >= 8 && !nw_dtype_is_float(tensor->dtype) &&
           tensor->dtype != NW_DTYPE_UINT64 && n <= NW_JSON_MAX_VALUES &&
           (int64_t)tensor->n_bytes == n * (bits / 8);
}

static void put_data(nw_buf *out, const nw_tensor *tensor)
{
    if (!has_values(tensor)) {
        nw_buf_puts(out, "\"base64\": \"");
        put_base64(out, tensor->data, tensor->n_bytes);
        nw_buf_puts(out, "\"");
        return;
    }
    int64_t n = nw_shape_elements(&tensor->shape);
    nw_buf_puts(out, "\"values\": [");
    for (int64_t i = 0; i < n; i++) {
        nw_buf_puts(out, i ? ", " : "");
        put_int(out, nw_element_read_int(tensor->dtype, tensor->data, i));
    }
    nw_buf_puts(out, "]");
}

/* Whose bytes stand for a constant: its own, or those of what an edit made it of. */
static nw_tensor source_of(const nw_tensor *tensor)
{
    const nw_edited *edited = tensor->edited;
    nw_tensor source = *tensor;
    if (!edited)
        return source;
    source.dtype = edited->dtype;
    source.shape = edited->shape;
    source.data = edited->data;
    source.n_bytes = edited->n_bytes;
    source.file_offset = edited->file_offset;
    source.file_path = edited->file_path;
    return source;
}

static char *duplicate(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(nw_alloc(size), text, size);
}

/* The path of a file as the network at w->target is to name it. */
static const char *name_for_target(writer *w, const char *path)
{
    const char *slash = w->target ? strrchr(w->target, '/') : NULL;
    size_t length = slash ? (size_t)(slash - w->target) + 1 : 0;
    if (!w->target || strcmp(path, "-") == 0)
        return path;
    if (w->named && strcmp(w->named, path) == 0)
        return w->name;
    nw_buf from = {0};
    nw_buf_printf(&from, "%s%s", path[0] == '/' ? "" : w->graph->folder, path);
    bool is_there = access(nw_buf_text(&from), F_OK) == 0;
    const char *found = is_there ? nw_buf_text(&from) : path;
    free(w->name);
    if (strncmp(found, w->target, length) == 0)
        w->name = duplicate(found + length);
    else
        w->name = realpath(found, NULL);
    if (!w->name)
        w->name = duplicate(path);
    w->named = path;
    nw_buf_fini(&from);
    return w->name;
}

/* The file that a constant's offset counts in; NULL: not known. */
static const char *file_of(writer *w, const nw_tensor *tensor)
{
    const nw_file *file = nw_graph_file(w->graph);
    const char *path = tensor->file_path ? tensor->file_path : file ? file->path : NULL;
    return path ? name_for_target(w, path) : NULL;
}

static bool is_constant(const nw_tensor *tensor)
{
    return tensor->is_stored || (tensor->is_const && tensor->producer == NW_NONE);
}

/* As runs of elements of the source that follow each other, or of new ones. */
static void put_map(nw_buf *out, const int32_t *map, int64_t size)
{
    nw_buf_puts(out, "[");
    for (int64_t i = 0, n; i < size; i += n) {
        for (n = 1; i + n < size && map[i + n] == (map[i] < 0 ? -1 : map[i] + n); n++)
            ;
        nw_buf_printf(out, "%s[%d, %lld]", i ? ", " : "", (int)map[i], (long long)n);
    }
    nw_buf_puts(out, "]");
}

static void put_edited(nw_buf *out, const nw_tensor *tensor)
{
    const nw_edited *edited = tensor->edited;
    int n_spatial = 0;
    nw_buf_printf(out, ", \"edited\": {\"dtype\": \"%s\"", nw_dtype_name(edited->dtype));
    put_shape(out, "shape", &edited->shape);
    if (has_quant(&edited->quant))
        put_quant(out, &edited->quant);
    put_key(out, "maps");
    nw_buf_puts(out, "[");
    for (int axis = 0; axis < tensor->shape.rank; axis++) {
        nw_buf_puts(out, axis ? ", " : "");
        if (edited->maps[axis])
            put_map(out, edited->maps[axis], tensor->shape.dims[axis]);
        else
            nw_buf_puts(out, "null");
    }
    nw_buf_puts(out, "]");
    for (int axis = 0; axis < tensor->shape.rank; axis++)
        if (edited->is_spatial[axis])
            nw_buf_printf(out, n_spatial++ ? ", %d" : ", \"spatial\": [%d", axis);
    nw_buf_puts(out, n_spatial ? "]" : "");
    if (edited->fill != NW_EDIT_FILL_ZERO)
        nw_buf_printf(out, ", \"fill\": \"%s\"", nw_json_edit_fills[edited->fill]);
    if (edited->fan_in)
        nw_buf_printf(out, ", \"fan_in\": %d", (int)edited->fan_in);
    nw_buf_puts(out, "}");
}

static void put_constant(writer *w, const nw_tensor *constant)
{
    const nw_tensor source = source_of(constant), *tensor = &source;
    nw_buf *out = w->out;
    const char *comma = "";
    put_key(out, "const");
    nw_buf_puts(out, "{");
    if (!tensor->is_stored) {
        nw_buf_puts(out, "\"stored\": false");
        comma = ", ";
    }
    if (tensor->file_offset >= 0) {
        const char *file = file_of(w, tensor);
        if (file && strcmp(file, w->file) != 0) {
            nw_buf_printf(out, "%s\"file\": ", comma);
            put_text(out, file);
            comma = ", ";
        }
        nw_buf_printf(out, "%s\"offset\": ", comma);
        put_int(out, tensor->file_offset);
        comma = ", ";
    }
    nw_buf_puts(out, comma);
    if (has_inline_data(w, tensor))
        put_data(out, tensor);
    else
        nw_buf_printf(out, "\"bytes\": %zu", tensor->n_bytes);
    if (constant->edited)
        put_edited(out, constant);
    nw_buf_puts(out, "}");
}

static void put_tensor(writer *w, nw_tensor_id id)
{
    const nw_tensor *tensor = &w->graph->tensors[id];
    nw_buf *out = w->out;
    nw_buf_printf(out, "{\"id\": %d, \"name\": ", (int)id);
    put_text(out, tensor->name);
    nw_buf_printf(out, ", \"dtype\": \"%s\"", nw_dtype_name(tensor->dtype));
    put_shape(out, "shape", &tensor->shape);
    if (!nw_shape_equal(&tensor->stored_shape, &tensor->shape))
        put_shape(out, "stored_shape", &tensor->stored_shape);
    if (has_quant(&tensor->quant))
        put_quant(out, &tensor->quant);
    if (is_constant(tensor))
        put_constant(w, tensor);
    nw_buf_puts(out, "}");
}

/* ---- nodes ---- */

static void put_attr(nw_buf *out, const nw_json_attr *attr, const char *at)
{
    int32_t whole;
    uint8_t index;
    bool flag;
    float real;
    switch (attr->type) {
    case NW_JSON_INT32:
        memcpy(&whole, at, sizeof whole);
        nw_buf_printf(out, "%d", (int)whole);
        break;
    case NW_JSON_ENUM:
        memcpy(&index, at, sizeof index);
        nw_buf_printf(out, "\"%s\"", attr->names[index]);
        break;
    case NW_JSON_BOOL:
        memcpy(&flag, at, sizeof flag);
        nw_buf_puts(out, flag ? "true" : "false");
        break;
    default:
        memcpy(&real, at, sizeof real);
        put_real(out, real);
    }
}

static size_t attr_size(nw_json_attr_type type)
{
    return type == NW_JSON_INT32 || type == NW_JSON_FLOAT ? 4 : 1;
}

/* A member of attrs; the first one opens the object. */
static void put_attr_name(nw_buf *out, const char *name, bool *is_open)
{
    nw_buf_printf(out, "%s\"%s\": ", *is_open ? ", " : ", \"attrs\": {", name);
    *is_open = true;
}

static void put_attrs(nw_buf *out, const nw_attrs *attrs)
{
    nw_attrs usual;
    nw_attrs_init(&usual);
    bool is_open = false;
    for (const nw_json_attr *attr = nw_json_attrs; attr->name; attr++) {
        const char *at = (const char *)attrs + attr->offset;
        if (memcmp(at, (const char *)&usual + attr->offset, attr_size(attr->type)) == 0)
            continue;
        put_attr_name(out, attr->name, &is_open);
        put_attr(out, attr, at);
    }
    if (attrs->n_ints) {
        put_attr_name(out, "ints", &is_open);
        put_ints(out, attrs->ints, attrs->n_ints);
    }
    if (attrs->n_floats) {
        put_attr_name(out, "floats", &is_open);
        put_floats(out, attrs->floats, attrs->n_floats);
    }
    if (is_open)
        nw_buf_puts(out, "}");
}

static void put_hint(nw_buf *out, const nw_hint *hint)
{
    nw_buf_printf(out, ", \"hint\": {\"bits\": %d", (int)hint->bits);
    nw_buf_puts(out, hint->is_float ? ", \"float\": true" : "");
    nw_buf_puts(out, hint->splits ? ", \"splits\": true" : "");
    nw_buf_puts(out, hint->joins ? ", \"joins\": true" : "");
    nw_buf_puts(out, "}");
}

static void put_node(writer *w, nw_node_id id)
{
    const nw_node *node = &w->graph->nodes[id];
    nw_buf *out = w->out;
    nw_buf_printf(out, "{\"id\": %d, \"op\": \"%s\", \"type\": ", (int)id, nw_op_name(node->op));
    put_text(out, node->file_type);
    put_key(out, "name");
    put_text(out, node->name);
    put_key(out, "inputs");
    put_ids(out, node->inputs, node->n_inputs);
    put_key(out, "outputs");
    put_ids(out, node->outputs, node->n_outputs);
    put_attrs(out, &node->attrs);
    if (node->act != NW_ACT_NONE)
        nw_buf_printf(out, ", \"act\": \"%s\"", nw_json_acts[node->act]);
    if (node->opaque_bytes) {
        put_key(out, "opaque_bytes");
        put_int(out, node->opaque_bytes);
    }
    if (node->hint.bits || node->hint.is_float || node->hint.splits || node->hint.joins)
        put_hint(out, &node->hint);
    nw_buf_puts(out, "}");
}

/* ---- the whole ---- */

/* The file of the first reference is the one at the top, so that reading and writing again, when
 * no file is open, finds the same. None is if a reference has no file. */
static char *find_file(writer *w)
{
    const nw_graph *graph = w->graph;
    char *first = NULL;
    for (nw_tensor_id id = 0; id < graph->n_tensors; id++) {
        const nw_tensor source = source_of(&graph->tensors[id]);
        if (!is_constant(&source) || source.file_offset < 0)
            continue;
        const char *file = file_of(w, &source);
        if (!file) {
            free(first);
            return duplicate("");
        }
        if (!first)
            first = duplicate(file);
    }
    return first ? first : duplicate("");
}

static void put_list(writer *w, const char *name, int n, void (*put)(writer *, int32_t))
{
    nw_buf_printf(w->out, ",\n  \"%s\": [", name);
    for (int i = 0; i < n; i++) {
        nw_buf_puts(w->out, i ? ",\n    " : "\n    ");
        put(w, i);
    }
    nw_buf_puts(w->out, n ? "\n  ]" : "]");
}

static void put_edits(nw_buf *out, const char *const *edits, int n)
{
    nw_buf_puts(out, ",\n  \"edits\": [");
    for (int i = 0; i < n; i++) {
        nw_buf_puts(out, i ? ",\n    " : "\n    ");
        put_text(out, edits[i]);
    }
    nw_buf_puts(out, "\n  ]");
}

void nw_network_json_write(const nw_graph *graph, nw_buf *out)
{
    nw_network_json_write_to(graph, NULL, NULL, 0, out);
}

void nw_network_json_write_to(const nw_graph *graph, const char *path, const char *const *edits,
                              int n_edits, nw_buf *out)
{
    writer w = {.out = out, .graph = graph, .target = path};
    char *file = find_file(&w);
    w.file = file;
    nw_buf_puts(out, "{\n  \"schema\": \"" NW_JSON_SCHEMA "\",\n  \"name\": ");
    put_text(out, graph->name);
    nw_buf_puts(out, ",\n  \"format\": ");
    put_text(out, graph->format);
    nw_buf_printf(out, ",\n  \"layout\": \"%s\"", nw_json_layouts[graph->layout]);
    if (w.file[0]) {
        nw_buf_puts(out, ",\n  \"file\": ");
        put_text(out, w.file);
    }
    if (!edits) {
        edits = graph->edits;
        n_edits = graph->n_edits;
    }
    if (n_edits)
        put_edits(out, edits, n_edits);
    nw_buf_puts(out, ",\n  \"inputs\": ");
    put_ids(out, graph->inputs, graph->n_inputs);
    nw_buf_puts(out, ",\n  \"outputs\": ");
    put_ids(out, graph->outputs, graph->n_outputs);
    put_list(&w, "tensors", graph->n_tensors, put_tensor);
    put_list(&w, "nodes", graph->n_nodes, put_node);
    nw_buf_puts(out, "\n}\n");
    free(file);
    free(w.name);
}
