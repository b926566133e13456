/* shapes.c - reading a table of shapes: cells, then rows, then kernels.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/arena.h"
#include "src/measure/internal.h"

#define FIRST_LAYER_CHANNELS 4
#define MAX_CELLS            256

static const char *const column_names[NW_N_COLS] = {
    "kernel",   "in_h",     "in_w",     "in_c",     "out_h",    "out_w",       "out_c",
    "kernel_h", "kernel_w", "stride_h", "stride_w", "dilation", "groups",      "bits",
    "act",      "residual", "first",    "maps",     "in_dram",  "second_dram", "out_dram"};

/* Where each column stands in a line, -1: nowhere; the cells of the line at hand. */
struct nw_shapes_reader {
    const nw_file *table;
    int line, n_columns;
    int at[NW_N_COLS];
    char *cells[MAX_CELLS];
    int n_cells;
    nw_error *err;
};

nw_status nw_shapes_fail(nw_shapes_reader *r, nw_status status, const char *message,
                         const char *what)
{
    char where[192], shown[96];
    snprintf(where, sizeof where, "%.150s:%d", r->table->path, r->line);
    return nw_fail(r->err, status, where, message, nw_text_fit(what, shown, sizeof shown));
}

int nw_shapes_line(const nw_shapes_reader *r)
{
    return r->line;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r", text[n - 1]))
        text[--n] = '\0';
    return text;
}

static char *unquote(char *text)
{
    size_t n = strlen(text);
    if (n > 1 && text[0] == '"' && text[n - 1] == '"') {
        text[n - 1] = '\0';
        text++;
    }
    return text;
}

static nw_status split_cells(nw_shapes_reader *r, char *line)
{
    r->n_cells = 0;
    for (char *cell = line; cell;) {
        char *comma = strchr(cell, ',');
        if (comma)
            *comma = '\0';
        if (r->n_cells == MAX_CELLS)
            return nw_shapes_fail(r, NW_LIMIT,
                                  "has more than 256 columns; keep those of the table%s", "");
        r->cells[r->n_cells++] = unquote(trim(cell));
        cell = comma ? comma + 1 : NULL;
    }
    return NW_OK;
}

static nw_status read_header(nw_shapes_reader *r, char *line)
{
    nw_status status = split_cells(r, line);
    if (status != NW_OK)
        return status;
    r->n_columns = r->n_cells;
    for (int c = 0; c < NW_N_COLS; c++) {
        r->at[c] = -1;
        for (int i = 0; i < r->n_cells; i++) {
            if (strcmp(r->cells[i], column_names[c]) != 0)
                continue;
            if (r->at[c] >= 0)
                return nw_shapes_fail(r, NW_INVALID, "has the column %s twice", column_names[c]);
            r->at[c] = i;
        }
        if (r->at[c] < 0 && c <= NW_COL_OUT_C)
            return nw_shapes_fail(r, NW_INVALID, "the column %s is missing from the header line",
                                  column_names[c]);
    }
    return NW_OK;
}

static const char *cell(const nw_shapes_reader *r, nw_shapes_column c)
{
    return r->at[c] >= 0 ? r->cells[r->at[c]] : "";
}

const char *nw_shapes_text(const nw_shapes_reader *r, nw_shapes_column column)
{
    return cell(r, column);
}

/* A whole number from 1 to 2^31 - 1; fallback for an empty cell, 0: it must not be empty. */
static nw_status read_size(nw_shapes_reader *r, nw_shapes_column c, int64_t fallback,
                           int64_t *value)
{
    const char *text = cell(r, c);
    char message[128];
    if (!*text && fallback > 0) {
        *value = fallback;
        return NW_OK;
    }
    char *end;
    long long number = strtoll(text, &end, 10);
    const char *wrong = NULL;
    if (!*text)
        wrong = "is missing";
    else if (*end || end == text || strspn(text, "+-0123456789") != strlen(text))
        wrong = "is \"%s\", not a whole number";
    else if (number < 1)
        wrong = "is %s; it must be at least 1";
    else if (number > INT32_MAX)
        wrong = "is %s; the largest size is 2147483647";
    if (!wrong) {
        *value = number;
        return NW_OK;
    }
    snprintf(message, sizeof message, "%s %s%s", column_names[c], wrong,
             strstr(wrong, "%s") ? "" : "%s");
    return nw_shapes_fail(r, NW_INVALID, message, text);
}

