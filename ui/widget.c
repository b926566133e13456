#include "ui/widget.h"

#include <string.h>

#include "src/base/text.h"

/* ---- a line to type in ---- */

void ui_edit_set(ui_edit *edit, const char *text)
{
    size_t length = strlen(text);
    if (length >= sizeof edit->text)
        length = sizeof edit->text - 1;
    memmove(edit->text, text, length);
    edit->text[length] = '\0';
    edit->length = edit->caret = length;
}

static void insert(ui_edit *edit, const char *bytes, size_t n)
{
    if (edit->length + n >= sizeof edit->text)
        return;
    memmove(edit->text + edit->caret + n, edit->text + edit->caret, edit->length - edit->caret + 1);
    memcpy(edit->text + edit->caret, bytes, n);
    edit->length += n;
    edit->caret += n;
}

static void erase(ui_edit *edit, size_t from, size_t to)
{
    memmove(edit->text + from, edit->text + to, edit->length - to + 1);
    edit->length -= to - from;
    edit->caret = from;
}

void ui_edit_replace(ui_edit *edit, size_t from, const char *text)
{
    if (from > edit->caret)
        from = edit->caret;
    erase(edit, from, edit->caret);
    insert(edit, text, strlen(text));
}

static size_t before(const ui_edit *edit, size_t at)
{
    if (at > 0)
        at--;
    while (at > 0 && ((unsigned char)edit->text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static size_t behind(const ui_edit *edit, size_t at)
{
    if (at < edit->length)
        at++;
    while (at < edit->length && ((unsigned char)edit->text[at] & 0xc0) == 0x80)
        at++;
    return at;
}

static size_t word_before(const ui_edit *edit)
{
    size_t at = edit->caret;
    while (at > 0 && strchr(" /", edit->text[at - 1]))
        at--;
    while (at > 0 && !strchr(" /", edit->text[at - 1]))
        at--;
    return at;
}

static size_t encode(int code, char *out)
{
    static const int lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (int i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[n] | code);
    return (size_t)n;
}

bool ui_edit_key(ui_edit *edit, int key)
{
    char bytes[4];
    switch (key) {
    case UI_KEY_LEFT:
        edit->caret = before(edit, edit->caret);
        return true;
    case UI_KEY_RIGHT:
        edit->caret = behind(edit, edit->caret);
        return true;
    case UI_KEY_HOME:
    case UI_KEY_CTRL | 'a':
        edit->caret = 0;
        return true;
    case UI_KEY_END:
    case UI_KEY_CTRL | 'e':
        edit->caret = edit->length;
        return true;
    case UI_KEY_BACKSPACE:
        erase(edit, before(edit, edit->caret), edit->caret);
        break;
    case UI_KEY_DELETE: {
        size_t from = edit->caret;
        erase(edit, from, behind(edit, from));
        break;
    }
    case UI_KEY_CTRL | 'u':
        erase(edit, 0, edit->caret);
        break;
    case UI_KEY_CTRL | 'k':
        edit->length = edit->caret;
        edit->text[edit->length] = '\0';
        break;
    case UI_KEY_CTRL | 'w':
        erase(edit, word_before(edit), edit->caret);
        break;
    default:
        if (key < ' ' || key >= 0x110000 || key == UI_KEY_BACKSPACE)
            return false;
        insert(edit, bytes, encode(key, bytes));
    }
    edit->history = 0;
    return true;
}

void ui_edit_history(ui_edit *edit, const nw_session *session, const char *prompt, int step)
{
    int n;
    const char *const *lines = nw_session_history(session, prompt, &n);
    int want = edit->history + step;
    if (want < 0 || want > n)
        return;
    if (edit->history == 0)
        memcpy(edit->kept, edit->text, edit->length + 1);
    ui_edit_set(edit, want == 0 ? edit->kept : lines[n - want]);
    edit->history = want;
}

void ui_edit_draw(ui_canvas *canvas, int row, int column, int columns, const ui_edit *edit)
{
    char left[UI_EDIT_BYTES];
    memcpy(left, edit->text, edit->caret);
    left[edit->caret] = '\0';
    /* Whole characters go out on the left until the caret fits. */
    size_t skip = 0;
    while (ui_text_columns(left + skip) >= columns && skip < edit->caret)
        skip = behind(edit, skip);
    int caret = ui_text_columns(left + skip);
    ui_text(canvas, row, column, columns, UI_ROLE_TEXT, edit->text + skip);
    if (edit->caret == edit->length)
        ui_put(canvas, row, column + caret, UI_ROLE_TEXT, ' ');
    ui_reverse_row(canvas, row, column + caret, 1);
}

/* ---- boxes and lists ---- */

ui_rect ui_box_rect(ui_rect rect, int rows, int columns)
{
    rows = rows > rect.rows ? rect.rows : rows;
    columns = columns > rect.columns - 2 ? rect.columns - 2 : columns;
    return (ui_rect){rect.row + (rect.rows - rows) / 2, rect.column + (rect.columns - columns) / 2,
                     rows, columns};
}

ui_rect ui_box(ui_canvas *canvas, ui_rect box, const char *title)
{
    ui_fill(canvas, box, UI_ROLE_TEXT, ' ');
    ui_rect inside = ui_frame(canvas, box, title);
    inside.column++;
    inside.columns -= inside.columns > 2 ? 2 : 0;
    return inside;
}

int ui_list_top(int cursor, int rows)
{
    return cursor < rows || rows < 1 ? 0 : cursor - rows + 1;
}

int ui_list_clamp(int cursor, int n)
{
    cursor = cursor >= n ? n - 1 : cursor;
    return cursor < 0 ? 0 : cursor;
}

bool ui_list_move(int *cursor, int n, int page, ui_command command)
{
    switch (command) {
    case UI_COMMAND_DOWN:
        ++*cursor;
        break;
    case UI_COMMAND_UP:
        --*cursor;
        break;
    case UI_COMMAND_PAGE_DOWN:
        *cursor += page;
        break;
    case UI_COMMAND_PAGE_UP:
        *cursor -= page;
        break;
    case UI_COMMAND_TOP:
        *cursor = 0;
        break;
    case UI_COMMAND_BOTTOM:
        *cursor = n - 1;
        break;
    default:
        return false;
    }
    *cursor = ui_list_clamp(*cursor, n);
    return true;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

int ui_find(const char *text, const char *pattern)
{
    for (const char *start = text;; start++) {
        size_t i = 0;
        while (pattern[i] && lower(start[i]) == lower(pattern[i]))
            i++;
        if (!pattern[i])
            return (int)(start - text);
        if (!*start)
            return -1;
    }
}
