/* edit_text.c - edits as one line of text, and back.
 *
 * KIND [WHERE] VALUES: words between blanks; the text of join and split is the rest of its line.
 */
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/edit.h"

#define MAX_CHANNELS 1048576
#define MAX_FACTOR   1000.0
#define MAX_KERNEL   99
#define MAX_DEPTH    1000
#define MAX_SIZE     65536

static const char *const edit_names[] = {
#define X(kind, name) name,
    NW_EDITS(X)
#undef X
};

static const struct {
    const char *name;
    nw_edit_kind kind;
} aliases[] = {{"fuse", NW_EDIT_VARIANT}, {"align", NW_EDIT_CHANNELS}};

static const char *const mode_names[] = {"set", "down", "up", "nearest"};

/* What an activation may become, as typed. */
static const struct {
    const char *name;
    nw_op op;
} act_names[] = {
    {"none", NW_OP_IDENTITY},
    {"relu", NW_OP_RELU},
    {"relu6", NW_OP_RELU6},
    {"hard_swish", NW_OP_HARD_SWISH},
    {"swish", NW_OP_SWISH},
    {"sigmoid", NW_OP_SIGMOID},
    {"hard_sigmoid", NW_OP_HARD_SIGMOID},
    {"tanh", NW_OP_TANH},
    {"leaky_relu", NW_OP_LEAKY_RELU},
    {"gelu", NW_OP_GELU},
    {"hswish", NW_OP_HARD_SWISH},
    {"silu", NW_OP_SWISH},
    {"identity", NW_OP_IDENTITY},
};

static const struct {
    const char *name;
    int bits;
    bool is_float;
} precision_names[] = {
    {"file", 0, false},   {"int4", 4, false},    {"int8", 8, false},
    {"int16", 16, false}, {"float16", 16, true}, {"float32", 32, true},
    {"uint8", 8, false},  {"fp16", 16, true},    {"fp32", 32, true},
};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

const char *nw_edit_kind_name(nw_edit_kind kind)
{
    return kind < NW_EDIT_COUNT ? edit_names[kind] : "?";
}

nw_edit_kind nw_edit_kind_find(const char *name)
{
    for (int i = 0; i < NW_EDIT_COUNT; i++)
        if (strcmp(edit_names[i], name) == 0)
            return (nw_edit_kind)i;
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (strcmp(aliases[i].name, name) == 0)
            return aliases[i].kind;
    return NW_EDIT_COUNT;
}

void nw_edit_init(nw_edit *edit, nw_edit_kind kind)
{
    *edit = (nw_edit){.kind = kind,
                      .where = {.kind = -1, .first_stage = -1, .last_stage = -1, .index = -1},
                      .act = NW_OP_IDENTITY};
}

/* ---- writing ---- */

void nw_selector_write(const nw_selector *where, nw_buf *out)
{
    bool any_stage = where->first_stage < 0;
    if (where->kind >= 0) {
        nw_buf_puts(out, nw_block_kind_name((nw_block_kind)where->kind));
        if (any_stage && where->index < 0)
            return;
        nw_buf_puts(out, "@");
    }
    if (any_stage)
        nw_buf_puts(out, "*");
    else if (where->last_stage == where->first_stage)
        nw_buf_printf(out, "%d", where->first_stage);
    else
        nw_buf_printf(out, "%d-%d", where->first_stage, where->last_stage);
    if (where->index >= 0)
        nw_buf_printf(out, ".%d", where->index);
}

static const char *act_name(nw_op op)
{
    for (size_t i = 0; i < COUNT_OF(act_names); i++)
        if (act_names[i].op == op)
            return act_names[i].name;
    return nw_op_name(op);
}

static void write_mode(const nw_edit *edit, nw_buf *out)
{
    if (edit->mode != NW_COUNT_SET)
        nw_buf_printf(out, " %s", mode_names[edit->mode]);
    nw_buf_printf(out, " %lld", (long long)edit->count);
}

static void write_precision(const nw_edit *edit, nw_buf *out)
{
    if (!edit->count)
        nw_buf_puts(out, " file");
    else
        nw_buf_printf(out, " %s%lld", edit->number != 0 ? "float" : "int", (long long)edit->count);
}

