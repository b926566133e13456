/* nasw score: a table for people, a list for programs. */
#include <check.h>
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support.h"
#include "tests/support_run.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof *(array)))

static run_result done(const char *words)
{
    run_result r = run_nasw(NULL, "%s", words);
    ck_run(run_flaw(&r), &r);
    ck_run(r.status == 0 ? NULL : "not done", &r);
    return r;
}

static double number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    ck_assert_msg(cJSON_IsNumber(item), "%s is no number", key);
    return item->valuedouble;
}

START_TEST(every_network_has_a_row_and_the_page_says_what_scores_are)
{
    run_result r = done("score demo er_r1_k3_s1_e4_c16");
    const char *demo = strstr(r.out, "\ndemo "), *other = strstr(r.out, "\ner_r1_k3_s1_e4_c16 ");
    ck_run(demo && other && demo < other ? NULL : "no rows in order", &r);
    ck_run(strstr(r.out, "none is an accuracy.") ? NULL : "nothing on accuracy", &r);
    ck_run(strncmp(r.out, "model ", 6) == 0 ? NULL : "no header", &r);
    run_free(&r);
}
END_TEST

/* The keys are those of src/DESIGN.md, section 4. */
START_TEST(the_json_is_a_list_with_the_promised_keys)
{
    static const char *const keys[] = {
        "macs",      "params",        "unfused_macs",      "unfused_params",
        "unfused_h", "effectiveness", "effectiveness_cap", "recognised"};
    static const char *const names[] = {"default", "h", "mae_det", "deepmad", "macs", "params"};
    run_result r = done("score demo cn_r1_k3_s2_c8 --json");
    cJSON *json = cJSON_Parse(r.out);
    ck_assert(cJSON_IsArray(json) && cJSON_GetArraySize(json) == 2);
    const cJSON *network;
    cJSON_ArrayForEach(network, json)
    {
        const cJSON *scores = cJSON_GetObjectItem(network, "scores");
        ck_assert_str_eq(cJSON_GetObjectItem(network, "schema")->valuestring, "nasw.score/1");
        for (int i = 0; i < N_OF(keys); i++)
            number(network, keys[i]);
        for (int i = 0; i < N_OF(names); i++)
            number(scores, names[i]);
        ck_assert(cJSON_IsBool(cJSON_GetObjectItem(network, "capped")));
        ck_assert_double_eq_tol(number(scores, "macs"), log(number(network, "macs")), 1e-12);
        ck_assert_double_eq_tol(number(scores, "default"),
                                log(number(network, "unfused_params")) +
                                    0.5 * log(number(network, "unfused_macs")) +
                                    0.02 * number(network, "unfused_h"),
                                1e-9);
    }
    ck_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(json, 0), "model")->valuestring,
                     "demo");
    cJSON_Delete(json);
    run_free(&r);
}
END_TEST

START_TEST(what_is_not_defined_is_null_and_a_dash)
{
    const char *path = shared_path("models/mobilenet_v1_0.25_128_quant_edgetpu.tflite");
    if (!path)
        return;
    run_result r = run_nasw(NULL, "score %s --json", path);
    cJSON *json = cJSON_Parse(r.out);
    const cJSON *score;
    int n = 0;
    cJSON_ArrayForEach(score, cJSON_GetObjectItem(cJSON_GetArrayItem(json, 0), "scores"))
    {
        ck_assert(cJSON_IsNull(score));
        n++;
    }
    ck_assert_int_eq(n, 6);
    cJSON_Delete(json);
    run_free(&r);
}
END_TEST

/* models/README.md: multiply-accumulates counted with other tools. In the two files of one
 * MobileNetV2 there are 8,040 biases, of which the first file stores equal ones once. */
START_TEST(counts_are_those_of_the_truth_files)
{
    static const struct {
        const char *file;
        double macs, params, unfused_params;
    } truth[] = {
        {"tv_mobilenet_v2_w035_224.onnx", 59285808, 1665392, 1662048 + 8040},
        {"tv_mobilenet_v2_w035_224_qdq.onnx", 59285808, 1662048 + 8040, 1662048 + 8040},
    };
    for (int i = 0; i < N_OF(truth); i++) {
        char name[96];
        snprintf(name, sizeof name, "models/%s", truth[i].file);
        const char *path = shared_path(name);
        if (!path)
            return;
        run_result r = run_nasw(NULL, "score %s --json", path);
        cJSON *json = cJSON_Parse(r.out);
        const cJSON *network = cJSON_GetArrayItem(json, 0);
        ck_assert_double_eq(number(network, "macs"), truth[i].macs);
        ck_assert_double_eq(number(network, "params"), truth[i].params);
        ck_assert_double_eq(number(network, "unfused_params"), truth[i].unfused_params);
        cJSON_Delete(json);
        run_free(&r);
    }
}
END_TEST

static const struct {
    const char *words, *said;
} wrong[] = {
    {"score", "usage: nasw score"},
    {"score demo nowhere.onnx", "nowhere.onnx|No such file"},
    {"score demo --hw ne32", "score|--hw"},
    {"score demo --input image=1x0x3", "--input image="},
};

START_TEST(wrong_usage_is_one_line_and_nothing_else)
{
    run_result r = run_nasw(NULL, "%s", wrong[_i].words);
    ck_run(run_not_refused(&r, wrong[_i].said), &r);
    run_free(&r);
}
END_TEST

int main(void)
{
    run_prepare();
    Suite *suite = suite_create("cli_score");
    TCase *tcase = tcase_create("cli_score");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, every_network_has_a_row_and_the_page_says_what_scores_are);
    tcase_add_test(tcase, the_json_is_a_list_with_the_promised_keys);
    tcase_add_test(tcase, what_is_not_defined_is_null_and_a_dash);
    tcase_add_test(tcase, counts_are_those_of_the_truth_files);
    tcase_add_loop_test(tcase, wrong_usage_is_one_line_and_nothing_else, 0, N_OF(wrong));
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed != 0;
}
