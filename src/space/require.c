/* require.c - requirements on genes: a comparison of two sums, or of a variant with a kind.
 *
 *   SUM (< <= == != >= >) SUM      SUM = TERM (+|-) TERM ...      TERM = [NUMBER *] DIMENSION |
 * NUMBER
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/space/internal.h"

typedef struct reader {
    nw_space *space;
    const char *at, *place;
    nw_requirement *out;
    nw_error *err;
} reader;

static void skip_blanks(reader *r)
{
    while (*r->at == ' ' || *r->at == '\t')
        r->at++;
}

static nw_status complain(const reader *r, const char *what)
{
    char shown[64];
    if (!*r->at)
        return nw_fail(r->err, NW_INVALID, r->place, "requirement '%s': %s at its end",
                       r->out->text, what);
    return nw_fail(r->err, NW_INVALID, r->place, "requirement '%s': %s at '%s'", r->out->text, what,
                   nw_text_fit(r->at, shown, sizeof shown));
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static int read_dim(reader *r)
{
    char name[32];
    size_t length = 0;
    while (is_name_char(r->at[length]))
        length++;
    if (!length || length >= sizeof name || !isalpha((unsigned char)r->at[0]))
        return -1;
    snprintf(name, sizeof name, "%.*s", (int)length, r->at);
    int dim = nw_space_find_dim(r->space, name);
    if (dim >= 0)
        r->at += length;
    return dim;
}

static nw_status read_term(reader *r, double sign)
{
    double factor = 1;
    bool has_number = isdigit((unsigned char)*r->at) || *r->at == '.';
    if (has_number) {
        char *end;
        factor = strtod(r->at, &end);
        r->at = end;
        skip_blanks(r);
        if (*r->at != '*') {
            r->out->constant += sign * factor;
            return isfinite(factor) ? NW_OK : complain(r, "a number too large");
        }
        r->at++;
        skip_blanks(r);
    }
    int dim = read_dim(r);
    if (dim < 0)
        return complain(r, "no dimension of this space and no number");
    if (r->out->n_terms == NW_MAX_TERMS)
        return complain(r, "too many terms");
    r->out->terms[r->out->n_terms++] = (struct nw_requirement_term){dim, sign * factor};
    return NW_OK;
}

static nw_status read_sum(reader *r, double side)
{
    double sign = side;
    for (;;) {
        skip_blanks(r);
        nw_status status = read_term(r, sign);
        skip_blanks(r);
        if (status != NW_OK || (*r->at != '+' && *r->at != '-'))
            return status;
        sign = *r->at == '+' ? side : -side;
        r->at++;
    }
}

static bool read_comparison(reader *r)
{
    static const struct {
        const char *text;
        nw_comparison comparison;
    } signs[] = {{"<=", NW_AT_MOST},   {">=", NW_AT_LEAST}, {"==", NW_EQUAL}, {"~=", NW_NOT_EQUAL},
                 {"!=", NW_NOT_EQUAL}, {"<", NW_LESS},      {">", NW_MORE},   {"=", NW_EQUAL}};
    skip_blanks(r);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strncmp(r->at, signs[i].text, strlen(signs[i].text)) == 0) {
            r->at += strlen(signs[i].text);
            r->out->comparison = signs[i].comparison;
            return true;
        }
    return false;
}

/* "v2.1 == fused" */
static nw_status read_kind(reader *r)
{
    char name[32];
    skip_blanks(r);
    size_t length = 0;
    while (is_name_char(r->at[length]))
        length++;
    snprintf(name, sizeof name, "%.*s", (int)(length < 31 ? length : 31), r->at);
    r->out->kind = nw_block_kind_find(name);
    r->out->is_kind = true;
    if (r->out->kind == NW_BLOCK_COUNT)
        return complain(r, "no kind of block");
    if (r->out->comparison != NW_EQUAL && r->out->comparison != NW_NOT_EQUAL)
        return complain(r, "kinds are equal or not (== or ~=), nothing else");
    r->at += length;
    return NW_OK;
}

