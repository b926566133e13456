/* The filter's language: terms separated by spaces, all of which must hold. A term is text in the
 * name or the kernel type, or COLUMN TEST VALUE: us>10, util<=20, bound=dram, type!=conv, us=?. */
#include "ui/layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct key_row {
    const char *name;
    ui_layers_column column;
} key_row;

/* Named to the user are those as the table's head has them; then come other words for them. */
enum { N_NAMED = 12 };
static const key_row keys[] = {
    {"kernel", UI_LAYERS_KIND}, {"name", UI_LAYERS_NAME},   {"us", UI_LAYERS_TIME},
    {"%", UI_LAYERS_SHARE},     {"util", UI_LAYERS_UTIL},   {"bound", UI_LAYERS_BOUND},
    {"macs", UI_LAYERS_MACS},   {"sram", UI_LAYERS_SRAM},   {"dram", UI_LAYERS_DRAM},
    {"note", UI_LAYERS_NOTE},   {"delta", UI_LAYERS_DELTA}, {"#", UI_LAYERS_NUMBER},
    {"type", UI_LAYERS_KIND},   {"share", UI_LAYERS_SHARE}, {"time", UI_LAYERS_TIME},
    {"why", UI_LAYERS_NOTE},    {"block", UI_LAYERS_KIND},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

const char *ui_layers_find(const char *text, const char *needle)
{
    if (!needle[0])
        return text;
    for (; *text; text++) {
        size_t i = 0;
        while (needle[i] && lower(text[i]) == needle[i])
            i++;
        if (!needle[i])
            return text;
    }
    return NULL;
}

/* ---- reading ---- */

static const struct {
    const char *text;
    ui_layers_test test;
} tests[] = {{"<=", UI_LAYERS_LESS_EQUAL}, {">=", UI_LAYERS_GREATER_EQUAL},
             {"!=", UI_LAYERS_UNEQUAL},    {"<", UI_LAYERS_LESS},
             {">", UI_LAYERS_GREATER},     {"=", UI_LAYERS_EQUAL}};

/* Splits "us>=10"; returns false if there is no test in it. */
static bool split_term(const char *source, char *key, size_t size, ui_layers_test *test,
                       const char **value)
{
    size_t at = strcspn(source, "<>=!");
    if (source[at] == '!' && source[at + 1] != '=')
        return false;
    for (size_t i = 0; source[at] && i < sizeof tests / sizeof *tests; i++) {
        size_t length = strlen(tests[i].text);
        if (strncmp(source + at, tests[i].text, length) != 0)
            continue;
        *test = tests[i].test;
        *value = source + at + length;
        snprintf(key, size, "%.*s", (int)at, source);
        return true;
    }
    return false;
}

static bool read_number(const char *text, double *out)
{
    static const char suffixes[] = "kmgt";
    size_t length = strspn(text, "0123456789.e+-"); /* neither hexadecimal nor words */
    if (!length || (text[length] && text[length + 1]))
        return false;
    char *end;
    double value = strtod(text, &end);
    const char *suffix = *end ? strchr(suffixes, lower(*end)) : NULL;
    if (suffix) {
        value *= pow(1000, (double)(suffix - suffixes) + 1);
        end++;
    }
    *out = value;
    return end != text && !*end && isfinite(value);
}

const char *ui_layers_filter_columns(char *dst, size_t size)
{
    size_t used = 0;
    dst[0] = '\0';
    for (int i = 0; i < N_NAMED && used < size; i++)
        used += (size_t)snprintf(dst + used, size - used, "%s%s", i ? " " : "", keys[i].name);
    return dst;
}

static void complain_of_key(const char *key, ui_layers_filter *out)
{
    char columns[128];
    snprintf(out->problem, sizeof out->problem, "no column \"%.20s\": %s", key,
             ui_layers_filter_columns(columns, sizeof columns));
}

/* false: the term is left out and problem says why. */
static bool read_test(ui_layers_term *term, const char *key, const char *value,
                      ui_layers_filter *out)
{
    const key_row *found = NULL;
    for (size_t i = 0; !found && i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, key) == 0)
            found = &keys[i];
    if (!found) {
        complain_of_key(key, out);
        return false;
    }
    term->column = found->column;
    term->is_number = !ui_layers_is_text(found->column);
    bool is_equality = term->test == UI_LAYERS_EQUAL || term->test == UI_LAYERS_UNEQUAL;
    term->is_unknown = strcmp(value, "?") == 0 && is_equality;
    snprintf(term->text, sizeof term->text, "%s", value);
    if (!value[0])
        snprintf(out->problem, sizeof out->problem, "`%.40s`: a value is missing", term->source);
    else if (term->is_number && !term->is_unknown && !read_number(value, &term->number))
        snprintf(out->problem, sizeof out->problem, "`%.40s`: \"%.20s\" is no number", term->source,
                 value);
    else if (!term->is_number && !is_equality)
        snprintf(out->problem, sizeof out->problem,
                 "`%.40s`: %.20s is text, use = or !=", term->source, key);
    else
        return true;
    return false;
}

