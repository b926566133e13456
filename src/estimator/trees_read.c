/* XGBoost's JSON model: learner.gradient_booster.model.trees[...] and what stands around it. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/estimator/scan.h"
#include "src/estimator/trees_layout.h"

enum { MAX_FEATURES = 1 << 20, MAX_COUNT_DIGITS = 9, ABSENT = -1 };

/* The arrays of a tree, an element a node. */
enum { LEFT, RIGHT, FEATURE, DEFAULT_LEFT, SPLIT_TYPE, N_INT_ARRAYS };
enum { CONDITION = N_INT_ARRAYS, N_READ_ARRAYS };
enum { N_ARRAYS = N_READ_ARRAYS + 4 };
static const char *const array_names[N_ARRAYS] = {
    "left_children",    "right_children", "split_indices", "default_left", "split_type",
    "split_conditions", "base_weights",   "loss_changes",  "sum_hessian",  "parents"};
static const bool is_needed[N_ARRAYS] = {
    [LEFT] = true, [RIGHT] = true, [FEATURE] = true, [DEFAULT_LEFT] = true, [CONDITION] = true};

typedef struct reader {
    nw_scan scan;
    nw_raw_trees raw;
    /* the tree being read; the memory of one serves the next */
    bool in_tree, seen[N_ARRAYS];
    int32_t *ints[N_INT_ARRAYS];
    float *conditions;
    size_t lengths[N_ARRAYS], capacities[N_READ_ARRAYS];
    int64_t n_nodes, n_deleted, leaf_size; /* of tree_param; ABSENT */
    int32_t *queue;                        /* its nodes, level by level */
    bool *is_reached;
    size_t queue_capacity, reached_capacity;
    /* the model */
    int64_t n_trees, n_features, n_classes, n_targets; /* ABSENT */
    int64_t max_feature;
    size_t max_feature_tree;
    size_t n_groups;
    bool has_groups, is_grouped, has_trees, has_base_score;
    nw_span booster, objective;
} reader;

/* What was read breaks a rule; the first reason stays. */
static void NW_PRINTF(3, 4) refuse(reader *r, nw_status status, const char *format, ...)
{
    char where[40], message[300];
    va_list args;
    if (r->scan.status != NW_OK)
        return;
    snprintf(where, sizeof where, r->in_tree ? "tree %zu" : "model", r->raw.n_trees);
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    r->scan.status = nw_fail(r->scan.err, status, where, "%s", message);
    r->scan.at = r->scan.end;
}

/* A string that is a count, as XGBoost writes its parameters. */
static int64_t read_count(reader *r, nw_span name)
{
    int64_t value = 0;
    nw_span text = nw_scan_string(&r->scan);
    size_t n_digits = 0;
    for (; n_digits < text.length; n_digits++) {
        char c = text.text[n_digits];
        if (c < '0' || c > '9' || n_digits == MAX_COUNT_DIGITS)
            break;
        value = value * 10 + (c - '0');
    }
    if (n_digits == 0 || n_digits < text.length)
        refuse(r, NW_INVALID, "%.*s is \"%.*s\", which is no count", (int)name.length, name.text,
               text.length < 40 ? (int)text.length : 40, text.text);
    return value;
}

/* ---- one tree ---- */

static void read_ints(reader *r, int array)
{
    size_t n = 0;
    nw_scan_begin(&r->scan, '[');
    while (nw_scan_item(&r->scan)) {
        int64_t value = nw_scan_int(&r->scan);
        if (value < INT32_MIN || value > INT32_MAX)
            refuse(r, NW_INVALID, "node %zu: %lld in %s is out of range", n, (long long)value,
                   array_names[array]);
        if (n == r->capacities[array])
            r->ints[array] = nw_grow(r->ints[array], n, &r->capacities[array], sizeof(int32_t));
        r->ints[array][n++] = (int32_t)value;
    }
    r->lengths[array] = n;
}

static void read_conditions(reader *r)
{
    size_t n = 0;
    nw_scan_begin(&r->scan, '[');
    while (nw_scan_item(&r->scan)) {
        if (n == r->capacities[CONDITION])
            r->conditions = nw_grow(r->conditions, n, &r->capacities[CONDITION], sizeof(float));
        r->conditions[n++] = nw_scan_float(&r->scan);
    }
    r->lengths[CONDITION] = n;
}

static void read_array(reader *r, int array)
{
    if (r->seen[array])
        refuse(r, NW_INVALID, "%s stands twice", array_names[array]);
    r->seen[array] = true;
    if (array < N_INT_ARRAYS)
        read_ints(r, array);
    else if (array == CONDITION)
        read_conditions(r);
    else
        r->lengths[array] = nw_scan_skip_numbers(&r->scan);
}

