/* support_edit.h - what the suites of edits share. Whatever goes wrong in here aborts the test.
 */
#ifndef NW_TESTS_SUPPORT_EDIT_H
#define NW_TESTS_SUPPORT_EDIT_H

#include "src/arch/arch.h"

const nw_arch *arch_of_text(const char *timm, int size); /* block strings, on size x size x 3 */
const nw_arch *arch_of_model(const char *file); /* in the shared models; NULL: not there, said so */

nw_edit edit_of(const char *line);
const nw_arch *edit_arch(const nw_arch *arch, const char *line); /* takes arch */
const nw_arch *edit_with_notes(const nw_arch *arch, const char *line, nw_edit_report *report);

/* The edit is refused with these words behind itself. */
void refuse_edit(const nw_arch *arch, const char *line, const char *words);

int64_t macs_of(const nw_arch *arch);
int64_t macs_of_block(const nw_arch *arch, const char *label);
char *json_of(const nw_arch *arch); /* the caller frees it */

#endif