static bool is_windowed(nw_kernel_kind kind)
{
    return kind == NW_KERNEL_CONV || kind == NW_KERNEL_DWCONV || kind == NW_KERNEL_CONV_TRANSPOSE ||
           kind == NW_KERNEL_POOL;
}

static const struct {
    const char *name;
    nw_kernel_act act;
} act_names[] = {
    {"", NW_KERNEL_ACT_NONE},
    {"0", NW_KERNEL_ACT_NONE},
    {"none", NW_KERNEL_ACT_NONE},
    {"linear", NW_KERNEL_ACT_NONE},
    {"1", NW_KERNEL_ACT_CLAMP},
    {"act", NW_KERNEL_ACT_CLAMP},
    {"relu", NW_KERNEL_ACT_CLAMP},
    {"relu6", NW_KERNEL_ACT_CLAMP},
    {"clip", NW_KERNEL_ACT_CLAMP},
    {"clamp", NW_KERNEL_ACT_CLAMP},
    {"relu_n1_to_1", NW_KERNEL_ACT_CLAMP},
    {"lut", NW_KERNEL_ACT_LUT},
    {"sigmoid", NW_KERNEL_ACT_LUT},
    {"hard_sigmoid", NW_KERNEL_ACT_LUT},
    {"swish", NW_KERNEL_ACT_LUT},
    {"silu", NW_KERNEL_ACT_LUT},
    {"hard_swish", NW_KERNEL_ACT_LUT},
    {"tanh", NW_KERNEL_ACT_LUT},
    {"gelu", NW_KERNEL_ACT_LUT},
    {"elu", NW_KERNEL_ACT_LUT},
    {"leaky_relu", NW_KERNEL_ACT_LUT},
    {"prelu", NW_KERNEL_ACT_LUT},
};

static bool find_act(const char *name, nw_kernel_act *act)
{
    for (size_t i = 0; i < sizeof act_names / sizeof *act_names; i++)
        if (strcmp(name, act_names[i].name) == 0) {
            *act = act_names[i].act;
            return true;
        }
    return false;
}

/* What may stand behind a "+". */
static bool take_joined(nw_shapes_row *out, const char *name)
{
    nw_kernel_shape *s = &out->shape;
    nw_kernel_kind first = s->parts[0].kind, kind = nw_kernel_kind_find(name);
    if (strcmp(name, "add") == 0 && !s->residual) {
        s->residual = 1;
        return true;
    }
    bool joins = s->n_parts == 1 && ((first == NW_KERNEL_DWCONV && kind == NW_KERNEL_CONV) ||
                                     (first == NW_KERNEL_CONV && kind == NW_KERNEL_POOL));
    if (joins) {
        s->parts[s->n_parts++].kind = kind;
        return true;
    }
    nw_kernel_act act;
    if (out->is_joined_act || !*name || !find_act(name, &act) || act == NW_KERNEL_ACT_NONE)
        return false;
    out->is_joined_act = true;
    out->act = act;
    return true;
}

static nw_status read_kernel(nw_shapes_reader *r, nw_shapes_row *out)
{
    char text[96];
    const char *name = cell(r, NW_COL_KERNEL);
    if (strlen(name) >= sizeof text)
        return nw_shapes_fail(r, NW_INVALID, "unknown kernel \"%s\"; see the names of kernels",
                              name);
    snprintf(text, sizeof text, "%s", name);
    char *plus = strchr(text, '+');
    if (plus)
        *plus++ = '\0';
    nw_kernel_kind kind = nw_kernel_kind_find(text);
    if (kind == NW_KERNEL_COUNT || kind == NW_KERNEL_OPAQUE)
        return nw_shapes_fail(
            r, NW_INVALID, "unknown kernel \"%s\"; there are conv, dwconv, fc, pool, add, mul, ...",
            name);
    out->shape.parts[0].kind = kind;
    out->shape.n_parts = 1;
    while (plus) {
        char *next = strchr(plus, '+');
        if (next)
            *next++ = '\0';
        if (!take_joined(out, plus))
            return nw_shapes_fail(
                r, NW_INVALID,
                "kernel \"%s\": only act, add, conv behind dwconv and pool behind conv "
                "are joined",
                name);
        plus = next;
    }
    return NW_OK;
}

