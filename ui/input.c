#include "ui/input.h"

#include <stdlib.h>
#include <string.h>

enum { ESC = 27, MORE = -1 }; /* MORE: the sequence is not whole yet */

void ui_input_learn(ui_input *input, const char *sequence, int key)
{
    size_t length = sequence ? strlen(sequence) : 0;
    if (length < 2 || length >= sizeof input->sequences[0].bytes || sequence[0] != ESC ||
        input->n_sequences == UI_INPUT_SEQUENCES)
        return;
    memcpy(input->sequences[input->n_sequences].bytes, sequence, length + 1);
    input->sequences[input->n_sequences++].key = key;
}

size_t ui_input_feed(ui_input *input, const void *bytes, size_t n_bytes)
{
    size_t room = sizeof input->bytes - input->n_bytes;
    if (n_bytes > room)
        n_bytes = room;
    memcpy(input->bytes + input->n_bytes, bytes, n_bytes);
    input->n_bytes += n_bytes;
    return n_bytes;
}

static void drop(ui_input *input, size_t n)
{
    memmove(input->bytes, input->bytes + n, input->n_bytes - n);
    input->n_bytes -= n;
}

/* ---- one sequence; each returns the bytes it takes or MORE ---- */

static int learnt_key(const ui_input *input, ui_event *out)
{
    for (int i = 0; i < input->n_sequences; i++) {
        size_t length = strlen(input->sequences[i].bytes);
        if (length <= input->n_bytes &&
            memcmp(input->sequences[i].bytes, input->bytes, length) == 0) {
            out->key = input->sequences[i].key;
            return (int)length;
        }
    }
    return 0;
}

/* button as xterm numbers it: wheel 64 and 65, motion has bit 5, shift, alt and ctrl bits 2 to 4 */
static void set_mouse(ui_event *out, int button, int column, int row, bool is_press)
{
    if (!is_press || button & 32)
        return;
    out->mouse.row = row - 1;
    out->mouse.column = column - 1;
    button &= ~28;
    if (button == 64 || button == 65)
        out->mouse.what = button == 64 ? UI_MOUSE_WHEEL_UP : UI_MOUSE_WHEEL_DOWN;
    else if (button == 0)
        out->mouse.what = UI_MOUSE_CLICK;
    else
        return;
    out->key = UI_KEY_MOUSE;
}

static int key_of_letter(char letter)
{
    static const struct {
        char letter;
        int key;
    } letters[] = {{'A', UI_KEY_UP},     {'B', UI_KEY_DOWN},      {'C', UI_KEY_RIGHT},
                   {'D', UI_KEY_LEFT},   {'H', UI_KEY_HOME},      {'F', UI_KEY_END},
                   {'P', UI_KEY_F1},     {'Q', UI_KEY_F1 + 1},    {'R', UI_KEY_F1 + 2},
                   {'S', UI_KEY_F1 + 3}, {'Z', UI_KEY_SHIFT_TAB}, {'M', UI_KEY_ENTER}};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].letter == letter)
            return letters[i].key;
    return UI_KEY_NONE;
}

static int key_of_number(int number)
{
    static const int keys[] = {
        [1] = UI_KEY_HOME,      [3] = UI_KEY_DELETE,   [4] = UI_KEY_END,     [5] = UI_KEY_PAGE_UP,
        [6] = UI_KEY_PAGE_DOWN, [7] = UI_KEY_HOME,     [8] = UI_KEY_END,     [11] = UI_KEY_F1,
        [12] = UI_KEY_F1 + 1,   [13] = UI_KEY_F1 + 2,  [14] = UI_KEY_F1 + 3, [15] = UI_KEY_F1 + 4,
        [17] = UI_KEY_F1 + 5,   [18] = UI_KEY_F1 + 6,  [19] = UI_KEY_F1 + 7, [20] = UI_KEY_F1 + 8,
        [21] = UI_KEY_F1 + 9,   [23] = UI_KEY_F1 + 10, [24] = UI_KEY_F12,
    };
    return number > 0 && number < (int)(sizeof keys / sizeof *keys) ? keys[number] : UI_KEY_NONE;
}