static void write_number(nw_buf *out, const char *before, double number)
{
    nw_buf_puts(out, before);
    nw_buf_double(out, number);
}

static void write_values(const nw_edit *edit, nw_buf *out)
{
    switch (edit->kind) {
    case NW_EDIT_VARIANT:
        nw_buf_printf(out, " %s", nw_block_kind_name(edit->block));
        if (edit->number != 0)
            write_number(out, " e=", edit->number);
        break;
    case NW_EDIT_EXPANSION:
        if (edit->number != 0)
            write_number(out, " ", edit->number);
        else if (edit->mode == NW_COUNT_SET)
            nw_buf_printf(out, " c=%lld", (long long)edit->count);
        else
            write_mode(edit, out);
        break;
    case NW_EDIT_CHANNELS:
        write_mode(edit, out);
        break;
    case NW_EDIT_WIDTH:
        write_number(out, " ", edit->number);
        if (edit->count)
            nw_buf_printf(out, " %lld", (long long)edit->count);
        break;
    case NW_EDIT_RESOLUTION:
        nw_buf_printf(out, " %lld %lld", (long long)edit->count, (long long)edit->count2);
        break;
    case NW_EDIT_PRECISION:
        write_precision(edit, out);
        break;
    case NW_EDIT_SQUEEZE:
        write_number(out, " ", edit->number);
        break;
    case NW_EDIT_ACT:
        nw_buf_printf(out, " %s", act_name(edit->act));
        break;
    case NW_EDIT_RESIDUAL:
        nw_buf_puts(out, edit->count ? " on" : " off");
        break;
    case NW_EDIT_JOIN:
    case NW_EDIT_SPLIT:
        if (edit->text[0])
            nw_buf_printf(out, " %s", edit->text);
        break;
    default:
        nw_buf_printf(out, " %lld", (long long)edit->count);
        break;
    }
}

static bool is_of_network(nw_edit_kind kind)
{
    return kind == NW_EDIT_WIDTH || kind == NW_EDIT_RESOLUTION;
}

void nw_edit_write(const nw_edit *edit, nw_buf *out)
{
    nw_buf_puts(out, nw_edit_kind_name(edit->kind));
    if (!is_of_network(edit->kind)) {
        nw_buf_puts(out, " ");
        nw_selector_write(&edit->where, out);
    }
    write_values(edit, out);
}

/* Whether what nw_edit_write makes of the commonest edits reads back, without writing. */
static bool is_common(const nw_edit *edit)
{
    const nw_selector *where = &edit->where;
    bool is_block = where->kind == -1 && where->first_stage >= 0 &&
                    where->first_stage <= MAX_SIZE && where->last_stage == where->first_stage &&
                    where->index >= 0 && where->index <= MAX_SIZE;
    bool is_count = edit->count >= 1 && edit->count <= MAX_CHANNELS && edit->mode == NW_COUNT_SET;
    switch (edit->kind) {
    case NW_EDIT_CHANNELS:
        return is_block && is_count;
    case NW_EDIT_EXPANSION:
        return is_block && is_count && edit->number == 0;
    case NW_EDIT_KERNEL:
        return is_block && edit->count >= 1 && edit->count <= MAX_KERNEL && edit->count % 2;
    case NW_EDIT_VARIANT:
        return is_block && edit->block < NW_BLOCK_COUNT && edit->number == 0;
    default:
        return false;
    }
}

/* Values that no line can say are no edit either: whoever lists, logs or saves it could not read it
 * back. */
nw_status nw_edit_check(const nw_edit *edit, nw_error *err)
{
    if (edit->kind >= NW_EDIT_COUNT)
        return nw_fail(err, NW_INVALID, "", "there is no such edit");
    if (is_common(edit))
        return NW_OK;
    nw_buf line = {0};
    nw_edit again;
    nw_edit_write(edit, &line);
    nw_status status = nw_edit_read(nw_buf_text(&line), &again, err);
    nw_buf_fini(&line);
    return status;
}

/* ---- reading ---- */

typedef struct words {
    const char *line, *at;
    char word[64]; /* the one read last; "" at the end */
    nw_error *err;
} words;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static nw_status complain(const words *w, const char *format, ...) NW_PRINTF(2, 3);

