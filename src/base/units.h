/* units.h - figures for people: three to four digits and a unit.
 */
#ifndef NW_UNITS_H
#define NW_UNITS_H

#include <stddef.h>
#include <stdint.h>

/* "1.25 ms", "12.5 MiB", "660 M", "20.9 uJ"; dst is returned. */
const char *nw_format_time(int64_t ps, char *dst, size_t size);
const char *nw_format_bytes(int64_t n_bytes, char *dst, size_t size);
const char *nw_format_count(int64_t n, char *dst, size_t size);
const char *nw_format_energy(int64_t fj, char *dst, size_t size);

/* A difference by one of them, with its sign: "+104 M", "-686 KiB", "0 B". */
typedef const char *nw_formatter(int64_t value, char *dst, size_t size);
const char *nw_format_signed(nw_formatter *format, int64_t value, char *dst, size_t size);

#endif
