/* space.h - a search space: a network and what may vary in it.
 *
 * A space is declared once (from Lua or C), sealed, and is plain data from then on: const, counted,
 * safe on every thread. A dimension is a list of options for one parameter of the base network; a
 * genome holds an option index per dimension. Dimensions name blocks by the map they make, so that
 * a block that becomes another kind keeps its genes.
 *
 * What a genome stands for is defined by edits (arch.h) applied to the base in one order:
 * resolution, depth, variants, kernels, squeeze-and-excite, element types, then channels and
 * expanded channels together. A block's expanded channels keep their ratio to its input channels
 * unless a dimension says otherwise; likewise squeeze-and-excite's inner ones.
 */
#ifndef NW_SPACE_H
#define NW_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/arch/arch.h"
#include "src/base/error.h"
#include "src/base/rng.h"
#include "src/base/text.h"

#define NW_MAX_DIMS    512
#define NW_MAX_OPTIONS 4096 /* of a dimension */

/* ---- metrics ---- */
/* kind, name everywhere, what a larger value is: -1 worse, 1 better */
#define NW_METRICS(X)                                                                              \
    X(LATENCY, "latency_us", -1)                                                                   \
    X(ENERGY, "energy_uj", -1)                                                                     \
    X(MACS, "macs", -1)                                                                            \
    X(PARAMS, "params", -1)                                                                        \
    X(WEIGHT_BYTES, "weight_bytes", -1)                                                            \
    X(PEAK_LIVE, "peak_live_bytes", -1)                                                            \
    X(SCORE, "score", 1)                                                                           \
    X(OBJECTIVE, "objective", -1)

typedef enum nw_metric {
#define X(kind, name, sense) NW_METRIC_##kind,
    NW_METRICS(X)
#undef X
        NW_METRIC_COUNT
} nw_metric;

const char *nw_metric_name(nw_metric metric);
int nw_metric_sense(nw_metric metric); /* -1: more is worse, 1: better */
nw_metric nw_metric_find(
    const char *name); /* also latency, energy, memory, size, cost; COUNT: none */

/* ---- dimensions ---- */

/* kind, name, default prefix of names, what an option's n, number, block mean */
#define NW_DIMS(X)                                                                                             \
    X(CHANNELS, "channels", "c") /* n: channels of the groups of its targets */                                \
    X(WIDTH, "width",                                                                                          \
      "w")                         /* number: multiplier of the groups of its targets, n: rounded              \
                                    * to multiples of it as nw_group_divisible says (0: 8); 1: all as it is */ \
    X(VARIANT, "variant", "v")     /* block: kind of its blocks; number: tucker's ratio, else 0 */             \
    X(EXPANSION, "expansion", "e") /* number: expanded channels over input channels */                         \
    X(EXPANDED, "expanded", "m")   /* n: expanded channels */                                                  \
    X(KERNEL, "kernel", "k")       /* n */                                                                     \
    X(DEPTH, "depth", "d")         /* n: blocks of the stage, at least 1 */                                    \
    X(RESOLUTION, "resolution", "r") /* n x n2: height, width */                                               \
    X(PRECISION, "precision", "p")   /* n: bits, number 1: floating point; n 0: the file's */                  \
    X(SQUEEZE, "squeeze", "s")       /* number: inner channels over input channels; 0: none */

typedef enum nw_dim_kind {
#define X(kind, name, prefix) NW_DIM_##kind,
    NW_DIMS(X)
#undef X
        NW_DIM_COUNT
} nw_dim_kind;

const char *nw_dim_kind_name(nw_dim_kind kind);
nw_dim_kind nw_dim_kind_find(const char *name); /* NW_DIM_COUNT: none */

typedef struct nw_option {
    int64_t n, n2;
    double number;
    nw_block_kind block;
} nw_option;

/* "48", "0.75", "fused", "320x320", "int8", "tucker:0.25": reads back with the dimension's kind;
 * dst is returned. */
const char *nw_option_text(nw_dim_kind kind, const nw_option *option, char *dst, size_t size);
NW_CHECKED nw_status nw_option_read(nw_dim_kind kind, const char *text, nw_option *out,
                                    nw_error *err);

typedef struct nw_dim {
    nw_dim_kind kind;
    const char *name;         /* printable, no blanks, distinct: "c3", "v2.1" */
    const char *where;        /* the selector it was declared with: "2.1", "3", "*" */
    const nw_option *options; /* distinct, in the order declared; numbers ascend */
    int n_options;
    int base;          /* the option that the base network has; -1: none of them */
    const int *blocks; /* indices in nw_arch_blocks of the base that it changes; depth: those of
                        * the stage; empty for resolution and whole-network widths */
    int n_blocks;
    const char *file; /* where it was declared; "" unknown */
    int line;
    int depth_dim; /* the gene counts only while that dimension's option is at least depth_n
                    * blocks (its block is dropped otherwise); -1: always */
    int64_t depth_n;
} nw_dim;

