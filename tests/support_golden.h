/* support_golden.h - screens that are kept: our own output, read by a person before it was.
 */
#ifndef NW_TESTS_SUPPORT_GOLDEN_H
#define NW_TESTS_SUPPORT_GOLDEN_H

/* Fails the test unless the screen is that of tests/golden/NAME.txt, behind the line that says
 * whose output it is. With NASW_WRITE_GOLDEN set the file is written anew. */
void ck_golden_screen(const char *name, const char *screen);

#endif