static void read_tree_params(reader *r)
{
    nw_span key;
    nw_scan_begin(&r->scan, '{');
    while (nw_scan_key(&r->scan, &key))
        if (nw_span_is(key, "num_nodes"))
            r->n_nodes = read_count(r, key);
        else if (nw_span_is(key, "num_deleted"))
            r->n_deleted = read_count(r, key);
        else if (nw_span_is(key, "size_leaf_vector"))
            r->leaf_size = read_count(r, key);
        else
            nw_scan_skip(&r->scan);
}

static void check_arrays(reader *r)
{
    if (r->n_nodes == ABSENT)
        refuse(r, NW_INVALID, "tree_param.num_nodes is missing");
    if (r->n_nodes == 0)
        refuse(r, NW_INVALID, "it has no nodes");
    if (r->leaf_size > 1)
        refuse(r, NW_UNSUPPORTED, "its leaves are vectors; only one output is read");
    for (int i = 0; i < N_ARRAYS; i++) {
        if (is_needed[i] && !r->seen[i])
            refuse(r, NW_INVALID, "%s is missing", array_names[i]);
        if (r->seen[i] && r->lengths[i] != (size_t)r->n_nodes)
            refuse(r, NW_INVALID, "%s has %zu entries, num_nodes is %lld", array_names[i],
                   r->lengths[i], (long long)r->n_nodes);
    }
}

static void check_node(reader *r, int32_t node)
{
    int32_t left = r->ints[LEFT][node], right = r->ints[RIGHT][node];
    if (!isfinite(r->conditions[node]))
        refuse(r, NW_INVALID, "node %d: its %s is not a finite number", node,
               left == -1 ? "leaf" : "threshold");
    if (left == -1 && right == -1)
        return;
    for (int side = LEFT; side <= RIGHT; side++) {
        int32_t child = r->ints[side][node];
        if (child < 0 || child >= r->n_nodes)
            refuse(r, NW_INVALID, "node %d: its %s child is %d, the tree has %lld nodes", node,
                   side == LEFT ? "left" : "right", child, (long long)r->n_nodes);
        else if (r->is_reached[child] || left == right)
            refuse(r, NW_INVALID, "node %d: its child %d is reached twice", node, child);
    }
    if (r->seen[SPLIT_TYPE] && r->ints[SPLIT_TYPE][node] != 0)
        refuse(r, NW_UNSUPPORTED, "node %d: a categorical split; only numbers are read", node);
    if (r->ints[FEATURE][node] < 0 || r->ints[FEATURE][node] >= MAX_FEATURES)
        refuse(r, NW_INVALID, "node %d: feature %d is out of range", node, r->ints[FEATURE][node]);
    if (r->ints[DEFAULT_LEFT][node] < 0 || r->ints[DEFAULT_LEFT][node] > 1)
        refuse(r, NW_INVALID, "node %d: default_left is %d, not 0 or 1", node,
               r->ints[DEFAULT_LEFT][node]);
}

/* Copies a checked node; its children, if any, will be those queued at tail. */
static void add_node(reader *r, int32_t node, size_t tail)
{
    nw_raw_trees *raw = &r->raw;
    if (raw->n_nodes == raw->nodes_capacity)
        raw->nodes = nw_grow(raw->nodes, raw->n_nodes, &raw->nodes_capacity, sizeof *raw->nodes);
    bool is_leaf = r->ints[LEFT][node] == -1;
    int32_t feature = r->ints[FEATURE][node];
    raw->nodes[raw->n_nodes++] =
        (nw_raw_node){.value = r->conditions[node],
                      .left = is_leaf ? -1 : (int32_t)tail,
                      .feature = is_leaf ? 0 : feature,
                      .default_left = !is_leaf && r->ints[DEFAULT_LEFT][node]};
    if (!is_leaf && feature > r->max_feature) {
        r->max_feature = feature;
        r->max_feature_tree = raw->n_trees;
    }
}

/* From the root down, level by level: children come to lie side by side, nodes that XGBoost
 * deleted stay behind. (XGBoost itself takes the right child to be the one after the left, which
 * holds for all trees it grows; here the file is believed.) */