/* What is asked of a dimension when it is declared. A selector picks blocks of the base as arch.h's
 * do; of stages that can grow (DEPTH), blocks that the base lacks exist as "stage.index" too. */
typedef struct nw_dim_spec {
    nw_dim_kind kind;
    const char *name;  /* NULL: the kind's prefix and where */
    const char *where; /* selector, or several with "," between; NULL: "*" */
    const nw_option *options;
    int n_options;
    bool each;             /* a dimension for every block picked, named after its label (kinds of
                            * blocks), or for every stage (channels, width, depth) instead of one
                            * that ties them together */
    const double *factors; /* CHANNELS of several stages tied: each gets factor x n; NULL: 1 */
    const char *file;
    int line;
} nw_dim_spec;

typedef struct nw_space nw_space;

/* Retains the network. name: "presence detector". twin (may be NULL): the space's source for
 * people, such as the path of its file. */
nw_space *nw_space_new(const char *name, const nw_arch *base);

/* Adds a dimension, or several (each). NW_INVALID, with err->where "FILE:LINE": no such block or
 * stage, no or repeated options, a name that is taken, a parameter that another dimension already
 * has, channels that are fixed (why). Nothing is added then. */
NW_CHECKED nw_status nw_space_add(nw_space *space, const nw_dim_spec *spec, nw_error *err);

/* ---- constraints: checked before anything is estimated, the cheap ones first ---- */

/* "c2 <= c3", "c4 >= 32", "c2 + c3 < 200", "v1.0 == fused": comparisons of sums of dimensions'
 * numbers and constants, or of a variant with a kind. */
NW_CHECKED nw_status nw_space_require(nw_space *space, const char *text, const char *file, int line,
                                      nw_error *err);
/* metric at most (or at least, is_least) limit, in the unit of its name; needs a plan to check. */
NW_CHECKED nw_status nw_space_limit(nw_space *space, nw_metric metric, bool is_least, double limit,
                                    const char *file, int line, nw_error *err);
/* A predicate in the host language; whoever uses it is in the slow path, on the calling thread
 * only. name: for messages. problem (may be NULL) says why the predicate refuses everything from
 * now on, such as an error of the script; NULL: it works. context lives as long as the space;
 * free_context may be NULL. */
typedef bool nw_space_predicate(void *context, const nw_space *space, const uint16_t *genome);
typedef const char *nw_space_predicate_problem(void *context);
void nw_space_add_predicate(nw_space *space, const char *name, nw_space_predicate *test,
                            nw_space_predicate_problem *problem, void *context,
                            void (*free_context)(void *context), const char *file, int line);

typedef struct nw_limit {
    nw_metric metric;
    bool is_least;
    double limit;
    const char *file;
    int line;
} nw_limit;

/* ---- sealing ---- */

/* Tries every option alone on the base (of ranges: its ends and the largest odd one), fixes names,
 * finds which genes a depth switches off, computes size and hash. NW_INVALID: an option breaks the
 * network (err says which, where it was declared, and why), requirements that contradict each other
 * on the numbers alone. A space of one point is fine. The space is const and shared from then on;
 * on failure it can only be released. */
NW_CHECKED nw_status nw_space_seal(nw_space *space, nw_error *err);
const nw_space *nw_space_retain(const nw_space *space);
void nw_space_release(const nw_space *space); /* NULL is fine */

/* ---- reading a sealed space ---- */
const char *nw_space_name(const nw_space *space);
const char *nw_space_source(const nw_space *space); /* path of its file, "" */
void nw_space_set_source(nw_space *space, const char *source);
/* The base with every stage as deep as it can be: what blocks of dimensions index. */
const nw_arch *nw_space_base(const nw_space *space);
const nw_arch *nw_space_network(const nw_space *space); /* as it was given */
const nw_dim *nw_space_dims(const nw_space *space, int *n);
int nw_space_find_dim(const nw_space *space, const char *name); /* -1: none */
const nw_limit *nw_space_limits(const nw_space *space, int *n);
int nw_space_n_predicates(const nw_space *space); /* in the host language: the slow path */
/* What nw_space_allows checks, in its order: requirements, then predicates by name. */
typedef struct nw_condition {
    const char *text;  /* "c2 <= c3" */
    bool is_predicate; /* in the host language */
    const char *file;  /* "" unknown */
    int line;
} nw_condition;
int nw_space_n_conditions(const nw_space *space);
nw_condition nw_space_condition(const nw_space *space, int index);
uint64_t nw_space_hash(const nw_space *space); /* names, options, base, requirements */

/* Number of distinct networks before constraints, genes of dropped blocks counted once: exact, in
 * decimal; and as a double. */
void nw_space_size(const nw_space *space, nw_buf *out);
double nw_space_size_approx(const nw_space *space);