static nw_status read_flag(nw_shapes_reader *r, nw_shapes_column column, int32_t fallback,
                           int32_t *out)
{
    static const char *const words[] = {"0", "1", "no", "yes", "false", "true"};
    const char *text = cell(r, column);
    char message[64];
    *out = fallback;
    for (int i = 0; i < 6; i++)
        if (strcmp(text, words[i]) == 0) {
            *out = i & 1;
            return NW_OK;
        }
    if (!*text)
        return NW_OK;
    snprintf(message, sizeof message, "%s is \"%%s\"; it must be 0 or 1", column_names[column]);
    return nw_shapes_fail(r, NW_INVALID, message, text);
}

static nw_status read_extras(nw_shapes_reader *r, nw_shapes_row *out)
{
    nw_kernel_act act;
    const char *text = cell(r, NW_COL_ACT);
    if (!find_act(text, &act))
        return nw_shapes_fail(r, NW_INVALID, "unknown act \"%s\"; give none, relu, relu6 or lut",
                              text);
    if (act != NW_KERNEL_ACT_NONE || !out->is_joined_act)
        out->act = act;
    if (out->shape.parts[0].kind == NW_KERNEL_ACT && out->act == NW_KERNEL_ACT_NONE)
        out->act = NW_KERNEL_ACT_CLAMP;
    return read_flag(r, NW_COL_RESIDUAL, 0, &out->shape.residual);
}

/* Beside the sizes: what a network decides, the rule of measure.h where the table does not say. */
static nw_status read_surroundings(nw_shapes_reader *r, nw_shapes_row *out)
{
    nw_kernel_shape *s = &out->shape;
    const nw_kernel_part *first = &s->parts[0];
    bool is_pair = first->kind == NW_KERNEL_ADD || first->kind == NW_KERNEL_MUL;
    int32_t is_first = first->kind == NW_KERNEL_CONV && first->in_c <= FIRST_LAYER_CHANNELS;
    int32_t in_dram = 0, second_dram = 0, out_dram = 0;
    int64_t n_maps;
    nw_status status = read_size(r, NW_COL_MAPS, is_pair ? 2 : 1, &n_maps);
    if (status == NW_OK)
        status = read_flag(r, NW_COL_FIRST, is_first, &s->is_first);
    if (status == NW_OK)
        status = read_flag(r, NW_COL_IN_DRAM, 0, &in_dram);
    if (status == NW_OK)
        status = read_flag(r, NW_COL_SECOND_DRAM, 0, &second_dram);
    if (status == NW_OK)
        status = read_flag(r, NW_COL_OUT_DRAM, 0, &out_dram);
    if (status != NW_OK)
        return status;
    s->n_maps = (int32_t)n_maps;
    s->in_place = in_dram ? NW_PLACE_DRAM : NW_PLACE_SRAM;
    s->residual_place = second_dram ? NW_PLACE_DRAM : NW_PLACE_SRAM;
    s->out_place = out_dram ? NW_PLACE_DRAM : NW_PLACE_SRAM;
    out->is_placed = *cell(r, NW_COL_IN_DRAM) && *cell(r, NW_COL_OUT_DRAM);
    return NW_OK;
}

