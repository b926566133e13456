/* The log as a script: what it holds, any bytes in it, and that replaying it gives the same state.
 * Expected text follows from session.h and the Lua manual. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_session.h"

/* Reads a Lua string literal by the rules of Lua's manual, section 3.1. */
static const char *read_lua_string(const char *s, char *out, size_t size)
{
    size_t n = 0;
    ck_assert_int_eq(*s++, '"');
    while (*s != '"') {
        ck_assert(*s && *s != '\n' && n + 1 < size);
        if (*s != '\\') {
            out[n++] = *s++;
        } else if (s[1] >= '0' && s[1] <= '9') {
            out[n++] = (char)(100 * (s[1] - '0') + 10 * (s[2] - '0') + s[3] - '0');
            s += 4;
        } else {
            ck_assert(s[1] == '"' || s[1] == '\\');
            out[n++] = s[1];
            s += 2;
        }
    }
    out[n] = '\0';
    return s + 1;
}

/* Does what a log says. */
static void replay(nw_session *s, const char *script)
{
    static const char call[] = "nasw.act(";
    while (*script) {
        char name[64], value[4096];
        bool has_value = false;
        ck_assert_msg(strncmp(script, call, strlen(call)) == 0, "%s", script);
        script = read_lua_string(script + strlen(call), name, sizeof name);
        if (strncmp(script, ", ", 2) == 0) {
            script = read_lua_string(script + 2, value, sizeof value);
            has_value = true;
        }
        ck_assert_msg(strncmp(script, ")\n", 2) == 0, "%s", script);
        script += 2;
        act(s, name, has_value ? value : NULL);
    }
}

START_TEST(the_log_is_a_lua_script)
{
    nw_session *s = begin(PRESETS, "ne64", NULL);
    nw_buf log = {0};
    nw_session_log_lua(s, &log);
    ck_assert_str_eq(nw_buf_text(&log), "");
    act(s, "open", "demo");
    act(s, "hw.next", NULL);
    act(s, "hw.previous", NULL);
    act(s, "undo", NULL);
    act(s, "baseline", NULL);
    act(s, "precision", "int16");
    act(s, "undo", NULL); /* what was undone is not in the log */
    nw_error err;
    (void)!try_act(s, "open", "/nowhere", &err); /* nor what failed */
    nw_session_log_lua(s, &log);
    ck_assert_str_eq(nw_buf_text(&log), "nasw.act(\"hw\", \"ne64\")\n"
                                        "nasw.act(\"open\", \"demo\")\n"
                                        "nasw.act(\"hw\", \"systolic16-is\")\n"
                                        "nasw.act(\"baseline\")\n");
    nw_buf_fini(&log);
    nw_session_free(s);
}
END_TEST

START_TEST(any_bytes_of_a_path_survive_the_log)
{
    static const char *const names[] = {"plain.json",          "q\"uote\\.json",
                                        "\xc3\xbc.json",       "new\nline\r\x7f.json",
                                        "\377\376\00123.json", "]]--%s.json"};
    begin_folder();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nw_session *s = begin_plain(), *again = begin_plain();
        nw_buf log = {0};
        act(s, "open", "demo");
        act(s, "save", in_folder(names[i]));
        act(s, "open", in_folder(names[i]));
        nw_session_log_lua(s, &log);
        replay(again, nw_buf_text(&log));
        ck_assert_str_eq(nw_session_current(again)->model, in_folder(names[i]));
        ck_assert(latency(again) == latency(s));
        act(s, "save-session", in_folder("log.lua"));
        char *text = read_text(in_folder("log.lua"), NULL);
        ck_assert_str_eq(text, nw_buf_text(&log));
        free(text);
        remove(in_folder("log.lua"));
        nw_buf_fini(&log);
        nw_session_free(again);
        nw_session_free(s);
    }
    end_folder();
}
END_TEST

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void act_at_random(nw_session *s, unsigned *random)
{
    static const char *const choices[][2] = {
        {"open", "demo"},
        {"open", "/nowhere"},
        {"hw", "ne64"},
        {"hw", "u55-128"},
        {"hw", "dpu-b4096"},
        {"hw", "no such"},
        {"hw.next", 0},
        {"hw.previous", 0},
        {"precision", "int16"},
        {"precision", "file"},
        {"baseline", 0},
        {"undo", 0},
        {"undo", 0},
        {"redo", 0},
        {"repeat", 0},
        {"estimator", "device"},
        {"precision", "int8"},
        {"open", "demo"},
        {"hw.next", 0},
        {"input", "x=1x2"},
    };
    const char *const *c = choices[next_random(random) % (sizeof choices / sizeof *choices)];
    nw_error err;
    (void)!try_act(s, c[0], c[1], &err);
}

