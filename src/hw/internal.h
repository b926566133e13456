/* internal.h - private to src/hw: the table of keys.
 *
 * One row a key drives reading, checking, describing and the list of known keys. To add a key: a
 * field in hw.h, a row in keys.c, and a figure with its source in every preset.
 */
#ifndef NW_HW_INTERNAL_H
#define NW_HW_INTERNAL_H

#include "src/base/arena.h"
#include "src/base/text.h"
#include "src/hw/hw.h"

typedef enum nw_hw_type {
    NW_HW_INT,
    NW_HW_INT64,
    NW_HW_DOUBLE,
    NW_HW_BOOL,
    NW_HW_ENUM,       /* one of names, stored as an int */
    NW_HW_FLAG,       /* one of two names, stored as a bool */
    NW_HW_TEXT,       /* const char *, printable */
    NW_HW_WORD,       /* char[16] */
    NW_HW_PRECISIONS, /* the lists and objects of their own form */
    NW_HW_OPS,
    NW_HW_FUSION
} nw_hw_type;

/* For which descriptions a key means anything; elsewhere it is an error to set it. */
typedef enum nw_hw_when {
    NW_HW_ALWAYS,
    NW_HW_DOT,
    NW_HW_SYSTOLIC,
    NW_HW_UNIT,       /* depthwise.kind unit */
    NW_HW_CALIBRATED, /* there is a calibration */
} nw_hw_when;

typedef enum nw_hw_need {
    NW_HW_OPTIONAL, /* fallback, or the value of same_as */
    NW_HW_REQUIRED,
    NW_HW_LABEL, /* optional text that no estimate depends on: needs no source */
} nw_hw_need;

typedef struct nw_hw_key_row {
    const char *path; /* "sram.bytes": at most one dot */
    nw_hw_type type;
    nw_hw_when when;
    nw_hw_need need;
    size_t offset; /* in nw_hw */
    double min, max, fallback;
    const char *same_as;      /* path of an earlier row of the same type */
    const char *const *names; /* NULL-terminated */
} nw_hw_key_row;

extern const nw_hw_key_row nw_hw_rows[];
extern const int nw_hw_n_rows;

/* The row of a path, or -1. */
int nw_hw_find_row(const char *path);

/* Whether rows start with "group.". */
bool nw_hw_is_group(const char *group);

/* Whether the row means anything for this description. */
bool nw_hw_row_applies(const nw_hw *hw, const nw_hw_key_row *row);

double nw_hw_get_number(const nw_hw *hw, const nw_hw_key_row *row); /* INT to FLAG */
void nw_hw_set_number(nw_hw *hw, const nw_hw_key_row *row, double value);

/* The known key nearest to a mistyped one, or NULL if none is near; the same among operators. */
const char *nw_hw_nearest_key(const char *path);
const char *nw_hw_nearest_op(const char *name);

/* A printable copy, so that whatever shows the description need not care. */
const char *nw_hw_copy_visible(nw_arena *arena, const char *text);

/* read.c: reads and checks every key of a parsed object (of the JSON library, which no header
 * names); says nothing of keys left out. */
NW_CHECKED nw_status nw_hw_read_keys(nw_hw *hw, nw_arena *arena, const void *json, nw_error *err);

typedef struct nw_hw_store {
    nw_arena arena;
    const char **sources; /* per row; NULL: none given */
    const char *op_sources[NW_OP_COUNT];
    void *merged; /* the JSON library's: every key given, extends resolved, without sources */
} nw_hw_store;

extern const char *const nw_hw_fusion_names[];
bool *nw_hw_fusion_flag(nw_hw *hw, int i); /* by index in nw_hw_fusion_names */

#endif
