/* guard.h - the one lock of the program: cJSON writes a global (where it stopped) whenever it
 * parses, and models are opened on worker threads while descriptions are read on the main one.
 */
#ifndef NW_GUARD_H
#define NW_GUARD_H

/* Around every call that parses with cJSON; not recursive. */
void nw_json_lock(void);
void nw_json_unlock(void);

#endif
