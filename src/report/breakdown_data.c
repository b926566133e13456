/* breakdown_data.c - the breakdown for programs: JSON and CSV.
 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/arena.h"
#include "src/report/internal.h"

static void add_text(cJSON *object, const char *key, const char *text)
{
    char *clean = nw_printable(text);
    cJSON_AddStringToObject(object, key, clean);
    free(clean);
}

/* The JSON library drops the last bit where 15 digits come close; a script's number and ours are
 * the same. */
static void add_number(cJSON *object, const char *key, double value)
{
    nw_buf text = {0};
    nw_buf_double(&text, value);
    cJSON_AddRawToObject(object, key, nw_buf_text(&text));
    nw_buf_fini(&text);
}

static void add_if(cJSON *object, const char *key, bool is_known, double value)
{
    if (is_known)
        add_number(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_int_or_null(cJSON *object, const char *key, int64_t value, bool is_known)
{
    if (is_known)
        add_number(object, key, (double)value);
    else
        cJSON_AddNullToObject(object, key);
}

/* H, W, C for maps whatever the file's order; other tensors as they are. */
static cJSON *shape_json(const nw_graph *graph, nw_tensor_id id, bool as_map)
{
    const nw_shape *shape = &graph->tensors[id].shape;
    if (!nw_shape_is_known(shape))
        return cJSON_CreateNull();
    cJSON *list = cJSON_CreateArray();
    if (as_map && shape->rank == 4) {
        nw_hwc map = nw_tensor_hwc(graph, id);
        int64_t dims[4] = {shape->dims[0], map.h, map.w, map.c};
        for (int i = 0; i < 4; i++)
            cJSON_AddItemToArray(list, cJSON_CreateNumber((double)dims[i]));
        return list;
    }
    for (int i = 0; i < shape->rank; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber((double)shape->dims[i]));
    return list;
}

static cJSON *border_json(const nw_graph *graph, const nw_tensor_id *ids, int n)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < n; i++) {
        cJSON *item = cJSON_CreateObject();
        add_text(item, "name", graph->tensors[ids[i]].name);
        cJSON_AddItemToObject(item, "shape", shape_json(graph, ids[i], false));
        cJSON_AddStringToObject(item, "dtype", nw_dtype_name(graph->tensors[ids[i]].dtype));
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

static const char *place_name(nw_place place)
{
    return place == NW_PLACE_SRAM ? "sram" : "dram";
}

static cJSON *placement_json(const nw_kernel_shape *shape)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "in", place_name(shape->in_place));
    if (shape->residual || shape->n_maps > 1 || shape->parts[0].kind == NW_KERNEL_MATMUL)
        cJSON_AddStringToObject(object, "second", place_name(shape->residual_place));
    cJSON_AddStringToObject(object, "out", place_name(shape->out_place));
    return object;
}

static cJSON *kernel_json(const nw_breakdown *b, int index)
{
    const nw_kernel *kernel = &b->estimate->kernels->kernels[index];
    const nw_device_cost *cost = &b->estimate->costs[index];
    char text[64], label[192];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name",
                            nw_node_label(b->graph, kernel->main, label, sizeof label));
    cJSON_AddStringToObject(object, "type",
                            nw_kernel_shape_name(&kernel->shape, text, sizeof text));
    cJSON *ops = cJSON_AddArrayToObject(object, "ops");
    for (int i = 0; i < kernel->n_nodes; i++)
        cJSON_AddItemToArray(ops, cJSON_CreateString(nw_node_label(b->graph, kernel->nodes[i],
                                                                   label, sizeof label)));
    cJSON_AddItemToObject(object, "out_shape",
                          kernel->n_writes ? shape_json(b->graph, kernel->writes[0], true)
                                           : cJSON_CreateNull());
    if (cost->is_known)
        add_number(object, "latency_us", (double)cost->latency_ps / 1e6);
    else
        cJSON_AddNullToObject(object, "latency_us");
    const nw_kernel_latency *latency = &b->estimate->latencies[index];
    cJSON_AddBoolToObject(object, "extrapolated", latency->is_outside);
    add_if(object, "spread_pct", cost->is_known && latency->spread > 0,
           100 * (double)latency->spread);
    cJSON_AddStringToObject(object, "bound",
                            cost->is_known ? nw_bound_name(cost->bound) : "unknown");
    if (cost->is_known)
        add_number(object, "utilisation", cost->utilisation);
    else
        cJSON_AddNullToObject(object, "utilisation");
    cJSON_AddItemToObject(object, "placement", placement_json(&kernel->shape));
    add_number(object, "partition", kernel->partition);
    add_number(object, "bits", kernel->shape.bits);
    add_int_or_null(object, "macs", cost->macs, cost->is_known);
    add_int_or_null(object, "weight_bytes", cost->weight_bytes, cost->is_known);
    add_int_or_null(object, "dram_bytes", cost->dram_bytes, cost->is_known);
    add_int_or_null(object, "sram_bytes", cost->sram_bytes, cost->is_known);
    add_number(object, "live_bytes", (double)kernel->live_bytes);
    add_int_or_null(object, "energy_fj", cost->energy_fj, cost->is_known);
    add_int_or_null(object, "total_cycles", cost->total_cycles, cost->is_known);
    cJSON *cycles = cJSON_AddObjectToObject(object, "cycles");
    for (int i = 0; i < NW_BOUND_COUNT; i++)
        add_int_or_null(cycles, nw_bound_name((nw_bound)i), cost->cycles[i], cost->is_known);
    snprintf(text, sizeof text, "%dx%dx%d", (int)cost->tile.h, (int)cost->tile.w,
             (int)cost->tile.c);
    cJSON_AddStringToObject(object, "tile", cost->tile.h ? text : "");
    cJSON_AddStringToObject(object, "why", nw_report_why(b->estimate, index));
    cJSON *warnings = cJSON_AddArrayToObject(object, "warnings");
    if (kernel->note[0])
        cJSON_AddItemToArray(warnings, cJSON_CreateString(kernel->note));
    return object;
}

