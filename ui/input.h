/* input.h - the bytes of a terminal as keys, mouse events and pasted text.
 *
 * Knows the sequences of xterm and its kin, mouse events in the SGR and the old encoding, and what
 * the terminal's description adds with ui_input_learn. No curses here: terminals send SGR mouse
 * events, modified arrows and pastes that their descriptions do not mention.
 */
#ifndef UI_INPUT_H
#define UI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "ui/view.h"

typedef struct ui_event {
    int key; /* UI_KEY_NONE: nothing to see */
    bool is_pasted;
    ui_mouse mouse; /* for UI_KEY_MOUSE */
} ui_event;

enum { UI_INPUT_BYTES = 8192, UI_INPUT_SEQUENCES = 48 };

typedef struct ui_input {
    unsigned char bytes[UI_INPUT_BYTES];
    size_t n_bytes;
    bool is_pasting;
    struct {
        char bytes[12];
        int key;
    } sequences[UI_INPUT_SEQUENCES];
    int n_sequences;
} ui_input;

void ui_input_learn(ui_input *input, const char *sequence, int key);

/* Adds bytes read; returns how many there was room for. */
size_t ui_input_feed(ui_input *input, const void *bytes, size_t n_bytes);

/* Takes the next event out. False: nothing whole is there. is_late: no more bytes came for a
 * while, so an ESC alone is the key. */
bool ui_input_next(ui_input *input, bool is_late, ui_event *out);

#endif