static void add_term(const char *source, ui_layers_filter *out)
{
    if (out->n_terms == UI_LAYERS_MAX_TERMS) {
        snprintf(out->problem, sizeof out->problem, "more than %d terms", UI_LAYERS_MAX_TERMS);
        return;
    }
    ui_layers_term *term = &out->terms[out->n_terms];
    *term = (ui_layers_term){.column = UI_LAYERS_NAME};
    char folded[UI_LAYERS_FILTER_SIZE], key[UI_LAYERS_FILTER_SIZE];
    const char *value;
    snprintf(term->source, sizeof term->source, "%s", source);
    snprintf(folded, sizeof folded, "%s", source);
    for (char *c = folded; *c; c++)
        *c = lower(*c);
    if (!split_term(folded, key, sizeof key, &term->test, &value))
        snprintf(term->text, sizeof term->text, "%s", folded);
    else if (!read_test(term, key, value, out))
        return;
    out->n_terms++;
}

void ui_layers_parse_filter(const char *text, ui_layers_filter *out)
{
    out->n_terms = 0;
    out->problem[0] = '\0';
    char source[UI_LAYERS_FILTER_SIZE];
    while (*text) {
        text += strspn(text, " ");
        size_t length = strcspn(text, " ");
        if (!length)
            break;
        snprintf(source, sizeof source, "%.*s", (int)length, text);
        add_term(source, out);
        text += length;
    }
}

/* ---- matching ---- */

/* A part begins as asked: type=conv is conv, conv+act and conv+pool, but not dwconv; type=dw is.
 */
static bool has_part(const char *kind, const char *part)
{
    size_t length = strlen(part);
    for (const char *at = kind; at; at = strchr(at, '+')) {
        at += *at == '+';
        if (strncmp(at, part, length) == 0)
            return true;
    }
    return false;
}

static bool equals_text(const ui_layers *layers, const ui_layers_row *row,
                        const ui_layers_term *term)
{
    const char *text = ui_layers_text(layers, row, term->column);
    switch (term->column) {
    case UI_LAYERS_KIND:
        return has_part(text, term->text);
    case UI_LAYERS_BOUND:
        return strncmp(text, term->text, strlen(term->text)) == 0;
    default:
        return ui_layers_find(text, term->text) != NULL;
    }
}

/* A block's label as a number that orders like it; a stage alone stands before or behind all of its
 * blocks, by the test. */
static bool holds_label(const ui_layers *layers, const ui_layers_row *row,
                        const ui_layers_term *term)
{
    enum { STAGE = 100000 };
    const nw_block *block = layers->blocks[row->block].block;
    int stage = 0, index = 0;
    int n_read = sscanf(term->text, "%6d.%5d", &stage, &index);
    if (!block || n_read < 1)
        return term->test == UI_LAYERS_UNEQUAL;
    int64_t is = (int64_t)block->stage * STAGE + block->index;
    int64_t low = (int64_t)stage * STAGE + index, high = n_read == 2 ? low : low + STAGE - 1;
    switch (term->test) {
    case UI_LAYERS_LESS:
        return is < low;
    case UI_LAYERS_LESS_EQUAL:
        return is <= high;
    case UI_LAYERS_GREATER:
        return is > high;
    case UI_LAYERS_GREATER_EQUAL:
        return is >= low;
    case UI_LAYERS_EQUAL:
        return is >= low && is <= high;
    default:
        return is < low || is > high;
    }
}

