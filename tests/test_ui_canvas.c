/* Cells, keys, colours and bindings of the workbench, without a terminal. */
#include <check.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/canvas.h"
#include "ui/input.h"
#include "ui/keys.h"
#include "ui/theme.h"
#include "ui/ui.h"
#include "ui/widget.h"

static void expect_dump(const ui_canvas *canvas, const char *expected)
{
    char *text = ui_canvas_dump(canvas);
    ck_assert_str_eq(text, expected);
    free(text);
}

/* ---- the canvas ---- */

START_TEST(text_is_cut_at_its_columns_and_at_the_edge)
{
    ui_canvas c;
    ui_canvas_init(&c, 2, 6, false);
    ck_assert_int_eq(ui_text(&c, 0, 1, 3, UI_ROLE_TEXT, "abcdef"), 3);
    ck_assert_int_eq(ui_text(&c, 1, 4, -1, UI_ROLE_TEXT, "xyz"), 2);
    expect_dump(&c, " abc\n    xy\n");
    ui_text(&c, -1, 0, -1, UI_ROLE_TEXT, "out");
    ui_text(&c, 2, 0, -1, UI_ROLE_TEXT, "out");
    ui_text(&c, 0, -2, -1, UI_ROLE_TEXT, "12345");
    expect_dump(&c, "345c\n    xy\n");
    ui_canvas_fini(&c);
}
END_TEST

/* What a terminal would take as a command, or draws wider or narrower than a cell, is ASCII. The
 * numbers are the bytes and code points themselves. */
static const struct {
    const char *name, *text, *shown;
} strange[] = {
    {"escape", "a\033[2Jb", "a\\x1b[2Jb"},
    {"C1 control",
     "a\xc2\x9b"
     "2J",
     "a\\xc2\\x9b2J"},
    {"bytes that are no UTF-8", "a\xff\xc0z", "a\\xff\\xc0z"},
    {"surrogate", "\xed\xa0\x80!", "\\xed\\xa0\\x80!"},
    {"overlong", "\xc0\xaf", "\\xc0\\xaf"},
    {"cut sequence", "\xe4\xb8", "\\xe4\\xb8"},
    {"wide", "\xe4\xb8\xad!", "\\u4e2d!"},
    {"combining", "e\xcc\x81", "e\\u0301"},
    {"direction",
     "\xe2\x80\xae"
     "a",
     "\\u202ea"},
    {"emoji", "\xf0\x9f\x98\x80", "\\u1f600"},
    {"newline and tab", "a\nb\tc", "a\\x0ab\\x09c"},
    {"delete", "a\x7f", "a\\x7f"},
    {"plain", "caf\xc3\xa9", "caf\xc3\xa9"},
};

START_TEST(what_is_not_one_cell_wide_is_shown_as_a_mark)
{
    ui_canvas c;
    char line[80];
    ui_canvas_init(&c, 1, 60, false);
    ui_text(&c, 0, 0, -1, UI_ROLE_TEXT, strange[_i].text);
    snprintf(line, sizeof line, "%s\n", strange[_i].shown);
    expect_dump(&c, line);
    ui_canvas_fini(&c);
}
END_TEST

START_TEST(columns_of_text_are_those_it_is_painted_in)
{
    ui_canvas c;
    ui_canvas_init(&c, 1, 60, false);
    ck_assert_int_eq(ui_text(&c, 0, 0, -1, UI_ROLE_TEXT, strange[_i].text),
                     ui_text_columns(strange[_i].text));
    ui_canvas_fini(&c);
    ui_canvas_init(&c, 1, 60, true);
    ck_assert_int_eq(ui_text(&c, 0, 0, -1, UI_ROLE_TEXT, strange[_i].text),
                     ui_text_columns(strange[_i].text));
    for (int i = 0; i < 60; i++)
        ck_assert_uint_lt(c.cells[i].glyph, 0x80);
    ui_canvas_fini(&c);
}
END_TEST

START_TEST(nothing_is_painted_outside_the_clip)
{
    ui_canvas c;
    ui_canvas_init(&c, 3, 5, false);
    ui_canvas_set_clip(&c, (ui_rect){1, 1, 1, 3});
    ui_fill(&c, (ui_rect){-5, -5, 50, 50}, UI_ROLE_TEXT, '#');
    expect_dump(&c, "\n ###\n\n");
    ui_canvas_set_clip(&c, (ui_rect){-4, -4, 5, 5});
    ui_fill(&c, (ui_rect){0, 0, 3, 5}, UI_ROLE_TEXT, 'a');
    expect_dump(&c, "a\n ###\n\n");
    ui_canvas_fini(&c);
}
END_TEST