static nw_status read_row(nw_shapes_reader *r, nw_shapes_row *out)
{
    memset(out, 0, sizeof *out);
    nw_status status = read_kernel(r, out);
    nw_kernel_kind kind = out->shape.parts[0].kind;
    for (int c = NW_COL_IN_H; status == NW_OK && c <= NW_COL_BITS; c++) {
        int64_t fallback = c <= NW_COL_OUT_C                           ? 0
                           : c <= NW_COL_STRIDE_W && is_windowed(kind) ? 0
                           : c == NW_COL_GROUPS && kind == NW_KERNEL_DWCONV
                               ? out->number[NW_COL_IN_C]
                           : c == NW_COL_BITS ? 8
                                              : 1;
        status = read_size(r, (nw_shapes_column)c, fallback, &out->number[c]);
    }
    return status == NW_OK ? read_extras(r, out) : status;
}

/* ---- from a row to a kernel ---- */

static int64_t multiply(int64_t a, int64_t b)
{
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

static void fill_part(const nw_shapes_row *r, nw_kernel_part *part)
{
    const int64_t *n = r->number;
    part->in_h = n[NW_COL_IN_H];
    part->in_w = n[NW_COL_IN_W];
    part->in_c = n[NW_COL_IN_C];
    part->out_h = n[NW_COL_OUT_H];
    part->out_w = n[NW_COL_OUT_W];
    part->out_c = n[NW_COL_OUT_C];
    part->kernel_h = (int32_t)n[NW_COL_KERNEL_H];
    part->kernel_w = (int32_t)n[NW_COL_KERNEL_W];
    part->stride_h = (int32_t)n[NW_COL_STRIDE_H];
    part->stride_w = (int32_t)n[NW_COL_STRIDE_W];
    part->dilation_h = part->dilation_w = (int32_t)n[NW_COL_DILATION];
    part->groups = (int32_t)n[NW_COL_GROUPS];
}

/* The pointwise convolution behind a depthwise one, the pooling behind a convolution. */
static void fill_second(nw_kernel_part *first, nw_kernel_part *second)
{
    nw_kernel_kind kind = second->kind;
    *second = *first;
    second->kind = kind;
    second->groups = second->dilation_h = second->dilation_w = 1;
    second->kernel_h = second->kernel_w = second->stride_h = second->stride_w = 1;
    if (kind == NW_KERNEL_CONV) {
        first->out_c = first->in_c;
    } else {
        first->out_h = (first->in_h + first->stride_h - 1) / first->stride_h;
        first->out_w = (first->in_w + first->stride_w - 1) / first->stride_w;
        int64_t h = first->out_h / second->out_h, w = first->out_w / second->out_w;
        second->kernel_h = second->stride_h = (int32_t)(h > 1 ? h : 1);
        second->kernel_w = second->stride_w = (int32_t)(w > 1 ? w : 1);
    }
    second->in_h = first->out_h;
    second->in_w = first->out_w;
    second->in_c = first->out_c;
}

static nw_status check_groups(nw_shapes_reader *r, nw_kernel_part *part)
{
    char text[64];
    if (part->kind == NW_KERNEL_DWCONV) {
        snprintf(text, sizeof text, "%lld", (long long)part->out_c);
        if (part->out_c % part->in_c != 0)
            return nw_shapes_fail(r, NW_INVALID,
                                  "out_c is %s; a dwconv's is a multiple of its in_c", text);
        snprintf(text, sizeof text, "%d", (int)part->groups);
        if (part->groups != 1 && part->groups != part->in_c)
            return nw_shapes_fail(r, NW_INVALID, "groups is %s; a dwconv has as many as channels",
                                  text);
        part->groups = (int32_t)part->in_c;
        return NW_OK;
    }
    snprintf(text, sizeof text, "%d", (int)part->groups);
    if (part->in_c % part->groups != 0 || part->out_c % part->groups != 0)
        return nw_shapes_fail(r, NW_INVALID, "groups is %s; it must divide in_c and out_c", text);
    return NW_OK;
}

/* Every window touches the input: padding is at most the window less one on either side. */
static nw_status check_window(nw_shapes_reader *r, const nw_kernel_part *part)
{
    const int64_t sizes[2][5] = {
        {part->in_h, part->out_h, part->kernel_h, part->stride_h, part->dilation_h},
        {part->in_w, part->out_w, part->kernel_w, part->stride_w, part->dilation_w}};
    bool has_window = part->kind == NW_KERNEL_CONV || part->kind == NW_KERNEL_DWCONV ||
                      part->kind == NW_KERNEL_POOL;
    for (int i = 0; i < 2 && has_window; i++) {
        char text[96];
        int64_t reach = multiply(sizes[i][2] - 1, sizes[i][4]);
        int64_t last = multiply(sizes[i][1] - 1, sizes[i][3]);
        snprintf(text, sizeof text, "%lld from in_%c %lld", (long long)sizes[i][1], i ? 'w' : 'h',
                 (long long)sizes[i][0]);
        if (last >= sizes[i][0] && last - sizes[i][0] >= reach)
            return nw_shapes_fail(r, NW_INVALID,
                                  i ? "out_w is %s: the last windows would see nothing but padding"
                                    : "out_h is %s: the last windows would see nothing but padding",
                                  text);
    }
    char text[64];
    snprintf(text, sizeof text, "%lld", (long long)part->out_c);
    if (part->kind == NW_KERNEL_POOL && part->out_c != part->in_c)
        return nw_shapes_fail(r, NW_INVALID, "out_c is %s; a pool keeps its channels", text);
    return NW_OK;
}

/* A map that becomes one row of outputs is flattened; else every pixel is a row. */
static nw_status check_product(nw_shapes_reader *r, nw_kernel_part *part)
{
    int64_t rows = multiply(part->in_h, part->in_w), out = multiply(part->out_h, part->out_w);
    if (out == 1 && rows > 1) {
        part->in_c = multiply(part->in_c, rows);
        if (part->in_c > INT32_MAX)
            return nw_shapes_fail(r, NW_INVALID,
                                  "the flattened input has more than 2147483647 elements%s", "");
        rows = 1;
    }
    if (rows != out)
        return nw_shapes_fail(r, NW_INVALID,
                              "an fc has as many output pixels as input pixels, or a single one%s",
                              "");
    if (rows > INT32_MAX)
        return nw_shapes_fail(r, NW_INVALID, "an fc has at most 2147483647 rows%s", "");
    part->in_h = part->out_h = 1;
    part->in_w = part->out_w = rows;
    return NW_OK;
}

static void count_weights(nw_kernel_shape *shape)
{
    for (int i = 0; i < shape->n_parts; i++) {
        const nw_kernel_part *p = &shape->parts[i];
        int64_t per_output = multiply(p->kernel_h, p->kernel_w);
        if (p->kind == NW_KERNEL_FC || p->kind == NW_KERNEL_CONV ||
            p->kind == NW_KERNEL_CONV_TRANSPOSE)
            per_output = multiply(per_output, p->in_c / p->groups);
        else if (p->kind != NW_KERNEL_DWCONV)
            continue;
        int64_t weights = multiply(per_output, p->out_c);
        if (__builtin_add_overflow(shape->weight_elements, weights, &shape->weight_elements))
            shape->weight_elements = INT64_MAX;
        shape->bias_elements += p->out_c;
    }
}

static nw_status make_shape(nw_shapes_reader *r, nw_shapes_row *in)
{
    nw_kernel_shape *s = &in->shape;
    nw_kernel_part *first = &s->parts[0];
    nw_status status = NW_OK;
    if (in->number[NW_COL_BITS] > 64)
        return nw_shapes_fail(r, NW_INVALID,
                              "bits is %s; give the width of an activation, up to 64",
                              cell(r, NW_COL_BITS));
    fill_part(in, first);
    if (s->n_parts > 1)
        fill_second(first, &s->parts[1]);
    for (int i = 0; i < s->n_parts && status == NW_OK; i++)
        status = check_groups(r, &s->parts[i]);
    for (int i = 0; i < s->n_parts && status == NW_OK; i++)
        status = check_window(r, &s->parts[i]);
    if (status == NW_OK && first->kind == NW_KERNEL_FC)
        status = check_product(r, first);
    if (status != NW_OK)
        return status;
    s->act = in->act;
    s->slow_op = -1;
    status = read_surroundings(r, in);
    if (status != NW_OK)
        return status;
    if (first->kind == NW_KERNEL_HOST) {
        s->host_elements = multiply(multiply(first->out_h, first->out_w), first->out_c);
        s->host_bytes = multiply(s->host_elements, 2 * ((in->number[NW_COL_BITS] + 7) / 8));
    }
    s->bits = s->weight_bits = (int32_t)in->number[NW_COL_BITS];
    count_weights(s);
    return NW_OK;
}

static nw_status take_line(nw_shapes_reader *r, char *line, nw_shapes_take take, void *context)
{
    char count[64];
    nw_shapes_row in;
    nw_status status = split_cells(r, line);
    if (status != NW_OK)
        return status;
    if (r->n_cells != r->n_columns) {
        snprintf(count, sizeof count, "%d cells, the header line has %d", r->n_cells, r->n_columns);
        return nw_shapes_fail(r, NW_INVALID, "the line has %s", count);
    }
    status = read_row(r, &in);
    if (status == NW_OK)
        status = make_shape(r, &in);
    return status == NW_OK ? take(context, r, &in) : status;
}

nw_status nw_shapes_read(const nw_file *table, nw_shapes_take take, void *context, nw_error *err)
{
    static const char bom[] = "\xef\xbb\xbf";
    nw_shapes_reader r = {.table = table, .err = err};
    nw_status status = NW_OK;
    bool has_header = false;
    char *copy = nw_alloc(table->n_bytes + 1), *next = copy;
    memcpy(copy, table->bytes, table->n_bytes);
    copy[table->n_bytes] = '\0';
    r.line = 1;
    if (memchr(copy, '\0', table->n_bytes))
        status = nw_shapes_fail(&r, NW_INVALID, "holds zero bytes: not a CSV%s", "");
    if (strncmp(copy, bom, 3) == 0)
        next += 3;
    for (r.line = 0; status == NW_OK && *next;) {
        char *line = next;
        next += strcspn(next, "\n");
        if (*next)
            *next++ = '\0';
        r.line++;
        line = trim(line);
        if (!*line || *line == '#')
            continue;
        status = has_header ? take_line(&r, line, take, context) : read_header(&r, line);
        has_header = true;
    }
    if (status == NW_OK && !has_header)
        status =
            nw_fail(err, NW_INVALID, table->path,
                    "has no header line; the first is kernel,in_h,in_w,in_c,out_h,out_w,out_c,...");
    free(copy);
    return status;
}

const char *nw_shapes_date(char *dst, size_t size)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t now = epoch && *epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm utc;
    if (!gmtime_r(&now, &utc) || strftime(dst, size, "%Y-%m-%d", &utc) == 0)
        dst[0] = '\0';
    return dst;
}