static void add_nodes(reader *r)
{
    size_t n = (size_t)r->n_nodes, head = 0, tail = 1, level_end = 1;
    int depth = 0;
    while (r->queue_capacity < n)
        r->queue = nw_grow(r->queue, r->queue_capacity, &r->queue_capacity, sizeof *r->queue);
    while (r->reached_capacity < n)
        r->is_reached =
            nw_grow(r->is_reached, r->reached_capacity, &r->reached_capacity, sizeof(bool));
    memset(r->is_reached, 0, n * sizeof(bool));
    r->queue[0] = 0;
    r->is_reached[0] = true;
    for (; head < tail && r->scan.status == NW_OK; head++) {
        if (head == level_end) {
            level_end = tail;
            if (++depth > NW_TREES_MAX_DEPTH)
                refuse(r, NW_LIMIT, "it is deeper than %d levels", NW_TREES_MAX_DEPTH);
        }
        int32_t node = r->queue[head];
        check_node(r, node);
        if (r->scan.status != NW_OK)
            return;
        add_node(r, node, tail);
        for (int side = LEFT; side <= RIGHT && r->ints[LEFT][node] != -1; side++) {
            r->queue[tail++] = r->ints[side][node];
            r->is_reached[r->ints[side][node]] = true;
        }
    }
    int64_t n_deleted = r->n_deleted == ABSENT ? 0 : r->n_deleted;
    if ((int64_t)tail + n_deleted != r->n_nodes)
        refuse(r, NW_INVALID, "%zu of %lld nodes are reached from the root and %lld are deleted",
               tail, (long long)r->n_nodes, (long long)n_deleted);
}

static int find_array(nw_span key)
{
    for (int i = 0; i < N_ARRAYS; i++)
        if (nw_span_is(key, array_names[i]))
            return i;
    return -1;
}

static void read_tree(reader *r)
{
    nw_span key;
    nw_raw_trees *raw = &r->raw;
    r->in_tree = true;
    r->n_nodes = r->n_deleted = r->leaf_size = ABSENT;
    memset(r->seen, 0, sizeof r->seen);
    nw_scan_begin(&r->scan, '{');
    while (nw_scan_key(&r->scan, &key)) {
        int array = find_array(key);
        if (array >= 0)
            read_array(r, array);
        else if (nw_span_is(key, "tree_param"))
            read_tree_params(r);
        else if (key.length >= 10 && memcmp(key.text, "categories", 10) == 0) {
            if (nw_scan_skip_numbers(&r->scan) > 0)
                refuse(r, NW_UNSUPPORTED, "it has categorical splits; only numbers are read");
        } else
            nw_scan_skip(&r->scan);
    }
    check_arrays(r);
    if (r->scan.status != NW_OK)
        return;
    if (raw->n_trees == raw->roots_capacity)
        raw->roots = nw_grow(raw->roots, raw->n_trees, &raw->roots_capacity, sizeof *raw->roots);
    raw->roots[raw->n_trees] = (uint32_t)raw->n_nodes;
    add_nodes(r);
    raw->n_trees++;
    r->in_tree = false;
}

/* ---- the model around them ---- */

static void read_trees(reader *r)
{
    if (r->has_trees)
        refuse(r, NW_INVALID, "trees stand twice");
    r->has_trees = true;
    nw_scan_begin(&r->scan, '[');
    while (nw_scan_item(&r->scan))
        read_tree(r);
}

/* Which output a tree adds to. */
static void read_groups(reader *r)
{
    r->has_groups = true;
    r->n_groups = 0;
    nw_scan_begin(&r->scan, '[');
    for (; nw_scan_item(&r->scan); r->n_groups++)
        r->is_grouped = nw_scan_int(&r->scan) != 0 || r->is_grouped;
}

static void read_model_params(reader *r)
{
    nw_span key;
    nw_scan_begin(&r->scan, '{');
    while (nw_scan_key(&r->scan, &key))
        if (nw_span_is(key, "num_trees"))
            r->n_trees = read_count(r, key);
        else if (nw_span_is(key, "size_leaf_vector") && read_count(r, key) > 1)
            refuse(r, NW_UNSUPPORTED, "leaves are vectors; only one output is read");
        else if (!nw_span_is(key, "size_leaf_vector"))
            nw_scan_skip(&r->scan);
}

static void read_model(reader *r)
{
    nw_span key;
    nw_scan_begin(&r->scan, '{');
    while (nw_scan_key(&r->scan, &key))
        if (nw_span_is(key, "gbtree_model_param"))
            read_model_params(r);
        else if (nw_span_is(key, "tree_info"))
            read_groups(r);
        else if (nw_span_is(key, "trees"))
            read_trees(r);
        else
            nw_scan_skip(&r->scan);
}

static void read_booster(reader *r)
{
    nw_span key;
    nw_scan_begin(&r->scan, '{');
    while (nw_scan_key(&r->scan, &key))
        if (nw_span_is(key, "model"))
            read_model(r);
        else if (nw_span_is(key, "name"))
            r->booster = nw_scan_string(&r->scan);
        else
            nw_scan_skip(&r->scan);
}

static void read_base_score(reader *r)
{
    nw_scan number;
    nw_span text = nw_scan_string(&r->scan);
    nw_scan_init(&number, text.text, text.length, NULL);
    r->raw.base_score = nw_scan_float(&number);
    nw_scan_finish(&number);
    r->has_base_score = true;
    if (number.status != NW_OK || !isfinite(r->raw.base_score))
        refuse(r, NW_INVALID, "base_score is \"%.*s\", which is no finite number",
               text.length < 40 ? (int)text.length : 40, text.text);
}