START_TEST(a_frame_has_its_title_in_the_upper_edge)
{
    ui_canvas c;
    ui_canvas_init(&c, 3, 12, false);
    ui_rect in = ui_frame(&c, (ui_rect){0, 0, 3, 12}, "why");
    ck_assert_int_eq(in.row, 1);
    ck_assert_int_eq(in.columns, 10);
    expect_dump(&c, "┌─ why ────┐\n│          │\n└──────────┘\n");
    ui_canvas_fini(&c);
    ui_canvas_init(&c, 3, 12, true);
    ui_frame(&c, (ui_rect){0, 0, 3, 12}, "why");
    expect_dump(&c, "+- why ----+\n|          |\n+----------+\n");
    ui_canvas_fini(&c);
}
END_TEST

START_TEST(bars_end_in_eighths_of_a_cell_or_whole_cells_in_ascii)
{
    ui_canvas c;
    ui_canvas_init(&c, 4, 8, false);
    ui_bar(&c, 0, 0, 8, 0.5, UI_ROLE_BAR);           /* 4 cells */
    ui_bar(&c, 1, 0, 8, 2.5 / 8, UI_ROLE_BAR);       /* 2 and a half */
    ui_bar(&c, 2, 0, 8, 7, UI_ROLE_BAR);             /* more than all is all */
    ui_bar(&c, 3, 0, 8, 0.0 / 1.0 - 1, UI_ROLE_BAR); /* nothing */
    expect_dump(&c, "████\n██▌\n████████\n\n");
    ui_canvas_fini(&c);
    ui_canvas_init(&c, 1, 8, true);
    ui_bar(&c, 0, 0, 8, 0.5, UI_ROLE_BAR);
    expect_dump(&c, "####\n");
    ui_canvas_fini(&c);
}
END_TEST

START_TEST(glyphs_have_ascii_twins)
{
    ui_canvas c;
    ui_canvas_init(&c, 1, 20, true);
    ui_text(&c, 0, 0, -1, UI_ROLE_TEXT, "56²×24 ▼ ▲ → ● · Δ …");
    expect_dump(&c, "562x24 v ^ > @ . d ~\n");
    for (int id = 0; id < UI_GLYPH_COUNT; id++)
        ck_assert_uint_lt(ui_glyph(&c, (ui_glyph_id)id), 0x80);
    ui_canvas_fini(&c);
}
END_TEST

START_TEST(text_that_had_to_be_cut_shows_that_it_was)
{
    ui_canvas c;
    ui_canvas_init(&c, 3, 8, false);
    ck_assert_int_eq(ui_text_cut(&c, 0, 0, -1, UI_ROLE_TEXT, "12.50 ms"), 8); /* just fits */
    ck_assert_int_eq(ui_text_cut(&c, 1, 0, -1, UI_ROLE_TEXT, "112.50 ms"), 8);
    ck_assert_int_eq(ui_text_cut(&c, 2, 2, 3, UI_ROLE_TEXT, "abcd"), 3);
    expect_dump(&c, "12.50 ms\n112.50 …\n  ab…\n");
    ui_canvas_fini(&c);
}
END_TEST

START_TEST(wrapped_text_is_broken_between_words)
{
    ui_canvas c;
    ui_canvas_init(&c, 3, 6, false);
    ck_assert_int_eq(ui_text_wrapped(&c, (ui_rect){0, 0, 3, 6}, UI_ROLE_TEXT, "one two three"), 3);
    expect_dump(&c, "one\ntwo\nthree\n");
    ui_canvas_clear(&c); /* a word longer than a row is cut */
    ck_assert_int_eq(ui_text_wrapped(&c, (ui_rect){0, 0, 3, 4}, UI_ROLE_TEXT, "abcdefghi"), 3);
    expect_dump(&c, "abcd\nefgh\ni\n");
    ui_canvas_clear(&c); /* what is below the last row is counted, not painted */
    ck_assert_int_eq(ui_text_wrapped(&c, (ui_rect){0, 0, 1, 4}, UI_ROLE_TEXT, "0123456789"), 3);
    expect_dump(&c, "0123\n\n\n");
    ck_assert_int_eq(ui_text_wrapped(NULL, (ui_rect){0, 0, 0, 4}, UI_ROLE_TEXT, "0123456789"), 3);
    ck_assert_int_eq(ui_text_wrapped(NULL, (ui_rect){0, 0, 0, 4}, UI_ROLE_TEXT, ""), 1);
    ui_canvas_fini(&c);
}
END_TEST

