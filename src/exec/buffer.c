/* buffer.c - memory for maps and weights, and the values in it.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/rng.h"
#include "src/exec/internal.h"

#ifdef __SSE__
#include <xmmintrin.h>
#endif

#define LINE_BYTES 64 /* a cache line, and the widest vector */

size_t nw_exec_align(size_t n_bytes)
{
    return (n_bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
}

void *nw_exec_buffer(size_t n_bytes)
{
    void *buffer = NULL;
    if (posix_memalign(&buffer, LINE_BYTES, nw_exec_align(n_bytes + 1)) != 0)
        nw_die("out of memory (%zu bytes)", n_bytes);
    return buffer;
}

void nw_exec_fill_floats(float *to, size_t n, float bound, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        to[i] = bound * ((float)(int32_t)(nw_rng_splitmix(&seed) >> 32) * 0x1p-31f);
}

void nw_exec_fill_bytes(void *to, size_t n_bytes, uint64_t seed)
{
    uint8_t *bytes = to;
    for (size_t i = 0; i < n_bytes; i++)
        bytes[i] = (uint8_t)(nw_rng_splitmix(&seed) >> 56);
}

#define N_FLOATS 1024 /* a pattern: small, so that reading it pushes nothing out of the cache */
#define N_BYTES  4096

/* Arithmetic instead of a copy, for a copy of a large block would go past the cache; loops of a
 * fixed length, which the compiler turns into wide stores. */
static void produce_floats(float *to, size_t n)
{
    float pattern[N_FLOATS];
    for (size_t i = 0; i < N_FLOATS; i++)
        pattern[i] = (float)(i % 31) * 0.125f - 1.75f;
    size_t i = 0;
    for (; i + N_FLOATS <= n; i += N_FLOATS)
        for (size_t k = 0; k < N_FLOATS; k++)
            to[i + k] = pattern[k] * 0.5f;
    for (size_t k = 0; i + k < n; k++)
        to[i + k] = pattern[k] * 0.5f;
}

static void produce_bytes(uint8_t *to, size_t n)
{
    uint8_t pattern[N_BYTES];
    for (size_t i = 0; i < N_BYTES; i++)
        pattern[i] = (uint8_t)(i * 37);
    size_t i = 0;
    for (; i + N_BYTES <= n; i += N_BYTES)
        for (size_t k = 0; k < N_BYTES; k++)
            to[i + k] = pattern[k] ^ 0x55;
    for (size_t k = 0; i + k < n; k++)
        to[i + k] = pattern[k] ^ 0x55;
}

void nw_exec_produce(void *to, size_t n_bytes, bool is_float)
{
    if (is_float)
        produce_floats(to, n_bytes / sizeof(float));
    else
        produce_bytes(to, n_bytes);
}

void nw_exec_ignore_denormals(void)
{
#ifdef __SSE__
    _mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
#endif
}
