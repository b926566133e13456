#include "tests/support_golden.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"

static const char head[] = "# our own output, read by a person before it was kept\n";

void ck_golden_screen(const char *name, const char *screen)
{
    char path[128];
    snprintf(path, sizeof path, "tests/golden/%s.txt", name);
    if (getenv("NASW_WRITE_GOLDEN")) {
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        fprintf(file, "%s%s", head, screen);
        fclose(file);
    }
    char *expected = read_text(path, NULL);
    ck_assert_msg(expected != NULL, "%s is missing", path);
    ck_assert(strncmp(expected, head, strlen(head)) == 0);
    bool is_same = strcmp(expected + strlen(head), screen) == 0;
    if (!is_same) /* libcheck's messages cannot hold a screen */
        printf("%s now:\n%s", path, screen);
    ck_assert_msg(is_same, "%s differs; NASW_WRITE_GOLDEN=1 accepts what is printed above", path);
    free(expected);
}