START_TEST(a_canvas_without_cells_takes_everything)
{
    ui_canvas c;
    ui_canvas_init(&c, 0, 0, false);
    ui_text(&c, 0, 0, -1, UI_ROLE_TEXT, "x");
    ui_frame(&c, (ui_rect){0, 0, 0, 0}, "t");
    ui_text_right(&c, 0, 0, UI_ROLE_TEXT, "x");
    ui_bar(&c, 0, 0, 0, 1, UI_ROLE_BAR);
    expect_dump(&c, "");
    ui_canvas_fini(&c);
}
END_TEST

/* ---- bytes to keys ---- */

/* The sequences are those of xterm's control sequences document (PC-style function keys, SGR and
 * X10 mouse), of the Linux console for ESC [ [ A, and of rxvt for ESC [ 7 ~. */
static const struct {
    const char *bytes, *keys;
} typed[] = {
    {"j", "j"},
    {"\r", "Enter"},
    {"\n", "Enter"},
    {"\t", "Tab"},
    {"\x7f", "Backspace"},
    {"\x08", "Backspace"},
    {"\x12", "C-r"},
    {"\x03", "C-c"},
    {" ", "Space"},
    {"\xc3\xa9", "\xc3\xa9"},
    {"\033[A\033OB\033[C\033OD", "Up Down Right Left"},
    {"\033[H\033OF\033[1~\033[4~\033[7~\033[8~", "Home End Home End Home End"},
    {"\033[5~\033[6~\033[3~\033[Z", "PgUp PgDn Delete S-Tab"},
    {"\033OP\033[12~\033[[A\033[15~\033[17~\033[24~", "F1 F2 F1 F5 F6 F12"},
    {"\0333\033j", "A-3 A-j"},
    {"\033[1;5A\033[1;3B\033[5;5~", "C-Up A-Down C-PgUp"},
    {"\033[99;9u", ""},
    {"\033[I\033[O", ""},
    {"\xff\xfej", "j"},
    {"\033[200~o\033[Aq\r\x03\033[201~j", "o [ A q \n j"},
};

static void expect_keys(const char *bytes, const char *keys, size_t at_a_time)
{
    ui_input input = {0};
    ui_event event;
    char seen[256] = "", name[32];
    size_t n = strlen(bytes);
    for (size_t i = 0; i < n; i += at_a_time) {
        ui_input_feed(&input, bytes + i, i + at_a_time > n ? n - i : at_a_time);
        while (ui_input_next(&input, false, &event)) {
            size_t length = strlen(seen);
            snprintf(seen + length, sizeof seen - length, "%s%s", length ? " " : "",
                     event.key == '\n' ? "\n" : ui_key_name(event.key, name, sizeof name));
        }
    }
    ck_assert_str_eq(seen, keys);
    ck_assert_uint_eq(input.n_bytes, 0);
}

START_TEST(bytes_become_keys_whole_or_one_by_one)
{
    expect_keys(typed[_i].bytes, typed[_i].keys, 1000);
    expect_keys(typed[_i].bytes, typed[_i].keys, 1);
}
END_TEST

START_TEST(an_escape_alone_is_a_key_when_nothing_follows)
{
    ui_input input = {0};
    ui_event event;
    ui_input_feed(&input, "\033", 1);
    ck_assert(!ui_input_next(&input, false, &event));
    ck_assert(ui_input_next(&input, true, &event));
    ck_assert_int_eq(event.key, UI_KEY_ESCAPE);
    ui_input_feed(&input, "\033[", 2);
    ck_assert(!ui_input_next(&input, false, &event));
    ck_assert(ui_input_next(&input, true, &event));
    ck_assert_int_eq(event.key, UI_KEY_ALT | '[');
}
END_TEST

