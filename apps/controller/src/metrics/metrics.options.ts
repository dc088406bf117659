export type MetricsOptions = Readonly<{ groups: readonly string[]; version: string }>;
export const METRICS_OPTIONS = Symbol('MetricsOptions');
