/* genome.c - genomes: which genes count, random ones, text. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/space/internal.h"

bool nw_gene_counts(const nw_space *space, const uint16_t *genome, int dim)
{
    const nw_dim *d = &space->dims[dim];
    if (d->depth_dim < 0)
        return true;
    const nw_dim *depth = &space->dims[d->depth_dim];
    int option = genome[d->depth_dim];
    return option >= depth->n_options || depth->options[option].n >= d->depth_n;
}

void nw_space_canonical(const nw_space *space, uint16_t *genome)
{
    for (int d = 0; d < space->n_dims; d++)
        if (!nw_gene_counts(space, genome, d))
            genome[d] = 0;
}

/* The option nearest to the base's own number; of variants the first. */
static int nearest_to_base(const nw_space *space, const nw_dim *dim)
{
    double now = 0;
    int best = 0;
    if (dim->kind == NW_DIM_VARIANT || dim->kind == NW_DIM_PRECISION || !dim->n_blocks)
        return 0;
    const nw_site *site = &space->sites[dim->blocks[0]];
    double factor = space->factors[dim - space->dims] ? space->factors[dim - space->dims][0] : 1;
    int n;
    const nw_block *block = &nw_arch_blocks(space->base, &n)[dim->blocks[0]];
    switch (dim->kind) {
    case NW_DIM_CHANNELS:
        now = (double)site->out_c / factor;
        break;
    case NW_DIM_WIDTH:
        now = 1;
        break;
    case NW_DIM_EXPANSION:
        now = block->expansion;
        break;
    case NW_DIM_EXPANDED:
        now = (double)site->mid_c;
        break;
    case NW_DIM_KERNEL:
        now = block->kernel;
        break;
    case NW_DIM_DEPTH:
        now = dim->n_blocks;
        break;
    case NW_DIM_SQUEEZE:
        now = (double)site->squeeze_c / (double)(site->in_c ? site->in_c : 1);
        break;
    default:
        break;
    }
    for (int i = 1; i < dim->n_options; i++)
        if (fabs(nw_option_number(dim->kind, &dim->options[i]) - now) <
            fabs(nw_option_number(dim->kind, &dim->options[best]) - now))
            best = i;
    return best;
}

void nw_space_base_genome(const nw_space *space, uint16_t *genome)
{
    for (int d = 0; d < space->n_dims; d++) {
        const nw_dim *dim = &space->dims[d];
        genome[d] = (uint16_t)(dim->base >= 0 ? dim->base : nearest_to_base(space, dim));
    }
    nw_space_canonical(space, genome);
}

void nw_space_random(const nw_space *space, nw_rng *rng, uint16_t *genome)
{
    for (int d = 0; d < space->n_dims; d++)
        genome[d] = (uint16_t)nw_rng_range(rng, 0, space->dims[d].n_options - 1);
    nw_space_canonical(space, genome);
}

bool nw_space_allows(const nw_space *space, const uint16_t *genome, char *why, size_t size)
{
    for (int i = 0; i < space->n_requirements; i++)
        if (!nw_requirement_holds(space, &space->requirements[i], genome)) {
            if (why)
                snprintf(why, size, "%s does not hold", space->requirements[i].text);
            return false;
        }
    for (int i = 0; i < space->n_predicates; i++)
        if (!space->predicates[i].test(space->predicates[i].context, space, genome)) {
            if (why)
                snprintf(why, size, "%s says no", space->predicates[i].name);
            return false;
        }
    return true;
}

const char *nw_space_problem(const nw_space *space)
{
    const char *problem = NULL;
    for (int i = 0; i < space->n_predicates && !problem; i++)
        if (space->predicates[i].problem)
            problem = space->predicates[i].problem(space->predicates[i].context);
    return problem;
}

/* ---- text ---- */

static void write_head(const nw_space *space, nw_buf *out)
{
    for (const char *c = space->name; *c; c++)
        nw_buf_printf(out, "%c", *c == ' ' || *c == '@' ? '_' : *c);
    nw_buf_printf(out, "@%08" PRIx64, space->hash & 0xffffffff);
}

void nw_genome_write(const nw_space *space, const uint16_t *genome, nw_buf *out)
{
    char text[64];
    write_head(space, out);
    for (int d = 0; d < space->n_dims; d++)
        if (nw_gene_counts(space, genome, d))
            nw_buf_printf(out, " %s=%s", space->dims[d].name,
                          nw_option_text(space->dims[d].kind, &space->dims[d].options[genome[d]],
                                         text, sizeof text));
}