void nw_shapes_write_names(nw_buf *out)
{
    for (int c = 0; c < NW_N_COLS; c++)
        nw_buf_printf(out, "%s%s", c ? "," : "", column_names[c]);
}

void nw_shapes_write_surroundings(const nw_shapes_row *row, nw_buf *out)
{
    const nw_kernel_shape *s = &row->shape;
    nw_buf_printf(out, ",%d,%d", (int)s->is_first, (int)s->n_maps);
    if (row->is_placed)
        nw_buf_printf(out, ",%d,%d,%d", s->in_place == NW_PLACE_DRAM,
                      s->residual_place == NW_PLACE_DRAM, s->out_place == NW_PLACE_DRAM);
    else
        nw_buf_puts(out, ",,,"); /* the chip's own affair */
}

void nw_shapes_write_row(const nw_shapes_row *row, nw_buf *out)
{
    static const char *const acts[] = {"none", "relu", "lut"};
    char name[64];
    nw_buf_puts(out, nw_kernel_shape_name(&row->shape, name, sizeof name));
    for (int c = NW_COL_IN_H; c <= NW_COL_BITS; c++)
        nw_buf_printf(
            out, ",%lld",
            (long long)(c == NW_COL_GROUPS ? row->shape.parts[0].groups : row->number[c]));
    nw_buf_printf(out, ",%s,%d", acts[row->act], (int)row->shape.residual);
    nw_shapes_write_surroundings(row, out);
}
