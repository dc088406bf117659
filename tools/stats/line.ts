export type Line = Readonly<{
  slope: number; // y per x
  slopeError: number; // standard error of the slope; the truth is within ± 2 of it in 95 % of runs
  points: number;
}>;

/**
 * Least squares through (x, y). The error is widened for samples that resemble their neighbours (lag-1
 * autocorrelation): a heap's samples are not independent, and a plain error would see a trend in every wave.
 * NaN with fewer than three points.
 */
export function fitLine(points: readonly Readonly<{ x: number; y: number }>[]): Line {
  const n = points.length;
  if (n < 3) return { slope: Number.NaN, slopeError: Number.NaN, points: n };
  const meanX = points.reduce((sum, p) => sum + p.x, 0) / n;
  const meanY = points.reduce((sum, p) => sum + p.y, 0) / n;
  const sxx = points.reduce((sum, p) => sum + (p.x - meanX) ** 2, 0);
  const slope = points.reduce((sum, p) => sum + (p.x - meanX) * (p.y - meanY), 0) / sxx;
  const residuals = points.map((p) => p.y - meanY - slope * (p.x - meanX));
  const sse = residuals.reduce((sum, r) => sum + r * r, 0);
  const together = residuals.slice(1).reduce((sum, r, i) => sum + r * (residuals[i] ?? 0), 0);
  const rho = sse === 0 ? 0 : Math.min(0.95, Math.max(0, together / sse));
  const widening = Math.sqrt((1 + rho) / (1 - rho));
  return { slope, slopeError: widening * Math.sqrt(sse / (n - 2) / sxx), points: n };
}
