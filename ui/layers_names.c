/* Names that stay apart when they are cut: what all share goes first, then words become letters;
 * digits, which tell one block from the next, go last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/text.h"
#include "src/report/report.h"
#include "ui/layers.h"

#define MAX_WORDS        64
#define MAX_COUNTED_ROWS 5000 /* beyond, counting words costs more than it helps */

/* ---- characters, each one column ---- */

static size_t bytes_of(const char *s)
{
    size_t n = 1;
    while (((unsigned char)s[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static int n_chars(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static uint32_t code_of(const char *s, size_t n)
{
    uint32_t code = (unsigned char)s[0] & (n == 1 ? 0x7fu : 0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)s[i] & 0x3fu);
    return code;
}

const char *ui_layers_printable(nw_arena *arena, const char *text)
{
    char *clean = nw_printable(text);
    nw_buf out = {0};
    for (const char *s = clean; *s; s += bytes_of(s)) {
        size_t n = bytes_of(s);
        char one[8];
        snprintf(one, sizeof one, "%.*s", (int)n, s);
        if (n == 1 || ui_text_columns(one) == 1)
            nw_buf_add(&out, s, n);
        else
            nw_buf_printf(&out, "\\u%04x", (unsigned)code_of(s, n));
    }
    const char *copy = nw_arena_strdup(arena, nw_buf_text(&out));
    nw_buf_fini(&out);
    free(clean);
    return copy;
}

/* ---- what is the same everywhere ---- */

/* Whether the component [at, end) only repeats how the next one starts: features.0/features.0.2. */
static bool is_repeated(const char *at, const char *end)
{
    size_t length = (size_t)(end - at);
    const char *next = end + 1;
    return length && strncmp(at, next, length) == 0 && strchr("./", next[length]);
}

/* Whether the last component is the operator's type, which the table shows anyway: Conv, Conv_12.
 */
static bool is_type(const char *component, const char *file_type)
{
    size_t length = strlen(file_type);
    if (!length || strncmp(component, file_type, length) != 0)
        return false;
    const char *rest = component + length;
    return !*rest || (*rest == '_' && rest[1] && !rest[1 + strspn(rest + 1, "0123456789")]);
}

static const char *make_brief(nw_arena *arena, const char *name, const char *file_type)
{
    nw_buf out = {0};
    const char *stop = name + strcspn(name, ";"); /* TFLite lists all that it fused: the first */
    for (const char *at = name; at < stop;) {
        const char *end = at + strcspn(at, "/;");
        bool is_last = end == stop;
        bool is_left_out =
            is_last ? out.length > 0 && is_type(at, file_type) : end == at || is_repeated(at, end);
        if (!is_left_out) {
            if (out.length)
                nw_buf_puts(&out, "/");
            nw_buf_add(&out, at, (size_t)(end - at));
        }
        at = is_last ? end : end + 1;
    }
    const char *brief = nw_arena_strdup(arena, out.length ? nw_buf_text(&out) : name);
    nw_buf_fini(&out);
    return brief;
}

/* Bytes that all names start with, up to and with a separator. */
static size_t common_prefix(const ui_layers *layers)
{
    if (layers->n_rows < 2)
        return 0;
    const char *first = layers->rows[0].brief;
    size_t n = strlen(first);
    for (int r = 1; r < layers->n_rows; r++) {
        size_t i = 0;
        while (i < n && layers->rows[r].brief[i] == first[i])
            i++;
        n = i;
    }
    while (n && !strchr("/._:;-", first[n - 1]))
        n--;
    return n;
}

static void count_words(ui_layers *layers, const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (text += strcspn(text, letters); *text; text += strcspn(text, letters)) {
        size_t length = strspn(text, letters);
        const char *word = nw_arena_strndup(&layers->arena, text, length);
        int32_t n = nw_map_get(&layers->words, word);
        nw_map_put(&layers->words, word, n == NW_MAP_NONE ? 1 : n + 1);
        text += length;
    }
}

void ui_layers_name_rows(ui_layers *layers)
{
    const nw_graph *graph = layers->current->graph;
    for (int r = 0; r < layers->n_rows; r++) {
        ui_layers_row *row = &layers->rows[r];
        const nw_node *main = &graph->nodes[ui_layers_kernel(layers, row)->main];
        row->brief = make_brief(&layers->arena, row->name, main->file_type);
    }
    size_t prefix = common_prefix(layers);
    nw_map taken = {0};
    for (int r = 0; r < layers->n_rows; r++) {
        ui_layers_row *row = &layers->rows[r];
        if (row->brief[prefix])
            row->brief += prefix;
        char key[600];
        snprintf(key, sizeof key, "%s\x01%s", row->brief, row->kind);
        if (nw_map_put(&taken, nw_arena_strdup(&layers->arena, key), r) != NW_MAP_NONE)
            row->brief = row->name;
        if (layers->n_rows <= MAX_COUNTED_ROWS)
            count_words(layers, row->brief);
    }
    nw_map_fini(&taken);
}

/* ---- cutting ---- */

typedef struct word {
    const char *start;
    size_t length, kept;
    bool is_common;
} word;

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int find_words(const ui_layers *layers, const char *text, word *words)
{
    int n = 0;
    while (*text && n < MAX_WORDS) {
        size_t length = 0;
        while (is_letter(text[length]))
            length++;
        if (length > 1) {
            char key[64];
            snprintf(key, sizeof key, "%.*s", (int)length, text);
            int32_t count = nw_map_get(&layers->words, key);
            words[n++] =
                (word){text, length, length, count != NW_MAP_NONE && 2 * count > layers->n_rows};
        }
        text += length ? length : 1;
    }
    return n;
}

/* Cuts words until the excess is gone: those that most names have, then the others from the left,
 * the last one only as far as it must. */
static void choose_words(word *words, int n, int excess)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n - pass && excess > 0; i++) {
            if (words[i].kept == 1 || (pass == 0 && !words[i].is_common))
                continue;
            words[i].kept = 1;
            excess -= (int)words[i].length - 1;
        }
    if (n && excess > 0) {
        size_t more = words[n - 1].kept - 1;
        words[n - 1].kept -= more < (size_t)excess ? more : (size_t)excess;
    }
}

const char *ui_layers_fit_middle(const char *text, int columns, char *dst, size_t size)
{
    int n = n_chars(text), tail = columns / 2, head = columns - 1 - tail;
    const char *after_head = text, *from_tail = text;
    if (n <= columns) {
        snprintf(dst, size, "%s", text);
        return dst;
    }
    for (int i = 0; i < head; i++)
        after_head += bytes_of(after_head);
    for (int i = 0; i < n - tail; i++)
        from_tail += bytes_of(from_tail);
    snprintf(dst, size, "%.*s…%s", (int)(after_head - text), text, from_tail);
    return dst;
}

const char *ui_layers_fit_name(const ui_layers *layers, const char *brief, int columns, char *dst,
                               size_t size)
{
    dst[0] = '\0';
    if (columns <= 0)
        return dst;
    int excess = n_chars(brief) - columns;
    if (excess <= 0) {
        snprintf(dst, size, "%s", brief);
        return dst;
    }
    word words[MAX_WORDS];
    int n = find_words(layers, brief, words);
    choose_words(words, n, excess);
    nw_buf out = {0};
    const char *at = brief;
    for (int i = 0; i < n; i++) {
        nw_buf_add(&out, at, (size_t)(words[i].start - at) + words[i].kept);
        at = words[i].start + words[i].length;
    }
    nw_buf_puts(&out, at);
    const char *text = nw_buf_text(&out);
    excess = n_chars(text) - columns;
    for (int i = 0; excess > 0 && i <= excess; i++) /* the end tells more than the beginning */
        text += bytes_of(text);
    snprintf(dst, size, "%s%s", excess > 0 ? "…" : "", text);
    nw_buf_fini(&out);
    return dst;
}

const char *ui_layers_fit_words(const char *text, int columns, char *dst, size_t size)
{
    dst[0] = '\0';
    if (n_chars(text) <= columns) {
        snprintf(dst, size, "%s", text);
        return dst;
    }
    const char *end = text, *space = text;
    for (int i = 0; i < columns; i++, end += bytes_of(end))
        if (*end == ' ')
            space = end;
    while (space > text) { /* a number goes with the unit behind it */
        while (space > text && strchr(" ,;:", space[-1]))
            space--;
        const char *start = space;
        while (start > text && start[-1] != ' ')
            start--;
        if (*start < '0' || *start > '9')
            break;
        space = start;
    }
    if (space > text)
        snprintf(dst, size, "%.*s…", (int)(space - text), text);
    return dst;
}

int ui_layers_shortest_name(const ui_layers *layers, const char *brief)
{
    word words[MAX_WORDS];
    int n = find_words(layers, brief, words), columns = n_chars(brief);
    for (int i = 0; i < n - 1; i++)
        columns -= (int)words[i].length - 1;
    return columns;
}