static nw_status read_requirement(reader *r)
{
    nw_status status = read_sum(r, 1);
    if (status != NW_OK)
        return status;
    bool is_variant =
        r->out->n_terms == 1 && r->space->dims[r->out->terms[0].dim].kind == NW_DIM_VARIANT;
    if (!read_comparison(r))
        return complain(r, "a comparison (< <= == ~= >= >) is missing");
    status = is_variant ? read_kind(r) : read_sum(r, -1);
    if (status != NW_OK)
        return status;
    skip_blanks(r);
    if (*r->at)
        return complain(r, "more than a comparison");
    for (int i = 0; i < r->out->n_terms && !is_variant; i++)
        if (r->space->dims[r->out->terms[i].dim].kind == NW_DIM_VARIANT)
            return nw_fail(
                r->err, NW_INVALID, r->place,
                "requirement '%s': a variant is compared with a kind, such as %s == fused",
                r->out->text, r->space->dims[r->out->terms[i].dim].name);
    return NW_OK;
}

nw_status nw_space_require(nw_space *space, const char *text, const char *file, int line,
                           nw_error *err)
{
    char place[256], shown[128];
    nw_requirement requirement = {
        .text = nw_arena_strdup(&space->arena, nw_text_visible(text, shown, sizeof shown)),
        .file = nw_arena_strdup(&space->arena, file ? file : ""),
        .line = line};
    reader r = {space, text, nw_space_place(file, line, place, sizeof place), &requirement, err};
    nw_status status = read_requirement(&r);
    if (status != NW_OK)
        return status;
    space->requirements = nw_grow(space->requirements, (size_t)space->n_requirements,
                                  &space->requirement_capacity, sizeof *space->requirements);
    space->requirements[space->n_requirements++] = requirement;
    return NW_OK;
}

/* ---- testing ---- */

static bool compare(nw_comparison comparison, double difference)
{
    switch (comparison) {
    case NW_LESS:
        return difference < 0;
    case NW_AT_MOST:
        return difference <= 0;
    case NW_EQUAL:
        return difference == 0;
    case NW_NOT_EQUAL:
        return difference != 0;
    case NW_AT_LEAST:
        return difference >= 0;
    case NW_MORE:
        return difference > 0;
    }
    return false;
}

bool nw_requirement_holds(const nw_space *space, const nw_requirement *requirement,
                          const uint16_t *genome)
{
    double sum = requirement->constant;
    if (requirement->is_kind) {
        int dim = requirement->terms[0].dim;
        bool is_equal = space->dims[dim].options[genome[dim]].block == requirement->kind;
        return is_equal == (requirement->comparison == NW_EQUAL);
    }
    for (int i = 0; i < requirement->n_terms; i++) {
        const nw_dim *dim = &space->dims[requirement->terms[i].dim];
        sum += requirement->terms[i].factor *
               nw_option_number(dim->kind, &dim->options[genome[requirement->terms[i].dim]]);
    }
    return compare(requirement->comparison, sum);
}

bool nw_requirement_is_possible(const nw_space *space, const nw_requirement *requirement)
{
    double low = requirement->constant, high = requirement->constant;
    if (requirement->is_kind) {
        const nw_dim *dim = &space->dims[requirement->terms[0].dim];
        for (int i = 0; i < dim->n_options; i++)
            if ((dim->options[i].block == requirement->kind) ==
                (requirement->comparison == NW_EQUAL))
                return true;
        return false;
    }
    for (int i = 0; i < requirement->n_terms; i++) {
        const nw_dim *dim = &space->dims[requirement->terms[i].dim];
        double factor = requirement->terms[i].factor;
        double a = factor * nw_option_number(dim->kind, &dim->options[0]);
        double b = factor * nw_option_number(dim->kind, &dim->options[dim->n_options - 1]);
        low += fmin(a, b);
        high += fmax(a, b);
    }
    switch (requirement->comparison) {
    case NW_LESS:
        return low < 0;
    case NW_AT_MOST:
        return low <= 0;
    case NW_EQUAL:
        return low <= 0 && high >= 0;
    case NW_NOT_EQUAL:
        return low != 0 || high != 0;
    case NW_AT_LEAST:
        return high >= 0;
    case NW_MORE:
        return high > 0;
    }
    return true;
}
