/* internal.h - between the files of advise.
 */
#ifndef NW_ADVISE_INTERNAL_H
#define NW_ADVISE_INTERNAL_H

#include "src/advise/advise.h"

/* A change that counts as faster: less, and beyond the band where there is one. */
static inline bool nw_effect_helps(const nw_effect *effect)
{
    return effect->latency.latency_ps < 0 && !effect->is_below && effect->fits;
}

#endif
