#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/arch/resize.h"

nw_tensor_id nw_resize_add_like(nw_graph *graph, nw_names *names, nw_tensor_id like,
                                nw_node_id node)
{
    const char *base = graph->tensors[like].name;
    size_t size = strlen(base) + 32;
    char *name = nw_alloc(size);
    if (!names->heads)
        nw_names_find(names, graph, false);
    snprintf(name, size, "%s.%d", base, (int)node);
    for (int i = 1; nw_names_owner(names, name) != NW_NAME_FREE; i++)
        snprintf(name, size, "%s.%d_%d", base, (int)node, i);
    nw_tensor old = graph->tensors[like];
    nw_tensor_id id = nw_graph_add_tensor(graph, name, old.dtype, &old.shape);
    free(name);
    nw_tensor *tensor = &graph->tensors[id];
    nw_names_take(names, tensor->name, NW_NAME_OF_FILE);
    old.name = tensor->name;
    old.is_input = old.is_output = false;
    *tensor = old;
    return id;
}

nw_tensor_id nw_resize_set_list(nw_graph *graph, nw_names *names, nw_node_id node, int input,
                                int n_readers, const int64_t *values, int n)
{
    nw_tensor_id id = graph->nodes[node].inputs[input];
    if (n_readers > 1) {
        id = nw_resize_add_like(graph, names, id, node);
        graph->nodes[node].inputs[input] = id;
    }
    nw_graph_set_ints(graph, id, values, n);
    return id;
}

static int compare_sites(const void *a, const void *b)
{
    const nw_site *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    if (x->input != y->input)
        return x->input < y->input ? -1 : 1;
    return (x->element > y->element) - (x->element < y->element);
}

static int64_t site_value(const nw_resizer *r, const nw_site *site)
{
    const nw_terms *t = &r->groups->solver.terms;
    return nw_term_eval(t, site->plus, r->numbers) - nw_term_eval(t, site->minus, r->numbers);
}

/* The numbers of one list of a node: sites[0..n), by element. */
static nw_status write_list(nw_resizer *r, const nw_site *sites, int n)
{
    nw_node *node = &r->graph->nodes[sites->node];
    if (sites->input == NW_SITE_GROUPS) {
        node->attrs.groups = (int32_t)site_value(r, &sites[0]);
        return NW_OK;
    }
    bool is_attr = sites->input == NW_SITE_INTS;
    nw_tensor_id list = is_attr ? NW_NONE : r->old->nodes[sites->node].inputs[sites->input];
    const int64_t *old = is_attr ? node->attrs.ints : r->old->tensors[list].ints;
    int n_values =
        is_attr ? node->attrs.n_ints : (int)nw_shape_elements(&r->old->tensors[list].shape);
    int64_t *values = nw_graph_alloc(r->graph, (size_t)(n_values + 1) * sizeof *values);
    memcpy(values, old, (size_t)n_values * sizeof *values);
    for (int i = 0; i < n; i++) {
        int64_t value = site_value(r, &sites[i]);
        char label[64];
        if (i && sites[i].element == sites[i - 1].element && value != values[sites[i].element])
            return nw_fail(
                r->err, NW_UNSUPPORTED, nw_node_label(r->old, sites->node, label, sizeof label),
                "one number of the file stands for %" PRId64 " and %" PRId64 " after this change",
                values[sites[i].element], value);
        values[sites[i].element] = value;
    }
    if (is_attr)
        node->attrs.ints = values;
    else
        nw_resize_set_list(r->graph, &r->names, sites->node, sites->input,
                           r->groups->solver.n_readers[list], values, n_values);
    return NW_OK;
}

nw_status nw_resizer_write_numbers(nw_resizer *r)
{
    const nw_solver *s = &r->groups->solver;
    nw_site *sites = nw_alloc((s->n_sites + 1) * sizeof *sites);
    int n = 0;
    for (size_t i = 0; i < s->n_sites; i++)
        if (nw_resizer_changes(r, s->sites[i].plus) || nw_resizer_changes(r, s->sites[i].minus))
            sites[n++] = s->sites[i];
    qsort(sites, (size_t)n, sizeof *sites, compare_sites);
    nw_status status = NW_OK;
    for (int i = 0, end; i < n && status == NW_OK; i = end) {
        for (end = i + 1;
             end < n && sites[end].node == sites[i].node && sites[end].input == sites[i].input;)
            end++;
        status = write_list(r, &sites[i], end - i);
    }
    free(sites);
    return status;
}