/* Columns beyond 223 need the SGR encoding; the old one adds 32 to each number. */
START_TEST(both_mouse_encodings_are_read)
{
    ui_input input = {0};
    ui_event event;
    const char *bytes =
        "\033[<0;300;7M\033[<0;300;7m\033[<64;1;1M\033[<65;1;1M\033[<35;9;9M\033[M !\"";
    ui_input_feed(&input, bytes, strlen(bytes));
    ck_assert(ui_input_next(&input, false, &event));
    ck_assert_int_eq(event.key, UI_KEY_MOUSE);
    ck_assert_int_eq(event.mouse.what, UI_MOUSE_CLICK);
    ck_assert_int_eq(event.mouse.column, 299);
    ck_assert_int_eq(event.mouse.row, 6);
    ck_assert(ui_input_next(&input, false, &event)); /* the release is nothing */
    ck_assert_int_eq(event.mouse.what, UI_MOUSE_WHEEL_UP);
    ck_assert(ui_input_next(&input, false, &event));
    ck_assert_int_eq(event.mouse.what, UI_MOUSE_WHEEL_DOWN);
    ck_assert(ui_input_next(&input, false, &event)); /* neither is motion */
    ck_assert_int_eq(event.mouse.what, UI_MOUSE_CLICK);
    ck_assert_int_eq(event.mouse.column, 0);
    ck_assert_int_eq(event.mouse.row, 1);
    ck_assert(!ui_input_next(&input, false, &event));
}
END_TEST

/* Any bytes: nothing hangs, nothing is left but a part of a sequence. */
START_TEST(noise_is_survived)
{
    ui_input input = {0};
    ui_event event;
    unsigned x = 1;
    for (int i = 0; i < 200000; i++) {
        unsigned char byte;
        x = x * 1664525u + 1013904223u;
        byte = (unsigned char)(x >> 24);
        if (x >> 22 & 1)
            byte = (unsigned char)"\033[O<M;201~"[byte % 10];
        ui_input_feed(&input, &byte, 1);
        while (ui_input_next(&input, (x >> 20 & 15) == 0, &event))
            ck_assert_int_ne(event.key, UI_KEY_NONE);
        ck_assert_uint_lt(input.n_bytes, 128);
    }
}
END_TEST

/* ---- bindings ---- */

START_TEST(no_two_defaults_share_a_key)
{
    char keys[64], seen[4096] = " ";
    for (ui_entry i = 0; i < UI_ENTRY_COUNT; i++) {
        ui_entry_keys(i, keys, sizeof keys);
        char *rest;
        for (char *key = strtok_r(keys, " ", &rest); key; key = strtok_r(NULL, " ", &rest)) {
            char word[32];
            snprintf(word, sizeof word, " %s ", key);
            ck_assert_msg(!strstr(seen, word), "%s", key);
            snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s ", key);
            ck_assert_int_eq(ui_key_entry(ui_key_parse(key)), i);
        }
    }
}
END_TEST

START_TEST(a_clash_names_both_and_none_frees_a_key)
{
    nw_error err;
    ck_assert_int_eq(ui_bind("o", "undo", &err), NW_INVALID);
    ck_assert_str_eq(err.where, "o");
    ck_assert_ptr_nonnull(strstr(err.message, "open"));
    ck_assert_ptr_nonnull(strstr(err.message, "undo"));
    ck_assert_int_eq(ui_bind("o", "none", &err), NW_OK);
    ck_assert_int_eq(ui_bind("o", "undo", &err), NW_OK);
    ck_assert_int_eq(ui_key_entry('o'), NW_ACTION_UNDO);
    ck_assert_int_eq(ui_bind("o", "undo", &err), NW_OK);
    ck_assert_int_eq(ui_bind("C-F5", "open", &err), NW_OK);
    ck_assert_int_eq(ui_key_entry(UI_KEY_CTRL | (UI_KEY_F1 + 4)), NW_ACTION_OPEN);
    ck_assert_int_eq(ui_bind("x", "frobnicate", &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "no such action"));
    ck_assert_int_eq(ui_bind("Hyper", "open", &err), NW_INVALID);
    ck_assert_int_eq(ui_bind("", "open", &err), NW_INVALID);
    ck_assert_int_eq(ui_bind("C-C-x", "open", &err), NW_INVALID);
    ck_assert_int_eq(ui_bind("\033", "open", &err), NW_INVALID);
    ck_assert_int_eq(ui_bind("C-c", "open", &err), NW_INVALID);
    ck_assert_int_eq(ui_bind("C-c", "none", &err), NW_INVALID);
}
END_TEST