static nw_status complain(const words *w, const char *format, ...)
{
    char shown[96], message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return nw_fail(w->err, NW_INVALID, nw_text_fit(w->line, shown, sizeof shown), "%s", message);
}

/* False at the end of the line. A word that is too long is cut and ends in "...", which no name and
 * no number does. */
static bool next_word(words *w)
{
    while (is_blank(*w->at))
        w->at++;
    size_t length = 0, kept = sizeof w->word - 1;
    while (w->at[length] && !is_blank(w->at[length]))
        length++;
    snprintf(w->word, sizeof w->word, "%.*s", (int)(length < kept ? length : kept), w->at);
    if (length > kept)
        memcpy(w->word + kept - 3, "...", 3);
    w->at += length;
    return length > 0;
}

static nw_status need_word(words *w, const char *what)
{
    return next_word(w) ? NW_OK : complain(w, "%s is missing at the end of the line", what);
}

/* Digits alone, up to max; false otherwise. */
static bool scan_int(const char **at, int64_t max, int64_t *out)
{
    const char *p = *at;
    int64_t value = 0;
    if (!isdigit((unsigned char)*p))
        return false;
    for (; isdigit((unsigned char)*p); p++) {
        value = value * 10 + (*p - '0');
        if (value > max)
            return false;
    }
    *at = p;
    *out = value;
    return true;
}

static nw_status as_int(words *w, const char *text, const char *what, int64_t min, int64_t max,
                        int64_t *out)
{
    int64_t value;
    const char *at = text;
    if (!scan_int(&at, max, &value) || *at || value < min)
        return complain(w, "%s is \"%.40s\"; it is a whole number from %lld to %lld", what, text,
                        (long long)min, (long long)max);
    *out = value;
    return NW_OK;
}

static nw_status read_int(words *w, const char *what, int64_t min, int64_t max, int64_t *out)
{
    nw_status status = need_word(w, what);
    return status == NW_OK ? as_int(w, w->word, what, min, max, out) : status;
}

static nw_status as_number(words *w, const char *text, const char *what, double min, double max,
                           double *out)
{
    char *end;
    bool is_plain = *text && text[strspn(text, "0123456789+-.eE")] == '\0';
    double value = is_plain ? strtod(text, &end) : NAN;
    if (!is_plain || *end || !isfinite(value) || value < min || value > max)
        return complain(w, "%s is \"%.40s\"; it is a number from %g to %g", what, text, min, max);
    *out = value;
    return NW_OK;
}

static nw_status read_number(words *w, const char *what, double min, double max, double *out)
{
    nw_status status = need_word(w, what);
    return status == NW_OK ? as_number(w, w->word, what, min, max, out) : status;
}

static bool scan_stages(const char *text, nw_selector *out)
{
    int64_t first = -1, last = -1, index = -1;
    if (*text == '*') {
        text++;
    } else {
        if (!scan_int(&text, MAX_SIZE, &first))
            return false;
        last = first;
        if (*text == '-') {
            text++;
            if (!scan_int(&text, MAX_SIZE, &last) || last < first)
                return false;
        }
    }
    if (*text == '.') {
        text++;
        if (!scan_int(&text, MAX_SIZE, &index))
            return false;
    }
    out->first_stage = (int)first;
    out->last_stage = (int)last;
    out->index = (int)index;
    return !*text;
}

nw_status nw_selector_read(const char *text, nw_selector *out, nw_error *err)
{
    nw_selector where = {.kind = -1, .first_stage = -1, .last_stage = -1, .index = -1};
    char shown[96], name[32];
    const char *stages = text, *at = strchr(text, '@');
    bool has_kind = isalpha((unsigned char)text[0]);
    if (has_kind) {
        size_t length = at ? (size_t)(at - text) : strlen(text);
        snprintf(name, sizeof name, "%.*s", (int)(length < 31 ? length : 31), text);
        nw_block_kind kind = nw_block_kind_find(name);
        if (kind == NW_BLOCK_COUNT)
            return nw_fail(err, NW_INVALID, nw_text_fit(text, shown, sizeof shown),
                           "'%s' is no kind of block; a block is 2.1, a stage 2, all of a kind ibn",
                           name);
        where.kind = (int)kind;
        stages = at ? at + 1 : "*";
    }
    if (!scan_stages(stages, &where))
        return nw_fail(err, NW_INVALID, nw_text_fit(text, shown, sizeof shown),
                       "names no blocks; write 2.1, 2, 1-3, ibn, ibn@1-3 or *");
    *out = where;
    return NW_OK;
}

