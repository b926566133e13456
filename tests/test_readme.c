/* README.md is true: every command in its console blocks runs, and the lines shown below it appear
 * in what it prints, in that order. "..." stands for lines left out. Commands that need a model
 * that is not here are skipped; make's own targets are what runs this test. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/text.h"
#include "tests/support.h"

static char folder[64];

static void link_into(const char *target, const char *name)
{
    char full[4096], path[256];
    ck_assert_ptr_nonnull(realpath(target, full));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    ck_assert_int_eq(symlink(full, path), 0);
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/nasw-readme-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    char path[256];
    snprintf(path, sizeof path, "%s/build", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    link_into(getenv("NASW_BIN") ? getenv("NASW_BIN") : "build/nasw", "build/nasw");
    link_into("hw", "hw");
    link_into("scripts", "scripts");
    link_into("spaces", "spaces");
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Makes every model that the command names reachable; false if one is missing. */
static bool reach_models(const char *command)
{
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", command);
    char *rest = copy;
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        size_t n = strlen(word);
        bool is_model = (n > 7 && strcmp(word + n - 7, ".tflite") == 0) ||
                        (n > 5 && strcmp(word + n - 5, ".onnx") == 0);
        char relative[256], path[384];
        if (!is_model)
            continue;
        snprintf(relative, sizeof relative, "models/%s", word);
        const char *found = shared_path(relative);
        if (!found)
            return false;
        snprintf(path, sizeof path, "%s/%s", folder, word);
        if (access(path, F_OK) != 0)
            link_into(found, word);
    }
    return true;
}

static char *run(const char *command)
{
    nw_buf full = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/stdout", folder);
    nw_buf_printf(&full,
                  "cd %s && export NASW_DATA=\"$PWD\" SOURCE_DATE_EPOCH=0 && { %s\n} >stdout",
                  folder, command);
    int status = system(nw_buf_text(&full));
    nw_buf_fini(&full);
    ck_assert_msg(status == 0, "README.md: '%s' ended with status %d", command, status);
    char *out = read_text(path, NULL);
    ck_assert_ptr_nonnull(out);
    return out;
}

#define HEREDOC "<<'END'"

/* The next line of text, terminated in place; NULL at the end. */
static char *next_line(char **text)
{
    char *line = *text;
    if (!line || !*line)
        return NULL;
    char *end = strchr(line, '\n');
    *text = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return line;
}

/* The command of a "$ " line, with the lines of its here-document. The caller frees it. */
static char *whole_command(const char *line, char **rest)
{
    nw_buf command = {0};
    nw_buf_puts(&command, line + 2);
    bool is_open = strstr(line, HEREDOC) != NULL;
    for (char *next; is_open && (next = next_line(rest)) != NULL;) {
        nw_buf_printf(&command, "\n%s", next);
        is_open = strcmp(next, "END") != 0;
    }
    if (strstr(line, HEREDOC))
        nw_buf_puts(&command, "\n");
    return command.text;
}

static void check_shown(const char *command, const char **printed, const char *line)
{
    if (!*printed || strcmp(line, "...") == 0)
        return;
    const char *at = strstr(*printed, line);
    ck_assert_msg(at != NULL, "README.md: '%s' does not print: %s", command, line);
    *printed = at + strlen(line);
}

START_TEST(the_commands_of_the_readme_print_what_it_shows)
{
    char *text = read_text("README.md", NULL), *rest = text, *output = NULL;
    ck_assert_ptr_nonnull(text);
    char *command = NULL;
    const char *printed = NULL;
    bool is_console = false;
    int n_run = 0;
    make_folder();
    for (char *line; (line = next_line(&rest)) != NULL;) {
        if (strncmp(line, "```", 3) == 0) {
            is_console = !is_console && strcmp(line, "```console") == 0;
            printed = NULL;
        } else if (is_console && strncmp(line, "$ ", 2) == 0) {
            free(command);
            command = whole_command(line, &rest);
            free(output);
            output = NULL;
            printed = NULL;
            if (strncmp(command, "make", 4) == 0 || !reach_models(command))
                continue;
            printed = output = run(command);
            n_run++;
        } else if (is_console) {
            check_shown(command, &printed, line);
        }
    }
    ck_assert_int_gt(n_run, 3);
    free(output);
    free(command);
    free(text);
    remove_folder();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("readme");
    TCase *tests = tcase_create("commands");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, the_commands_of_the_readme_print_what_it_shows);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