static int find_option(const nw_dim *dim, const char *text)
{
    nw_option option;
    nw_error err;
    if (nw_option_read(dim->kind, text, &option, &err) != NW_OK)
        return -1;
    for (int i = 0; i < dim->n_options; i++)
        if (nw_option_is_equal(dim->kind, &dim->options[i], &option))
            return i;
    return -1;
}

typedef struct genome_reader {
    const nw_space *space;
    uint16_t *genome;
    uint8_t *is_given;
    nw_buf strange; /* what is not here, ", " between */
    bool has_head, is_other;
    nw_error *err;
} genome_reader;

static void add_strange(genome_reader *r, const char *format, const char *a, const char *b)
{
    char one[160];
    snprintf(one, sizeof one, format, a, b);
    nw_buf_printf(&r->strange, "%s%s", r->strange.length ? ", " : "", one);
}

static nw_status read_gene(genome_reader *r, char *word)
{
    char *value = strchr(word, '='), shown[64], shown_value[40];
    if (!value || value == word)
        return nw_fail(r->err, NW_INVALID, nw_text_visible(word, shown, sizeof shown),
                       "is no gene: write NAME=VALUE");
    *value++ = '\0';
    int d = nw_space_find_dim(r->space, word);
    nw_text_visible(word, shown, sizeof shown);
    nw_text_visible(value, shown_value, sizeof shown_value);
    if (d < 0) {
        add_strange(r, "no dimension %s%s", shown, "");
        return NW_OK;
    }
    if (r->is_given[d])
        return nw_fail(r->err, NW_INVALID, shown, "stands there twice");
    int option = find_option(&r->space->dims[d], value);
    if (option < 0) {
        add_strange(r, "%s has no option %s", shown, shown_value);
        return NW_OK;
    }
    r->is_given[d] = 1;
    r->genome[d] = (uint16_t)option;
    return NW_OK;
}

static nw_status read_word(genome_reader *r, char *word, bool is_first)
{
    nw_buf head = {0};
    if (!is_first || !strchr(word, '@'))
        return read_gene(r, word);
    write_head(r->space, &head);
    r->has_head = true;
    r->is_other = strcmp(nw_buf_text(&head), word) != 0;
    nw_buf_fini(&head);
    return NW_OK;
}

static nw_status judge(genome_reader *r, const char *text)
{
    nw_buf missing = {0};
    char where[64], first[64];
    snprintf(first, sizeof first, "%.*s", (int)(strcspn(text, " ") < 63 ? strcspn(text, " ") : 63),
             text);
    nw_text_visible(r->has_head ? first : "genome", where, sizeof where);
    for (int d = 0; r->has_head && d < r->space->n_dims; d++)
        if (!r->is_given[d] && nw_gene_counts(r->space, r->genome, d))
            nw_buf_printf(&missing, "%s%s", missing.length ? ", " : "", r->space->dims[d].name);
    nw_status status = NW_OK;
    if (r->is_other)
        status =
            nw_fail(r->err, NW_INVALID, where,
                    "is of another version of the space '%s' (%08" PRIx64 "): %.150s%s%s%.100s",
                    r->space->name, r->space->hash & 0xffffffff,
                    r->strange.length || missing.length
                        ? nw_buf_text(&r->strange)
                        : "same names and values, but other options or another network behind them",
                    r->strange.length && missing.length ? "; " : "",
                    missing.length ? "it lacks " : "", nw_buf_text(&missing));
    else if (r->strange.length)
        status = nw_fail(r->err, NW_INVALID, where, "%.300s in the space '%s'",
                         nw_buf_text(&r->strange), r->space->name);
    else if (missing.length)
        status = nw_fail(r->err, NW_INVALID, where, "lacks %.300s", nw_buf_text(&missing));
    nw_buf_fini(&missing);
    return status;
}

nw_status nw_genome_read(const nw_space *space, const char *text, uint16_t *genome, nw_error *err)
{
    size_t n = (size_t)space->n_dims;
    genome_reader r = {.space = space,
                       .genome = nw_zalloc((n + 1) * sizeof *genome),
                       .is_given = nw_zalloc(n + 1),
                       .err = err};
    char *words = nw_alloc(strlen(text) + 1), *rest = words;
    bool is_first = true;
    nw_status status = NW_OK;
    nw_space_base_genome(space, r.genome);
    memcpy(words, text, strlen(text) + 1);
    for (char *word; status == NW_OK && (word = strtok_r(rest, " \t\r\n", &rest)); is_first = false)
        status = read_word(&r, word, is_first);
    if (status == NW_OK)
        status = judge(&r, text);
    if (status == NW_OK) {
        nw_space_canonical(space, r.genome);
        memcpy(genome, r.genome, n * sizeof *genome);
    }
    nw_buf_fini(&r.strange);
    free(words);
    free(r.is_given);
    free(r.genome);
    return status;
}