static void add_ops(const nw_breakdown *b, cJSON *root)
{
    int n_types;
    nw_op_count *rows = nw_graph_count_ops(b->graph, &n_types);
    cJSON *ops = cJSON_AddObjectToObject(root, "ops_by_type");
    for (int i = 0; i < n_types; i++) {
        char *type = nw_printable(rows[i].file_type);
        add_number(ops, type, rows[i].n);
        free(type);
    }
    free(rows);
}

static bool is_live_at_peak(const nw_memory *memory, const nw_live_tensor *live)
{
    return live->first <= memory->peak_step && live->last >= memory->peak_step;
}

/* An item a storage, so that the bytes add up to the peak. */
static void add_peak(const nw_breakdown *b, cJSON *root)
{
    const nw_memory *memory = &b->estimate->kernels->memory;
    cJSON *list = cJSON_AddArrayToObject(root, "live_at_peak");
    for (int i = 0; i < memory->n_tensors; i++) {
        const nw_live_tensor *live = &memory->tensors[i];
        if (!is_live_at_peak(memory, live) || live->storage != live->tensor)
            continue;
        cJSON *item = cJSON_CreateObject();
        add_text(item, "name", b->graph->tensors[live->tensor].name);
        add_number(item, "bytes", (double)live->n_bytes);
        add_number(item, "offset", (double)live->offset);
        cJSON *sharers = cJSON_AddArrayToObject(item, "shared_with");
        for (int k = 0; k < memory->n_tensors; k++) {
            const nw_live_tensor *other = &memory->tensors[k];
            if (k == i || other->storage != live->tensor || !is_live_at_peak(memory, other))
                continue;
            char *name = nw_printable(b->graph->tensors[other->tensor].name);
            cJSON_AddItemToArray(sharers, cJSON_CreateString(name));
            free(name);
        }
        cJSON_AddItemToArray(list, item);
    }
}

static void add_totals(const nw_breakdown *b, cJSON *root)
{
    const nw_estimate *e = b->estimate;
    nw_counts counts;
    nw_graph_count(b->graph, &counts);
    int n_known = 0;
    for (int i = 0; i < e->kernels->n_kernels; i++)
        n_known +=
            e->costs[i].is_known && e->kernels->kernels[i].shape.parts[0].kind != NW_KERNEL_VIEW;
    bool has_cost = n_known || !e->n_unknown;
    bool has_band = has_cost && e->has_band;
    add_if(root, "latency_us", has_cost, (double)e->latency_ps / 1e6);
    add_if(root, "latency_low_us", has_band, (double)e->low_ps / 1e6);
    add_if(root, "latency_high_us", has_band, (double)e->high_ps / 1e6);
    add_if(root, "energy_uj", has_cost, (double)e->energy_fj / 1e9);
    add_number(root, "overhead_us", (double)e->overhead_ps / 1e6);
    add_number(root, "unknown_kernels", e->n_unknown);
    add_number(root, "extrapolated_kernels", e->n_outside);
    cJSON_AddBoolToObject(root, "calibrated", nw_report_is_calibrated(e, b->hw));
    add_number(root, "macs", (double)counts.macs);
    add_number(root, "params", (double)counts.params);
    add_number(root, "weight_params", (double)counts.weight_params);
    add_number(root, "weight_bytes", (double)counts.weight_bytes);
    add_number(root, "peak_live_bytes", (double)e->peak_live_bytes);
    add_number(root, "arena_bytes", (double)e->arena_bytes);
    add_number(root, "peak_live_bytes_file_order",
               (double)nw_graph_peak_live_bytes_file_order(b->graph, NULL));
    add_number(root, "dram_bytes", (double)e->dram_bytes);
    add_number(root, "sram_bytes", (double)e->sram_bytes);
    add_number(root, "host_us", (double)e->host_ps / 1e6);
    add_number(root, "partitions", e->kernels->n_partitions);
    add_number(root, "host_switches", e->kernels->n_switches);
}