/* Everything that undo and replay must bring back. */
static void describe(const nw_session *s, nw_buf *out)
{
    const nw_point *points[2] = {nw_session_current(s), nw_session_baseline(s)};
    nw_buf_printf(out, "%s %s %s", nw_session_hw(s)->name, nw_session_precision(s),
                  nw_session_estimator(s));
    for (int i = 0; i < 2; i++)
        if (points[i])
            nw_buf_printf(out, " [%s %s %s %lld %lld %lld]", points[i]->model, points[i]->hw->name,
                          points[i]->precision, (long long)points[i]->estimate.latency_ps,
                          (long long)points[i]->estimate.energy_fj,
                          (long long)points[i]->estimate.arena_bytes);
        else
            nw_buf_puts(out, " none");
}

static void expect_same(const nw_session *a, const char *expected)
{
    nw_buf text = {0};
    describe(a, &text);
    ck_assert_str_eq(nw_buf_text(&text), expected);
    nw_buf_fini(&text);
}

START_TEST(any_sequence_replays_and_undoes_and_redoes_to_the_same)
{
    unsigned random = 1u + (unsigned)_i;
    nw_session *s = begin_plain(), *again = begin_plain();
    nw_buf log = {0}, state = {0};
    int n_steps = 1 + (int)(next_random(&random) % 40);
    for (int i = 0; i < n_steps; i++)
        act_at_random(s, &random);
    nw_session_log_lua(s, &log);
    describe(s, &state);
    replay(again, nw_buf_text(&log));
    expect_same(again, nw_buf_text(&state));

    const nw_point *current = nw_session_current(s), *baseline = nw_session_baseline(s);
    int n_undo = nw_session_n_undo(s), n_redo = nw_session_n_redo(s);
    for (int i = 0; i < n_undo; i++)
        act(s, "undo", NULL);
    expect_same(s, "ne32 file device none none");
    for (int i = 0; i < n_undo; i++)
        act(s, "redo", NULL);
    ck_assert_ptr_eq(nw_session_current(s), current);
    ck_assert_ptr_eq(nw_session_baseline(s), baseline);
    ck_assert_int_eq(nw_session_n_redo(s), n_redo);
    expect_same(s, nw_buf_text(&state));
    nw_buf_fini(&state);
    nw_buf_fini(&log);
    nw_session_free(again);
    nw_session_free(s);
}
END_TEST

START_TEST(the_log_is_whole_when_undo_has_forgotten_the_oldest)
{
    nw_session *s = begin_plain(), *again = begin_plain();
    nw_buf log = {0}, state = {0};
    act(s, "open", "demo");
    act(s, "hw", "ne64");
    for (int i = 0; i < 700; i++)
        act(s, "baseline", NULL);
    ck_assert_int_eq(nw_session_n_undo(s), 500); /* NW_MAX_UNDO */
    nw_session_log_lua(s, &log);
    describe(s, &state);
    replay(again, nw_buf_text(&log));
    expect_same(again, nw_buf_text(&state));
    while (nw_session_n_undo(s))
        act(s, "undo", NULL);
    ck_assert_ptr_nonnull(nw_session_current(s));
    ck_assert_int_eq(nw_session_n_redo(s), 500);
    while (nw_session_n_redo(s))
        act(s, "redo", NULL);
    expect_same(s, nw_buf_text(&state));
    nw_buf_fini(&state);
    nw_buf_fini(&log);
    nw_session_free(again);
    nw_session_free(s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_log");
    TCase *tc = tcase_create("session_log");
    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_log_is_a_lua_script);
    tcase_add_test(tc, any_bytes_of_a_path_survive_the_log);
    tcase_add_loop_test(tc, any_sequence_replays_and_undoes_and_redoes_to_the_same, 0, 40);
    tcase_add_test(tc, the_log_is_whole_when_undo_has_forgotten_the_oldest);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