static bool holds_number(const ui_layers *layers, const ui_layers_row *row,
                         const ui_layers_term *term)
{
    double value;
    ui_layers_value known = ui_layers_number(layers, row, term->column, &value);
    if (term->is_unknown)
        return (known == UI_LAYERS_UNKNOWN) == (term->test == UI_LAYERS_EQUAL);
    if (known != UI_LAYERS_KNOWN)
        return false;
    switch (term->test) {
    case UI_LAYERS_LESS:
        return value < term->number;
    case UI_LAYERS_LESS_EQUAL:
        return value <= term->number;
    case UI_LAYERS_GREATER:
        return value > term->number;
    case UI_LAYERS_GREATER_EQUAL:
        return value >= term->number;
    case UI_LAYERS_EQUAL:
        return value == term->number;
    default:
        return value != term->number;
    }
}

/* Text in a kernel; without a term's own column in its name or its type. */
static bool has_text(const ui_layers *layers, const ui_layers_row *row, const ui_layers_term *term)
{
    if (term->test == UI_LAYERS_HAS)
        return ui_layers_find(row->name, term->text) || ui_layers_find(row->kind, term->text);
    return equals_text(layers, row, term);
}

/* A block has what one of its kernels is called, and its own kind, bound and note. */
static bool block_has_text(const ui_layers *layers, const ui_layers_row *row,
                           const ui_layers_term *term)
{
    const ui_layers_block *block = &layers->blocks[row->block];
    if (has_text(layers, row, term) ||
        (term->test == UI_LAYERS_HAS && strcmp(block->label, term->text) == 0))
        return true;
    if (term->column != UI_LAYERS_NAME && term->column != UI_LAYERS_KIND)
        return false;
    for (int r = 0; r < layers->n_rows; r++)
        if (layers->rows[r].block == row->block && has_text(layers, &layers->rows[r], term))
            return true;
    return false;
}

static bool holds(const ui_layers *layers, const ui_layers_row *row, const ui_layers_term *term)
{
    if (term->is_number && term->column == UI_LAYERS_NUMBER && row->is_block && !term->is_unknown)
        return holds_label(layers, row, term);
    if (term->is_number)
        return holds_number(layers, row, term);
    bool has = row->is_block ? block_has_text(layers, row, term) : has_text(layers, row, term);
    return has != (term->test == UI_LAYERS_UNEQUAL);
}

bool ui_layers_matches(const ui_layers *layers, const ui_layers_row *row)
{
    for (int i = 0; i < layers->filter.n_terms; i++)
        if (!holds(layers, row, &layers->filter.terms[i]))
            return false;
    return true;
}

/* ---- when nothing is left ---- */

static const char *unit_of(ui_layers_column column)
{
    return column == UI_LAYERS_SRAM || column == UI_LAYERS_DRAM ? " KiB" : "";
}

/* "(maximum 219.0)": the end of the column's values that the term is beyond. */
static void add_extreme(const ui_layers *layers, const ui_layers_term *term, char *dst, size_t size)
{
    bool is_upper = term->test == UI_LAYERS_GREATER || term->test == UI_LAYERS_GREATER_EQUAL;
    bool is_lower = term->test == UI_LAYERS_LESS || term->test == UI_LAYERS_LESS_EQUAL;
    double extreme = 0, value;
    bool is_any = false;
    int end = is_upper || is_lower ? ui_layers_end(layers) : 0;
    for (int r = ui_layers_first(layers); r < end; r++) {
        const ui_layers_row *row = &layers->rows[r];
        if (holds(layers, row, term))
            return; /* another term is to blame */
        if (ui_layers_number(layers, row, term->column, &value) != UI_LAYERS_KNOWN)
            continue;
        if (!is_any || (is_upper ? value > extreme : value < extreme))
            extreme = value;
        is_any = true;
    }
    if (is_any)
        snprintf(dst, size, " (%s %.*f%s)", is_upper ? "maximum" : "minimum",
                 fabs(extreme) < 10 ? 3 : 1, extreme, unit_of(term->column));
}

const char *ui_layers_no_match(const ui_layers *layers, char *dst, size_t size)
{
    char extreme[64] = "";
    for (int i = 0; i < layers->filter.n_terms && !extreme[0]; i++)
        if (layers->filter.terms[i].is_number)
            add_extreme(layers, &layers->filter.terms[i], extreme, sizeof extreme);
    snprintf(dst, size, "0 of %d match `%s`%s. Esc clears.",
             ui_layers_end(layers) - ui_layers_first(layers), layers->filter_text, extreme);
    return dst;
}
