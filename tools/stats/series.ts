/** The q-quantile (0 to 1), interpolated; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((x, y) => x - y);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Median of the second half less the median of the first: what a drift comes to, whatever its shape. */
export function growth(values: readonly number[]): number {
  const half = Math.floor(values.length / 2);
  return median(values.slice(values.length - half)) - median(values.slice(0, half));
}
