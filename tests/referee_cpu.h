/* referee_cpu.h - this machine's CPU as the chip: measured kernels, a fit, whole networks timed.
 */
#ifndef NW_TESTS_REFEREE_CPU_H
#define NW_TESTS_REFEREE_CPU_H

/* Measures a sampling plan (build/accuracy_cpu.csv; kept and gone on with by the next run), fits
 * it, times networks of ../shared/models whole, and prints both with the spread. Takes minutes. */
void cpu_print_networks(void);

#endif