/* ---- both estimators ---- */

static void add_estimator(cJSON *object, const nw_estimate *e)
{
    cJSON *item =
        cJSON_AddObjectToObject(object, e->estimator->regression ? "regression" : "device");
    add_text(item, "source", e->estimator->source);
    add_number(item, "latency_us", (double)e->latency_ps / 1e6);
    add_if(item, "latency_low_us", e->has_band, (double)e->low_ps / 1e6);
    add_if(item, "latency_high_us", e->has_band, (double)e->high_ps / 1e6);
}

static void add_disagreement(cJSON *list, const nw_breakdown *b, const nw_verified *v, int index)
{
    const nw_kernel *kernel = &b->estimate->kernels->kernels[index];
    int64_t ours_ps = v->regression->costs[index].latency_ps;
    int64_t theirs_ps = v->device->costs[index].latency_ps;
    char label[192], type[64];
    cJSON *item = cJSON_CreateObject();
    add_number(item, "kernel", index);
    cJSON_AddStringToObject(item, "name",
                            nw_node_label(b->graph, kernel->main, label, sizeof label));
    cJSON_AddStringToObject(item, "type", nw_kernel_shape_name(&kernel->shape, type, sizeof type));
    add_number(item, "regression_us", (double)ours_ps / 1e6);
    add_number(item, "device_us", (double)theirs_ps / 1e6);
    add_number(item, "difference_us", (double)(ours_ps - theirs_ps) / 1e6);
    add_number(item, "difference_pct", 100 * ((double)ours_ps / (double)theirs_ps - 1));
    cJSON_AddBoolToObject(item, "extrapolated", v->regression->latencies[index].is_outside);
    cJSON_AddItemToArray(list, item);
}

static void add_verify(cJSON *root, const nw_breakdown *b, const nw_estimate *other)
{
    nw_verified v;
    nw_verified_find(b, other, &v);
    cJSON *object = cJSON_AddObjectToObject(root, "verify");
    add_estimator(object, v.regression);
    add_estimator(object, v.device);
    add_if(object, "difference_pct", !isnan(v.difference_pct), v.difference_pct);
    if (v.regression->has_band)
        cJSON_AddBoolToObject(object, "inside_band", v.is_inside);
    else
        cJSON_AddNullToObject(object, "inside_band");
    cJSON_AddBoolToObject(object, "self_consistency",
                          nw_report_is_simulated(v.regression->estimator));
    add_number(object, "n_kernels", v.n_kernels);
    add_number(object, "unknown_kernels", v.n_unknown);
    add_if(object, "mape_pct", v.n_kernels > 0, v.mape);
    add_if(object, "within_5_pct", v.n_kernels > 0, 100.0 * v.n_within_5 / v.n_kernels);
    add_if(object, "within_10_pct", v.n_kernels > 0, 100.0 * v.n_within_10 / v.n_kernels);
    cJSON *worst = cJSON_AddArrayToObject(object, "worst");
    for (int i = 0; i < v.n_worst; i++)
        add_disagreement(worst, b, &v, v.worst[i]);
}