START_TEST(every_entry_is_printed_with_its_keys)
{
    nw_buf out = {0};
    int n_lines = 0;
    ui_print_keys(&out);
    for (const char *c = nw_buf_text(&out); *c; c++)
        n_lines += *c == '\n';
    ck_assert_int_eq(n_lines, UI_ENTRY_COUNT);
    ck_assert_ptr_nonnull(strstr(out.text, "q F10        quit"));
    ck_assert_ptr_nonnull(strstr(out.text, "j Down       down             next row"));
    nw_buf_fini(&out);
}
END_TEST

static const char *const many[] = {"down",   "drill", "filter", "sort.left", "view", "open",
                                   "export", "copy",  "undo",   "redo",      "mark", NULL};
static const ui_view wordy = {.name = "Wordy", .footer = many};

START_TEST(the_footer_is_cut_to_whole_entries_and_keeps_help)
{
    ui_footer_item items[24];
    for (int columns = 10; columns < 130; columns++) {
        int n = ui_footer(&wordy, false, columns, items, 24);
        ck_assert_int_gt(n, 0);
        ck_assert_str_eq(items[n - 1].label, "help");
        for (int i = 0; i < n; i++) {
            ck_assert_int_le(items[i].column + items[i].columns, columns);
            ck_assert(i == 0 || items[i].column > items[i - 1].column + items[i - 1].columns);
        }
    }
    ui_footer(&wordy, false, 120, items, 24);
    ck_assert_str_eq(items[0].key, "j/k");
    ck_assert_str_eq(items[0].label, "move");
    ui_footer(&wordy, true, 120, items, 24); /* where j would be typed */
    ck_assert_str_eq(items[0].key, "Down/Up");
}
END_TEST

/* ---- colours ---- */

START_TEST(direct_colours_keep_out_of_the_palettes_numbers)
{
    nw_error err;
    ck_assert_int_eq(ui_theme_look(UI_ROLE_BETTER, UI_TIER_DIRECT).color, 0x00afff);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_BETTER, UI_TIER_256).color, 39);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_WORSE, UI_TIER_DIRECT).color, 0xff8700);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_WORSE, UI_TIER_256).color, 208);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_BETTER, UI_TIER_NONE).color, -1);
    ck_assert_int_eq(ui_set_color("better", "#000005", &err), NW_OK);
    ck_assert_int_ge(ui_theme_look(UI_ROLE_BETTER, UI_TIER_DIRECT).color, 256);
}
END_TEST

/* The ramp of the 256 as designed: 53 55 24 30 36 77 184 226. Viridis begins and ends with these in
 * matplotlib's table, and has this in its middle (entry 136 of 256). */
START_TEST(the_ramp_is_the_designed_one)
{
    static const int expected[] = {53, 55, 24, 30, 36, 77, 184, 226};
    for (int i = 0; i < UI_RAMP_STEPS; i++)
        ck_assert_int_eq(ui_theme_look((ui_role)(UI_ROLE_RAMP + i), UI_TIER_256).color,
                         expected[i / 2]);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_RAMP, UI_TIER_DIRECT).color, 0x440154);
    ck_assert_int_eq(ui_theme_look((ui_role)(UI_ROLE_RAMP + 8), UI_TIER_DIRECT).color, 0x1f988b);
    ck_assert_int_eq(ui_theme_look((ui_role)(UI_ROLE_RAMP + 15), UI_TIER_DIRECT).color, 0xfde725);
}
END_TEST

