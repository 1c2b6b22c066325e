// Figures of a set of samples.

/** The value at or below which `share` (0 to 1) of the samples stand; NaN without samples. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export const ascending = (values: Iterable<number>): number[] => [...values].sort((a, b) => a - b);
export const median = (values: Iterable<number>): number => percentile(ascending(values), 0.5);

export function figures(values: Iterable<number>): { p50: number; p99: number; p999: number; max: number } {
  const sorted = ascending(values);
  return {
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: sorted.at(-1) ?? Number.NaN,
  };
}

export const ms = (value: number): string =>
  Number.isNaN(value) ? '-' : value >= 100 ? value.toFixed(0) : value.toFixed(1);
