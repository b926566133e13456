/* support_session.h - what the suites of the session share. Whatever goes wrong in here is printed
 * and aborts the test.
 */
#ifndef NW_TESTS_SUPPORT_SESSION_H
#define NW_TESTS_SUPPORT_SESSION_H

#include "src/session/session.h"

#define PRESETS "hw"

/* A new folder for each test, and what is in it; eight results of in_folder are valid at a time. */
void begin_folder(void);
void end_folder(void);
const char *the_folder(void);
const char *in_folder(const char *name);
int count_files(void);
void write_text(const char *path, const char *text);
void copy_file(const char *from, const char *to);

nw_session *begin(const char *data_path, const char *hw, const char *state_path);
nw_session *begin_plain(void); /* the presets, ne32, nothing kept */

NW_CHECKED nw_status try_act(nw_session *s, const char *name, const char *value, nw_error *err);
void act(nw_session *s, const char *name, const char *value);

/* The action is refused with these words, says so in a message, and nothing that counts moves. */
void refuse(nw_session *s, const char *name, const char *value, const char *words);

const nw_message *last_message(const nw_session *s);
int64_t latency(const nw_session *s);

/* What the estimator itself says, without a session; -1 if it cannot. */
int64_t estimate_alone(const char *model, const char *hw_name, const char *precision);

void wait_for_jobs(nw_session *s);

#endif
