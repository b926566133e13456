#include <math.h>
#include <string.h>

#include "src/graph/graph.h"

static double half_value(uint32_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    double value = exponent == 31  ? (fraction ? (double)NAN : (double)INFINITY)
                   : exponent != 0 ? ldexp(1024 + fraction, exponent - 25)
                                   : ldexp(fraction, -24);
    return half & 0x8000 ? -value : value;
}

static uint64_t get_word(nw_dtype dtype, const void *bytes, int64_t i)
{
    const uint8_t *at = bytes;
    size_t width = (size_t)nw_dtype_bits(dtype) / 8;
    uint64_t word = 0;
    if (width == 0)
        return at[i / 2] >> (i % 2 ? 4 : 0) & 15;
    for (size_t k = 0; k < width && k < 8; k++)
        word |= (uint64_t)at[(size_t)i * width + k] << 8 * k;
    return word;
}

static int64_t whole_value(nw_dtype dtype, uint64_t word)
{
    switch (dtype) {
    case NW_DTYPE_INT4:
        return word > 7 ? (int64_t)word - 16 : (int64_t)word;
    case NW_DTYPE_INT8:
        return (int8_t)word;
    case NW_DTYPE_INT16:
        return (int16_t)word;
    case NW_DTYPE_INT32:
        return (int32_t)word;
    default:
        return (int64_t)word;
    }
}

static double float_value(nw_dtype dtype, uint64_t word)
{
    uint32_t low = (uint32_t)(dtype == NW_DTYPE_BFLOAT16 ? word << 16 : word);
    float single;
    double wide;
    memcpy(&single, &low, sizeof single);
    memcpy(&wide, &word, sizeof wide);
    if (dtype == NW_DTYPE_FLOAT16)
        return half_value(low & 0xffff);
    return dtype == NW_DTYPE_FLOAT64 ? wide : (double)single;
}

double nw_element_read(nw_dtype dtype, const void *bytes, int64_t i)
{
    uint64_t word = get_word(dtype, bytes, i);
    if (nw_dtype_is_float(dtype))
        return float_value(dtype, word);
    return dtype == NW_DTYPE_UINT64 ? (double)word : (double)whole_value(dtype, word);
}

int64_t nw_element_read_int(nw_dtype dtype, const void *bytes, int64_t i)
{
    return whole_value(dtype, get_word(dtype, bytes, i));
}

static uint32_t half_bits(float value)
{
    uint32_t bits, half;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x47800000) { /* too large, infinite or no number */
        half = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
    } else if (magnitude < 0x38800000) { /* below the smallest normal one */
        float scaled;
        memcpy(&scaled, &magnitude, sizeof scaled);
        half = (uint32_t)lrintf(scaled * 0x1p24f);
    } else {
        magnitude += 0xfff + (magnitude >> 13 & 1); /* to even */
        half = (magnitude >> 13) - (112u << 10);
    }
    return half | sign;
}

static uint64_t float_word(nw_dtype dtype, double value)
{
    float single = (float)value;
    uint32_t bits;
    uint64_t wide;
    memcpy(&bits, &single, sizeof bits);
    memcpy(&wide, &value, sizeof wide);
    switch (dtype) {
    case NW_DTYPE_FLOAT16:
        return half_bits(single);
    case NW_DTYPE_BFLOAT16:
        return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    case NW_DTYPE_FLOAT64:
        return wide;
    default:
        return bits;
    }
}

static void put_word(nw_dtype dtype, void *bytes, int64_t i, uint64_t word)
{
    uint8_t *at = bytes;
    size_t width = (size_t)nw_dtype_bits(dtype) / 8;
    if (width == 0) {
        int shift = i % 2 ? 4 : 0;
        at[i / 2] = (uint8_t)((at[i / 2] & ~(15 << shift)) | (int)(word & 15) << shift);
    }
    for (size_t k = 0; k < width && k < 8; k++)
        at[(size_t)i * width + k] = (uint8_t)(word >> 8 * k);
}

void nw_element_write_int(nw_dtype dtype, void *bytes, int64_t i, int64_t value)
{
    put_word(dtype, bytes, i,
             nw_dtype_is_float(dtype) ? float_word(dtype, (double)value) : (uint64_t)value);
}

void nw_element_write(nw_dtype dtype, void *bytes, int64_t i, double value)
{
    const double limit = 9.2e18;
    if (nw_dtype_is_float(dtype))
        put_word(dtype, bytes, i, float_word(dtype, value));
    else if (fabs(value) < limit)
        put_word(dtype, bytes, i, (uint64_t)(int64_t)value);
    else
        put_word(dtype, bytes, i, isnan(value) ? 0 : (uint64_t)(value > 0 ? INT64_MAX : INT64_MIN));
}