static nw_status read_where(words *w, nw_selector *out)
{
    nw_status status = need_word(w, "which blocks");
    if (status != NW_OK)
        return status;
    nw_error err;
    if (nw_selector_read(w->word, out, &err) != NW_OK)
        return complain(w, "'%.60s': %s", err.where, err.message);
    return NW_OK;
}

static bool find_mode(const char *word, nw_count_mode *out)
{
    for (size_t i = 0; i < COUNT_OF(mode_names); i++)
        if (strcmp(mode_names[i], word) == 0) {
            *out = (nw_count_mode)i;
            return true;
        }
    return false;
}

/* [MODE] COUNT, where the word before count is already read. */
static nw_status read_count(words *w, nw_edit *edit)
{
    if (find_mode(w->word, &edit->mode)) {
        nw_status status = need_word(w, "how many channels");
        if (status != NW_OK)
            return status;
    }
    return as_int(w, w->word, "the number of channels", 1, MAX_CHANNELS, &edit->count);
}

static nw_status read_variant(words *w, nw_edit *edit, bool is_fuse)
{
    edit->block = NW_BLOCK_FUSED;
    if (!is_fuse) {
        nw_status status = need_word(w, "the kind of block to become");
        if (status != NW_OK)
            return status;
        edit->block = nw_block_kind_find(w->word);
        if (edit->block == NW_BLOCK_COUNT)
            return complain(w, "'%.40s' is no kind of block", w->word);
    }
    if (!next_word(w))
        return NW_OK;
    const char *value = strncmp(w->word, "e=", 2) == 0 ? w->word + 2 : w->word;
    return as_number(w, value, "the expansion", 1e-3, MAX_FACTOR, &edit->number);
}

static nw_status read_expansion(words *w, nw_edit *edit)
{
    nw_status status = need_word(w, "the expansion");
    nw_count_mode mode;
    if (status != NW_OK)
        return status;
    if (strncmp(w->word, "c=", 2) == 0)
        return as_int(w, w->word + 2, "the number of channels", 1, MAX_CHANNELS, &edit->count);
    if (find_mode(w->word, &mode))
        return read_count(w, edit);
    return as_number(w, w->word, "the expansion", 1e-3, MAX_FACTOR, &edit->number);
}

static nw_status read_channels(words *w, nw_edit *edit, bool is_align)
{
    nw_status status = need_word(w, "how many channels");
    edit->mode = is_align ? NW_COUNT_NEAREST : NW_COUNT_SET;
    return status == NW_OK ? read_count(w, edit) : status;
}

static nw_status read_kernel(words *w, nw_edit *edit)
{
    nw_status status = read_int(w, "the kernel", 1, MAX_KERNEL, &edit->count);
    if (status == NW_OK && edit->count % 2 == 0)
        return complain(w, "a kernel of %lld has no centre; kernels are odd",
                        (long long)edit->count);
    return status;
}

static nw_status read_width(words *w, nw_edit *edit)
{
    nw_status status = read_number(w, "the multiplier", 1e-3, MAX_FACTOR, &edit->number);
    if (status != NW_OK || !next_word(w))
        return status;
    return as_int(w, w->word, "what widths are rounded to", 1, MAX_CHANNELS, &edit->count);
}

static nw_status read_resolution(words *w, nw_edit *edit)
{
    nw_status status = read_int(w, "the height", 1, MAX_SIZE, &edit->count);
    edit->count2 = edit->count;
    if (status != NW_OK || !next_word(w))
        return status;
    return as_int(w, w->word, "the width", 1, MAX_SIZE, &edit->count2);
}

static nw_status read_precision(words *w, nw_edit *edit)
{
    nw_status status = need_word(w, "the element type");
    for (size_t i = 0; status == NW_OK && i < COUNT_OF(precision_names); i++)
        if (strcmp(precision_names[i].name, w->word) == 0) {
            edit->count = precision_names[i].bits;
            edit->number = precision_names[i].is_float;
            return NW_OK;
        }
    return status != NW_OK ? status
                           : complain(w,
                                      "'%.40s' is no element type; known are file, int4, int8, "
                                      "int16, float16, float32",
                                      w->word);
}

