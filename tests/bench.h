/* bench.h - the parts of `make bench` that have a file of their own, tests/bench_*.c.
 */
#ifndef NW_TESTS_BENCH_H
#define NW_TESTS_BENCH_H

/* Reading and running boosted trees, against cJSON and XGBoost in the same run. */
void bench_trees(void);
void bench_estimator(void);
void bench_edit(void);
void bench_candidate(void);
void bench_lift(void);
void bench_plan(void);
void bench_landscape(void);

#endif