/* ---- genomes ---- */
/* An array of nw_space_n_dims option indices. Genes of dropped blocks are 0 in canonical ones. */
int nw_space_n_dims(const nw_space *space);
void nw_space_canonical(const nw_space *space, uint16_t *genome);
/* The base network's options; where it has none of them, the nearest. */
void nw_space_base_genome(const nw_space *space, uint16_t *genome);
void nw_space_random(const nw_space *space, nw_rng *rng, uint16_t *genome); /* canonical */
/* Requirements and predicates (not limits); why (may be NULL): the first that fails. */
bool nw_space_allows(const nw_space *space, const uint16_t *genome, char *why, size_t size);
/* What is wrong with a predicate that refuses everything since it failed: then nw_space_allows says
 * nothing about genomes. NULL: all work. Lives until a predicate is asked again. */
const char *nw_space_problem(const nw_space *space);

/* "NAME@HASH c0=32 c1=16 v1.0=ibn ...": every gene that counts, by name. */
void nw_genome_write(const nw_space *space, const uint16_t *genome, nw_buf *out);
/* NW_INVALID: no genome of this space; one of another version is refused with the difference
 * (dimensions and values that are not here, and those that it lacks). Without "NAME@HASH" genes may
 * be left out: they are the base's. */
NW_CHECKED nw_status nw_genome_read(const nw_space *space, const char *text, uint16_t *genome,
                                    nw_error *err);

/* ---- networks ---- */
/* The edits of nw_space_base that a genome stands for; the caller frees *out. Done one upon the
 * other they make the genome's network; only lists that its file stored once may be stored more
 * often then, which counts as more params. NW_INVALID: they cannot be done one by one. */
NW_CHECKED nw_status nw_space_edits(const nw_space *space, const uint16_t *genome, nw_edit **out,
                                    int *n, nw_error *err);
/* The network itself, which lists those edits where there are such; release it. NW_INVALID: the
 * combination does not make a network (err names the edit). */
NW_CHECKED nw_status nw_space_arch(const nw_space *space, const uint16_t *genome,
                                   const nw_arch **out, nw_error *err);

/* The same for many genomes: structures (everything but channels) that were made are kept, so that
 * genomes that differ in channels cost one resize. Of one thread. */
typedef struct nw_realiser nw_realiser;
nw_realiser *nw_realiser_new(const nw_space *space);
void nw_realiser_free(nw_realiser *realiser); /* NULL is fine */
NW_CHECKED nw_status nw_realiser_make(nw_realiser *realiser, const uint16_t *genome,
                                      const nw_arch **out, nw_error *err);

/* ---- parts of a space ---- */
/* The same space with fewer options: keep[d] is a byte an option of dimension d (NULL: all).
 * NW_INVALID: a dimension without any. Sealed. */
NW_CHECKED nw_status nw_space_restrict(const nw_space *space, const uint8_t *const *keep,
                                       const char *name, const nw_space **out, nw_error *err);
/* The same space with other options where options[d] is not NULL: n_options[d] of them, distinct,
 * as the kind has them. They are not tried on the network: nw_space_arch says which do not make
 * one. The base must be as deep as the deepest option. NW_INVALID: no options, or too many. Sealed.
 */
NW_CHECKED nw_status nw_space_replace(const nw_space *space, const nw_option *const *options,
                                      const int *n_options, const char *name, const nw_space **out,
                                      nw_error *err);
/* A genome of a restricted space as one of the whole, and back (false: an option is not there;
 * the nearest number is taken where `nearest` is set). */
void nw_space_widen(const nw_space *part, const nw_space *whole, const uint16_t *genome,
                    uint16_t *out);
bool nw_space_narrow(const nw_space *part, const nw_space *whole, const uint16_t *genome,
                     bool nearest, uint16_t *out);

/* The usual dimensions of any network: channels of every stage's group (multiples of `step` from a
 * quarter to twice what they are), variant, kernel and expansion of each inverted bottleneck, depth
 * of stages that repeat a block. Never fails where the network has a single free group. */
NW_CHECKED nw_status nw_space_of_model(const nw_arch *base, int64_t step, nw_space **out,
                                       nw_error *err);

/* Loads a space from a file of the scripting language; for those who have none (src/). */
typedef struct nw_space_loader {
    void *context;
    nw_status (*load)(void *context, const char *path, const nw_space **out, nw_error *err);
} nw_space_loader;

/* The space of a file: a .lua by the loader (NULL: NW_UNSUPPORTED), the usual dimensions of any
 * model (nw_model_load: "demo", ONNX, ...) with channels in steps of 8, sealed. Release it. Errors
 * start with the path. */
NW_CHECKED nw_status nw_space_load(const char *path, const nw_space_loader *loader,
                                   const nw_space **out, nw_error *err);

#endif