static nw_status read_act(words *w, nw_edit *edit)
{
    nw_status status = need_word(w, "the activation");
    for (size_t i = 0; status == NW_OK && i < COUNT_OF(act_names); i++)
        if (strcmp(act_names[i].name, w->word) == 0) {
            edit->act = act_names[i].op;
            return NW_OK;
        }
    return status != NW_OK ? status
                           : complain(w,
                                      "'%.40s' is no activation; known are none, relu, relu6, "
                                      "hard_swish, swish, sigmoid, hard_sigmoid, tanh, leaky_relu, "
                                      "gelu",
                                      w->word);
}

static nw_status read_switch(words *w, nw_edit *edit)
{
    nw_status status = need_word(w, "on or off");
    if (status != NW_OK)
        return status;
    bool is_on = strcmp(w->word, "on") == 0;
    if (!is_on && strcmp(w->word, "off") != 0)
        return complain(w, "'%.40s' is neither on nor off", w->word);
    edit->count = is_on;
    return NW_OK;
}

static nw_status read_text(words *w, nw_edit *edit)
{
    while (is_blank(*w->at))
        w->at++;
    size_t length = strlen(w->at);
    while (length && is_blank(w->at[length - 1]))
        length--;
    if (length >= sizeof edit->text)
        return complain(w, "the operator's name has %zu bytes; %zu are kept", length,
                        sizeof edit->text - 1);
    memcpy(edit->text, w->at, length);
    w->at += strlen(w->at);
    return NW_OK;
}

static nw_status read_values(words *w, nw_edit *edit, const char *kind_name)
{
    switch (edit->kind) {
    case NW_EDIT_VARIANT:
        return read_variant(w, edit, strcmp(kind_name, "fuse") == 0);
    case NW_EDIT_CHANNELS:
        return read_channels(w, edit, strcmp(kind_name, "align") == 0);
    case NW_EDIT_EXPANSION:
        return read_expansion(w, edit);
    case NW_EDIT_KERNEL:
        return read_kernel(w, edit);
    case NW_EDIT_STRIDE:
        return read_int(w, "the stride", 1, 2, &edit->count);
    case NW_EDIT_DEPTH:
        return read_int(w, "the number of blocks", 1, MAX_DEPTH, &edit->count);
    case NW_EDIT_WIDTH:
        return read_width(w, edit);
    case NW_EDIT_RESOLUTION:
        return read_resolution(w, edit);
    case NW_EDIT_PRECISION:
        return read_precision(w, edit);
    case NW_EDIT_SQUEEZE:
        return read_number(w, "the squeeze ratio", 0, MAX_FACTOR, &edit->number);
    case NW_EDIT_ACT:
        return read_act(w, edit);
    case NW_EDIT_RESIDUAL:
        return read_switch(w, edit);
    default:
        return read_text(w, edit);
    }
}

nw_status nw_edit_read(const char *text, nw_edit *out, nw_error *err)
{
    words w = {.line = text, .at = text, .err = err};
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' && *p != '\t')
            return complain(&w, "an edit is one line of plain text");
    if (!next_word(&w))
        return complain(&w, "no edit; write for example: variant 2.1 fused");
    char name[64];
    memcpy(name, w.word, sizeof name);
    nw_edit edit;
    nw_edit_init(&edit, nw_edit_kind_find(name));
    if (edit.kind == NW_EDIT_COUNT)
        return complain(&w,
                        "'%.40s' is no edit; known are variant, channels, expansion, kernel, "
                        "stride, depth, width, resolution, precision, squeeze, act, residual, "
                        "join, split, fuse, align",
                        name);
    nw_status status = NW_OK;
    if (!is_of_network(edit.kind))
        status = read_where(&w, &edit.where);
    if (status == NW_OK)
        status = read_values(&w, &edit, name);
    if (status == NW_OK && next_word(&w))
        return complain(&w, "'%.40s' stands behind the end of the edit", w.word);
    if (status == NW_OK)
        *out = edit;
    return status;
}