static void read_learner_params(reader *r)
{
    nw_span key;
    nw_scan_begin(&r->scan, '{');
    while (nw_scan_key(&r->scan, &key))
        if (nw_span_is(key, "base_score"))
            read_base_score(r);
        else if (nw_span_is(key, "num_feature"))
            r->n_features = read_count(r, key);
        else if (nw_span_is(key, "num_class"))
            r->n_classes = read_count(r, key);
        else if (nw_span_is(key, "num_target"))
            r->n_targets = read_count(r, key);
        else
            nw_scan_skip(&r->scan);
}

static void read_objective(reader *r)
{
    nw_span key;
    nw_scan_begin(&r->scan, '{');
    while (nw_scan_key(&r->scan, &key))
        if (nw_span_is(key, "name"))
            r->objective = nw_scan_string(&r->scan);
        else
            nw_scan_skip(&r->scan);
}

static void read_learner(reader *r)
{
    nw_span key;
    nw_scan_begin(&r->scan, '{');
    while (nw_scan_key(&r->scan, &key))
        if (nw_span_is(key, "gradient_booster"))
            read_booster(r);
        else if (nw_span_is(key, "learner_model_param"))
            read_learner_params(r);
        else if (nw_span_is(key, "objective"))
            read_objective(r);
        else
            nw_scan_skip(&r->scan);
}

static void check_name(reader *r, const char *what, nw_span name, const char *wanted)
{
    if (!name.text)
        refuse(r, NW_INVALID, "the name of its %s is missing", what);
    else if (!nw_span_is(name, wanted))
        refuse(r, NW_UNSUPPORTED, "its %s is %.*s; only %s is read", what,
               name.length < 40 ? (int)name.length : 40, name.text, wanted);
}

static void check_model(reader *r)
{
    check_name(r, "booster", r->booster, "gbtree");
    check_name(r, "objective", r->objective, "reg:squarederror");
    if (r->n_classes > 1 || r->n_targets > 1)
        refuse(r, NW_UNSUPPORTED, "it has %lld outputs; only one is read",
               (long long)(r->n_classes > 1 ? r->n_classes : r->n_targets));
    if (r->is_grouped)
        refuse(r, NW_UNSUPPORTED, "tree_info has more than one output; only one is read");
    if (!r->has_trees || !r->has_groups || r->n_trees == ABSENT)
        refuse(r, NW_INVALID, "gradient_booster.model has no %s",
               !r->has_trees   ? "trees"
               : r->has_groups ? "num_trees"
                               : "tree_info");
    if (!r->has_base_score || r->n_features == ABSENT)
        refuse(r, NW_INVALID, "learner_model_param has no %s",
               r->has_base_score ? "num_feature" : "base_score");
    if (r->n_trees != (int64_t)r->raw.n_trees || r->n_groups != r->raw.n_trees)
        refuse(r, NW_INVALID, "it has %zu trees, num_trees is %lld and tree_info has %zu",
               r->raw.n_trees, (long long)r->n_trees, r->n_groups);
    if (r->n_features > MAX_FEATURES)
        refuse(r, NW_LIMIT, "it has %lld features, at most %d are read", (long long)r->n_features,
               MAX_FEATURES);
    if (r->max_feature >= r->n_features)
        refuse(r, NW_INVALID, "tree %zu asks for feature %lld, num_feature is %lld",
               r->max_feature_tree, (long long)r->max_feature, (long long)r->n_features);
}

static void fini(reader *r)
{
    for (int i = 0; i < N_INT_ARRAYS; i++)
        free(r->ints[i]);
    free(r->conditions);
    free(r->queue);
    free(r->is_reached);
    free(r->raw.nodes);
    free(r->raw.roots);
}

nw_status nw_trees_read(const char *json, size_t n_bytes, nw_trees **out, nw_error *err)
{
    nw_span key;
    bool has_learner = false;
    reader r = {.n_trees = ABSENT,
                .n_features = ABSENT,
                .n_classes = ABSENT,
                .n_targets = ABSENT,
                .max_feature = ABSENT};
    nw_scan_init(&r.scan, json, n_bytes, err);
    nw_scan_begin(&r.scan, '{');
    while (nw_scan_key(&r.scan, &key)) {
        if (nw_span_is(key, "learner")) {
            has_learner = true;
            read_learner(&r);
        } else
            nw_scan_skip(&r.scan);
    }
    nw_scan_finish(&r.scan);
    if (!has_learner)
        refuse(&r, NW_INVALID, "there is no \"learner\": this is not a model of XGBoost");
    check_model(&r);
    nw_status status = r.scan.status;
    if (status == NW_OK) {
        r.raw.n_features = (int)r.n_features;
        status = nw_trees_build(&r.raw, out, err);
    }
    fini(&r);
    return status;
}
