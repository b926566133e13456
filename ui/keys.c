#include "ui/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "src/base/text.h"
#include "ui/ui.h"

/* ---- names ---- */

typedef struct key_name {
    const char *name;
    int key;
} key_name;

static const key_name key_names[] = {
    {"Tab", UI_KEY_TAB},      {"Enter", UI_KEY_ENTER},         {"Esc", UI_KEY_ESCAPE},
    {"Space", ' '},           {"Backspace", UI_KEY_BACKSPACE}, {"Up", UI_KEY_UP},
    {"Down", UI_KEY_DOWN},    {"Left", UI_KEY_LEFT},           {"Right", UI_KEY_RIGHT},
    {"PgUp", UI_KEY_PAGE_UP}, {"PgDn", UI_KEY_PAGE_DOWN},      {"Home", UI_KEY_HOME},
    {"End", UI_KEY_END},      {"Delete", UI_KEY_DELETE},       {"S-Tab", UI_KEY_SHIFT_TAB},
    {"F1", UI_KEY_F1},        {"F2", UI_KEY_F1 + 1},           {"F3", UI_KEY_F1 + 2},
    {"F4", UI_KEY_F1 + 3},    {"F5", UI_KEY_F1 + 4},           {"F6", UI_KEY_F1 + 5},
    {"F7", UI_KEY_F1 + 6},    {"F8", UI_KEY_F1 + 7},           {"F9", UI_KEY_F1 + 8},
    {"F10", UI_KEY_F1 + 9},   {"F11", UI_KEY_F1 + 10},         {"F12", UI_KEY_F12},
};
enum { N_KEY_NAMES = sizeof key_names / sizeof *key_names };

/* The one character of text, or UI_KEY_NONE. */
static int parse_character(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    int n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    char clean[16];
    if (n == 0 || strlen(text) != (size_t)n ||
        strcmp(nw_text_visible(text, clean, sizeof clean), text) != 0)
        return UI_KEY_NONE;
    int code = n == 1 ? s[0] : s[0] & (0x7f >> n);
    for (int i = 1; i < n; i++)
        code = code << 6 | (s[i] & 0x3f);
    return code;
}

int ui_key_parse(const char *name)
{
    for (int i = 0; i < N_KEY_NAMES; i++)
        if (strcmp(key_names[i].name, name) == 0)
            return key_names[i].key;
    if (strlen(name) > 2 && name[1] == '-' && (name[0] == 'C' || name[0] == 'A')) {
        int modifier = name[0] == 'C' ? UI_KEY_CTRL : UI_KEY_ALT;
        int key = ui_key_parse(name + 2);
        return key == UI_KEY_NONE || key & modifier ? UI_KEY_NONE : key | modifier;
    }
    return parse_character(name);
}

static int put_utf8(int code, char *dst)
{
    int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const int lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (int i = n - 1; i > 0; i--, code >>= 6)
        dst[i] = (char)(0x80 | (code & 0x3f));
    dst[0] = (char)(lead[n] | code);
    dst[n] = '\0';
    return n;
}

char *ui_key_name(int key, char *dst, size_t size)
{
    const char *control = key & UI_KEY_CTRL ? "C-" : "", *alt = key & UI_KEY_ALT ? "A-" : "";
    char character[5];
    const char *name = NULL;
    key &= ~(UI_KEY_CTRL | UI_KEY_ALT);
    for (int i = 0; i < N_KEY_NAMES; i++)
        if (key_names[i].key == key)
            name = key_names[i].name;
    if (!name) {
        put_utf8(key > 0 && key < 0x110000 ? key : '?', character);
        name = character;
    }
    snprintf(dst, size, "%s%s%s", control, alt, name);
    return dst;
}

/* ---- bindings ---- */

enum { MAX_BINDINGS = 256 };
typedef struct binding {
    int key;
    ui_entry entry;
} binding;

/* The keys of this process: the two tables, changed by ui_bind. */
static binding bindings[MAX_BINDINGS];
static int n_bindings;

/* Keys beside those of the actions' table. */
static const struct {
    const char *keys;
    nw_action_id action;
} more_keys[] = {{"F10", NW_ACTION_QUIT}};

