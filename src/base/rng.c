#include "src/base/rng.h"

#include <assert.h>
#include <math.h>

uint64_t nw_rng_splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

nw_rng nw_rng_make(uint64_t seed, uint64_t stream)
{
    /* The stream goes through a step of its own, so that neighbours share nothing. */
    uint64_t state = seed ^ nw_rng_splitmix(&stream);
    nw_rng rng;
    for (int i = 0; i < 4; i++)
        rng.state[i] = nw_rng_splitmix(&state);
    return rng;
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

uint64_t nw_rng_next(nw_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

double nw_rng_unit(nw_rng *rng)
{
    return (double)(nw_rng_next(rng) >> 11) * 0x1p-53;
}

int64_t nw_rng_range(nw_rng *rng, int64_t low, int64_t high)
{
    assert(low <= high);
    uint64_t n = (uint64_t)high - (uint64_t)low + 1;
    if (n == 0)
        return (int64_t)nw_rng_next(rng);
    /* The first 2^64 mod n numbers would make small results likelier. */
    uint64_t least = -n % n, x;
    do
        x = nw_rng_next(rng);
    while (x < least);
    return (int64_t)((uint64_t)low + x % n);
}

double nw_rng_log_uniform(nw_rng *rng, double low, double high)
{
    assert(low > 0 && low <= high);
    double x = low * exp2(nw_rng_unit(rng) * log2(high / low));
    return x < high ? x : low;
}

double nw_rng_normal(nw_rng *rng)
{
    double radius = sqrt(-2 * log(1 - nw_rng_unit(rng)));
    return radius * cos(2 * 3.14159265358979323846 * nw_rng_unit(rng));
}

bool nw_rng_chance(nw_rng *rng, double probability)
{
    return nw_rng_unit(rng) < probability;
}

int nw_rng_pick(nw_rng *rng, const double *weights, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += weights[i];
    assert(sum > 0);
    double left = nw_rng_unit(rng) * sum;
    int last = 0; /* rounding may leave a rest behind the last weight */
    for (int i = 0; i < n; i++) {
        if (!(weights[i] > 0))
            continue;
        last = i;
        if (left < weights[i])
            break;
        left -= weights[i];
    }
    return last;
}