static void write_json(const nw_breakdown *b, const nw_estimate *other, nw_buf *out)
{
    const nw_estimate *e = b->estimate;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "schema", "nasw.estimate/1");
    add_text(root, "model", b->model);
    add_text(root, "format", b->graph->format);
    cJSON_AddStringToObject(root, "hw", b->hw->name);
    cJSON_AddStringToObject(root, "estimator", e->estimator->name);
    add_text(root, "estimator_source", e->estimator->source);
    add_totals(b, root);
    cJSON_AddStringToObject(root, "precision", e->kernels->precision);
    add_number(root, "n_ops", b->graph->n_nodes);
    add_ops(b, root);
    cJSON_AddItemToObject(root, "inputs",
                          border_json(b->graph, b->graph->inputs, b->graph->n_inputs));
    cJSON_AddItemToObject(root, "outputs",
                          border_json(b->graph, b->graph->outputs, b->graph->n_outputs));
    cJSON_AddBoolToObject(root, "fits", e->fits);
    cJSON_AddStringToObject(root, "reason", e->reason);
    cJSON *warnings = cJSON_AddArrayToObject(root, "warnings");
    for (int i = 0; i < b->graph->n_warnings; i++)
        cJSON_AddItemToArray(warnings, cJSON_CreateString(b->graph->warnings[i]));
    add_peak(b, root);
    cJSON *kernels = cJSON_AddArrayToObject(root, "kernels");
    for (int i = 0; i < e->kernels->n_kernels; i++)
        cJSON_AddItemToArray(kernels, kernel_json(b, i));
    if (other)
        add_verify(root, b, other);
    char *text = cJSON_Print(root);
    for (char *s = text; *s; s++) /* tabs between the tokens; those in strings are escaped */
        if (*s == '\t')
            *s = ' ';
    nw_buf_puts(out, text);
    nw_buf_puts(out, "\n");
    free(text);
    cJSON_Delete(root);
}

void nw_breakdown_json(const nw_breakdown *b, nw_buf *out)
{
    write_json(b, NULL, out);
}

void nw_verify_json(const nw_breakdown *b, const nw_estimate *other, nw_buf *out)
{
    write_json(b, other, out);
}

static void add_cell(nw_buf *out, const char *text)
{
    nw_buf_puts(out, "\"");
    for (const char *s = text; *s; s++)
        nw_buf_add(out, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
    nw_buf_puts(out, "\"");
}

/* From energy_fj to tile, which is empty where there is none. */
static void add_cycles(const nw_device_cost *cost, nw_buf *out)
{
    nw_buf_printf(out, "%lld", (long long)cost->energy_fj);
    for (int k = 0; k < NW_BOUND_COUNT; k++)
        nw_buf_printf(out, ",%lld", (long long)cost->cycles[k]);
    nw_buf_printf(out, ",%lld,", (long long)cost->total_cycles);
    if (cost->tile.h)
        nw_buf_printf(out, "%dx%dx%d", (int)cost->tile.h, (int)cost->tile.w, (int)cost->tile.c);
    nw_buf_puts(out, ",");
}

void nw_breakdown_csv(const nw_breakdown *b, nw_buf *out)
{
    const nw_estimate *e = b->estimate;
    nw_buf_puts(out, "name,type,n_ops,output,latency_us,share,bound,utilisation,in_place,out_place,"
                     "bits,macs,weight_bytes,dram_bytes,sram_bytes,live_bytes,energy_fj");
    for (int i = 0; i < NW_BOUND_COUNT; i++)
        nw_buf_printf(out, ",%s_cycles", nw_bound_name((nw_bound)i));
    nw_buf_puts(out, ",total_cycles,tile,why,note,extrapolated\n");
    for (int i = 0; i < e->kernels->n_kernels; i++) {
        const nw_kernel *kernel = &e->kernels->kernels[i];
        const nw_device_cost *cost = &e->costs[i];
        char label[192], type[64], map[64];
        add_cell(out, nw_node_label(b->graph, kernel->main, label, sizeof label));
        nw_buf_printf(out, ",%s,%d,%s,", nw_kernel_shape_name(&kernel->shape, type, sizeof type),
                      kernel->n_nodes, nw_format_map(b->graph, kernel, map, sizeof map));
        if (cost->is_known)
            nw_buf_printf(out, "%.6f,%.6f,%s,%.6f", (double)cost->latency_ps / 1e6,
                          e->latency_ps ? (double)cost->latency_ps / (double)e->latency_ps : 0,
                          nw_bound_name(cost->bound), cost->utilisation);
        else
            nw_buf_puts(out, ",,,");
        nw_buf_printf(out, ",%s,%s,%d,%lld,%lld,%lld,%lld,%lld,",
                      place_name(kernel->shape.in_place), place_name(kernel->shape.out_place),
                      (int)kernel->shape.bits, (long long)cost->macs, (long long)cost->weight_bytes,
                      (long long)cost->dram_bytes, (long long)cost->sram_bytes,
                      (long long)kernel->live_bytes);
        if (cost->is_known)
            add_cycles(cost, out);
        else
            nw_buf_puts(out, ",,,,,,,,,");
        add_cell(out, nw_report_why(e, i));
        nw_buf_puts(out, ",");
        add_cell(out, kernel->note);
        nw_buf_printf(out, ",%s\n", !cost->is_known ? "" : e->latencies[i].is_outside ? "1" : "0");
    }
}