static void bind_all(const char *keys, ui_entry entry)
{
    while (*keys) {
        char name[16];
        size_t length = strcspn(keys, " ");
        assert(length < sizeof name && n_bindings < MAX_BINDINGS);
        memcpy(name, keys, length);
        name[length] = '\0';
        keys += length + strspn(keys + length, " ");
        int key = ui_key_parse(name);
        assert(key != UI_KEY_NONE);
        bindings[n_bindings++] = (binding){key, entry};
    }
}

static void set_defaults(void)
{
    if (n_bindings)
        return;
    for (int i = 0; i < NW_ACTION_COUNT; i++)
        bind_all(nw_action_def_of((nw_action_id)i)->key, i);
    for (size_t i = 0; i < sizeof more_keys / sizeof *more_keys; i++)
        bind_all(more_keys[i].keys, (ui_entry)more_keys[i].action);
    for (int i = 0; i < UI_COMMAND_COUNT; i++)
        bind_all(ui_command_def_of((ui_command)i)->keys, ui_entry_of_command((ui_command)i));
}

static binding *find_binding(int key)
{
    set_defaults();
    for (int i = 0; i < n_bindings; i++)
        if (bindings[i].key == key)
            return &bindings[i];
    return NULL;
}

ui_entry ui_key_entry(int key)
{
    const binding *found = find_binding(key);
    return found ? found->entry : UI_ENTRY_NONE;
}

int ui_entry_first_key(ui_entry entry)
{
    set_defaults();
    for (int i = 0; i < n_bindings; i++)
        if (bindings[i].entry == entry)
            return bindings[i].key;
    return UI_KEY_NONE;
}

bool ui_key_is_text(int key)
{
    return (key >= ' ' && key < 0x110000) || key == '\n';
}

int ui_entry_key_beside_text(ui_entry entry)
{
    set_defaults();
    for (int i = 0; i < n_bindings; i++)
        if (bindings[i].entry == entry && !ui_key_is_text(bindings[i].key))
            return bindings[i].key;
    return UI_KEY_NONE;
}

char *ui_entry_keys(ui_entry entry, char *dst, size_t size)
{
    size_t length = 0;
    char name[16];
    set_defaults();
    dst[0] = '\0';
    for (int i = 0; i < n_bindings; i++) {
        if (bindings[i].entry != entry)
            continue;
        int n = snprintf(dst + length, size - length, "%s%s", length ? " " : "",
                         ui_key_name(bindings[i].key, name, sizeof name));
        if (n < 0 || (size_t)n >= size - length)
            break;
        length += (size_t)n;
    }
    return dst;
}

nw_status ui_bind(const char *key_text, const char *name, nw_error *err)
{
    int key = ui_key_parse(key_text);
    if (key == UI_KEY_NONE)
        return nw_fail(err, NW_INVALID, key_text,
                       "no such key; keys are written as in nasw --keys: f, C-r, A-3, F5, Down");
    if (key == (UI_KEY_CTRL | 'c'))
        return nw_fail(err, NW_INVALID, key_text, "always stops the running task");
    binding *old = find_binding(key);
    if (strcmp(name, "none") == 0) {
        if (old)
            *old = bindings[--n_bindings];
        return NW_OK;
    }
    ui_entry entry = ui_entry_find(name);
    if (entry == UI_ENTRY_NONE)
        return nw_fail(err, NW_INVALID, name, "no such action or command; see nasw --keys");
    if (old && old->entry != entry)
        return nw_fail(err, NW_INVALID, key_text,
                       "is the key of %s, so it cannot be that of %s; bind it to none first",
                       ui_entry_name(old->entry), name);
    if (n_bindings == MAX_BINDINGS)
        return nw_fail(err, NW_LIMIT, key_text, "no room for more than %d keys", MAX_BINDINGS);
    if (!old)
        bindings[n_bindings++] = (binding){key, entry};
    return NW_OK;
}

void ui_print_keys(nw_buf *out)
{
    char keys[64];
    for (ui_entry i = 0; i < UI_ENTRY_COUNT; i++)
        nw_buf_printf(out, "%-12s %-16s %s\n", ui_entry_keys(i, keys, sizeof keys),
                      ui_entry_name(i), ui_entry_help(i));
}