/* ESC [ parameters final */
static int read_csi(ui_input *input, ui_event *out)
{
    const unsigned char *s = input->bytes;
    int n = (int)input->n_bytes, at = 2, parameters[4] = {0}, n_parameters = 0;
    bool is_sgr = n > 2 && s[2] == '<';
    if (n > 2 && s[2] == '[') /* the Linux console's F1 to F5 */
        return n < 4 ? MORE
                     : (out->key = s[3] >= 'A' && s[3] <= 'E' ? UI_KEY_F1 + s[3] - 'A' : 0, 4);
    if (n > 2 && s[2] == 'M') { /* the old mouse: three bytes, each 32 more */
        if (n < 6)
            return MORE;
        set_mouse(out, s[3] - 32, s[4] - 32, s[5] - 32, (s[3] & 3) != 3);
        return 6;
    }
    while (at < n && s[at] >= 0x30 && s[at] <= 0x3f) {
        if (s[at] == ';' && n_parameters < 3)
            n_parameters++;
        else if (s[at] >= '0' && s[at] <= '9' && parameters[n_parameters] < 100000)
            parameters[n_parameters] = parameters[n_parameters] * 10 + s[at] - '0';
        at++;
    }
    while (at < n && s[at] >= 0x20 && s[at] <= 0x2f)
        at++;
    if (at >= n)
        return n > 64 ? 1 : MORE;
    char final = (char)s[at];
    if (is_sgr && (final == 'M' || final == 'm')) {
        set_mouse(out, parameters[0], parameters[1], parameters[2], final == 'M');
        return at + 1;
    }
    if (final == '~' && (parameters[0] == 200 || parameters[0] == 201)) {
        input->is_pasting = parameters[0] == 200;
        return at + 1;
    }
    out->key = final == '~' ? key_of_number(parameters[0]) : key_of_letter(final);
    int modifiers = parameters[1] > 0 ? parameters[1] - 1 : 0;
    if (out->key != UI_KEY_NONE)
        out->key |= (modifiers & 2 ? UI_KEY_ALT : 0) | (modifiers & 4 ? UI_KEY_CTRL : 0);
    return at + 1;
}

/* One character; a byte that is no UTF-8 is dropped. */
static int read_character(const unsigned char *s, size_t n, ui_event *out)
{
    int length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (length == 0 || s[0] > 0xf4)
        return 1;
    if (length > 1) {
        int code = s[0] & (0x7f >> length);
        for (int i = 1; i < length; i++) {
            if ((size_t)i >= n)
                return MORE;
            if ((s[i] & 0xc0) != 0x80)
                return 1;
            code = code << 6 | (s[i] & 0x3f);
        }
        out->key = code >= 0xa0 && code < 0x110000 ? code : UI_KEY_NONE;
        return length;
    }
    if (s[0] == '\r' || s[0] == '\n')
        out->key = UI_KEY_ENTER;
    else if (s[0] == 8 || s[0] == 127)
        out->key = UI_KEY_BACKSPACE;
    else if (s[0] == '\t' || s[0] >= 32)
        out->key = s[0];
    else if (s[0] == 0)
        out->key = UI_KEY_CTRL | ' ';
    else
        out->key = UI_KEY_CTRL | (s[0] < 27 ? s[0] + 'a' - 1 : s[0] + '@');
    return 1;
}

static int read_escape(ui_input *input, bool is_late, ui_event *out)
{
    const unsigned char *s = input->bytes;
    size_t n = input->n_bytes;
    int used = learnt_key(input, out);
    if (used)
        return used;
    if (n > 1 && s[1] == '[') {
        used = read_csi(input, out);
    } else if (n > 1 && s[1] == 'O') {
        used = MORE;
        if (n > 2) {
            out->key = key_of_letter((char)s[2]);
            used = 3;
        }
    } else if (n > 1 && s[1] != ESC) {
        used = read_character(s + 1, n - 1, out);
        if (out->key != UI_KEY_NONE)
            out->key |= UI_KEY_ALT;
        used = used == MORE ? MORE : used + 1;
    } else if (n > 1 || is_late) {
        out->key = UI_KEY_ESCAPE;
        return 1;
    } else {
        return MORE;
    }
    if (used == MORE && is_late) { /* ESC [ alone is Alt-[ */
        out->key = n > 1 ? UI_KEY_ALT | s[1] : UI_KEY_ESCAPE;
        return n > 1 ? 2 : 1;
    }
    return used;
}

/* Pasted text is text: of the escapes only the end of the paste counts. */
static int read_pasted(ui_input *input, bool is_late, ui_event *out)
{
    static const char end[] = "\033[201~";
    size_t length = sizeof end - 1;
    size_t n = input->n_bytes < length ? input->n_bytes : length;
    if (memcmp(input->bytes, end, n) == 0) {
        if (n < length && !is_late)
            return MORE;
        input->is_pasting = n < length;
        return (int)n;
    }
    int used = read_character(input->bytes, input->n_bytes, out);
    if (out->key & UI_KEY_CTRL || out->key == UI_KEY_BACKSPACE)
        out->key = UI_KEY_NONE;
    if (out->key == UI_KEY_ENTER)
        out->key = '\n';
    out->is_pasted = true;
    return used;
}

bool ui_input_next(ui_input *input, bool is_late, ui_event *out)
{
    while (input->n_bytes > 0) {
        *out = (ui_event){.key = UI_KEY_NONE};
        int used = input->is_pasting        ? read_pasted(input, is_late, out)
                   : input->bytes[0] == ESC ? read_escape(input, is_late, out)
                                            : read_character(input->bytes, input->n_bytes, out);
        if (used == MORE) {
            if (!is_late)
                return false;
            used = 1;
        }
        drop(input, (size_t)used);
        if (out->key != UI_KEY_NONE)
            return true;
    }
    return false;
}