/* 16 + 36 x 5 + 6 x 0 + 0 = 196 is pure red in xterm's cube; 231 is white. */
START_TEST(colours_are_given_in_four_ways)
{
    nw_error err;
    ck_assert_int_eq(ui_set_color("title", "#ff0000", &err), NW_OK);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_TITLE, UI_TIER_256).color, 196);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_TITLE, UI_TIER_DIRECT).color, 0xff0000);
    ck_assert_int_eq(ui_set_color("title", "231", &err), NW_OK);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_TITLE, UI_TIER_DIRECT).color, 0xffffff);
    ck_assert_int_eq(ui_set_color("title", "cyan", &err), NW_OK);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_TITLE, UI_TIER_8).color, 6);
    ck_assert_int_eq(ui_set_color("title", "default", &err), NW_OK);
    ck_assert_int_eq(ui_theme_look(UI_ROLE_TITLE, UI_TIER_256).color, -1);
    ck_assert_int_eq(ui_set_color("title", "mauve", &err), NW_INVALID);
    ck_assert_int_eq(ui_set_color("title", "256", &err), NW_INVALID);
    ck_assert_int_eq(ui_set_color("title", "#12345", &err), NW_INVALID);
    ck_assert_int_eq(ui_set_color("title", "", &err), NW_INVALID);
    ck_assert_int_eq(ui_set_color("shoe", "cyan", &err), NW_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "warning"));
}
END_TEST

/* ---- the line to type in ---- */

START_TEST(a_line_is_edited_by_characters_not_bytes)
{
    static ui_edit edit;
    ui_edit_set(&edit, "a\xc3\xa9z");
    ui_edit_key(&edit, UI_KEY_LEFT);
    ui_edit_key(&edit, UI_KEY_BACKSPACE);
    ck_assert_str_eq(edit.text, "az");
    ui_edit_key(&edit, 0xe9);
    ck_assert_str_eq(edit.text, "a\xc3\xa9z");
    ui_edit_key(&edit, UI_KEY_HOME);
    ui_edit_key(&edit, UI_KEY_DELETE);
    ui_edit_key(&edit, UI_KEY_DELETE);
    ck_assert_str_eq(edit.text, "z");
    ui_edit_set(&edit, "open models/demo");
    ui_edit_key(&edit, UI_KEY_CTRL | 'w');
    ck_assert_str_eq(edit.text, "open models/");
    ui_edit_key(&edit, UI_KEY_CTRL | 'u');
    ck_assert_str_eq(edit.text, "");
    ck_assert(!ui_edit_key(&edit, UI_KEY_UP));
    ck_assert(!ui_edit_key(&edit, UI_KEY_ENTER));
    for (int i = 0; i < 2 * UI_EDIT_BYTES; i++)
        ui_edit_key(&edit, 'x');
    ck_assert_uint_eq(edit.length, UI_EDIT_BYTES - 1);
}
END_TEST

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* widths of characters */
    Suite *suite = suite_create("ui_canvas");
    TCase *c = tcase_create("canvas");
    tcase_add_test(c, text_is_cut_at_its_columns_and_at_the_edge);
    tcase_add_loop_test(c, what_is_not_one_cell_wide_is_shown_as_a_mark, 0, N_OF(strange));
    tcase_add_loop_test(c, columns_of_text_are_those_it_is_painted_in, 0, N_OF(strange));
    tcase_add_test(c, nothing_is_painted_outside_the_clip);
    tcase_add_test(c, a_frame_has_its_title_in_the_upper_edge);
    tcase_add_test(c, bars_end_in_eighths_of_a_cell_or_whole_cells_in_ascii);
    tcase_add_test(c, glyphs_have_ascii_twins);
    tcase_add_test(c, text_that_had_to_be_cut_shows_that_it_was);
    tcase_add_test(c, wrapped_text_is_broken_between_words);
    tcase_add_test(c, a_canvas_without_cells_takes_everything);
    suite_add_tcase(suite, c);
    c = tcase_create("keys");
    tcase_add_loop_test(c, bytes_become_keys_whole_or_one_by_one, 0, N_OF(typed));
    tcase_add_test(c, an_escape_alone_is_a_key_when_nothing_follows);
    tcase_add_test(c, both_mouse_encodings_are_read);
    tcase_add_test(c, noise_is_survived);
    tcase_add_test(c, no_two_defaults_share_a_key);
    tcase_add_test(c, a_clash_names_both_and_none_frees_a_key);
    tcase_add_test(c, every_entry_is_printed_with_its_keys);
    tcase_add_test(c, the_footer_is_cut_to_whole_entries_and_keeps_help);
    tcase_add_test(c, direct_colours_keep_out_of_the_palettes_numbers);
    tcase_add_test(c, the_ramp_is_the_designed_one);
    tcase_add_test(c, colours_are_given_in_four_ways);
    tcase_add_test(c, a_line_is_edited_by_characters_not_bytes);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
