/* support_space.h - a small search space over the built-in network, as a session finds it behind a
 * path. Whatever goes wrong in here is printed and aborts the test.
 */
#ifndef NW_TESTS_SUPPORT_SPACE_H
#define NW_TESTS_SUPPORT_SPACE_H

#include "src/session/explore.h"

#define SMALL_SPACE "small.lua"

/* Channels of stages 3 (c3: 24, 32, 40) and 4 (c4: 48, 56, ... 80), the kind of block 4.1 (v4.1:
 * ibn, fused), for the path SMALL_SPACE; refuses any other. */
const nw_space_loader *small_space_loader(void);

/* A network of it with these channels, whether they are among its options or not: made by a space
 * that has no others. Release it. */
const nw_arch *small_network(int64_t c3, int64_t c4);

/* A session with that space open, on ne32 by the device. */
nw_session *begin_small_space(void);

/* By the hand: c3 32 and 40, c4 48, 64 and 80, v4.1 ibn; whatever curation says. */
void choose_by_hand(nw_session *s);

/* Lets the workers go on, once. */
void wait_a_moment(nw_session *s);
void wait_for_curation(nw_session *s);
void wait_for_landscape(nw_session *s);

#endif
