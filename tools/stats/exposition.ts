export type Series = Readonly<{ labels: string; value: number }>;

/** The series of exactly this metric in Prometheus' text format, with their labels as they are written. */
export function seriesOf(text: string, name: string): Series[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => ({
      labels: line.slice(name.length, line.lastIndexOf(' ')),
      value: Number(line.slice(line.lastIndexOf(' ') + 1)),
    }));
}

/** The sum of a metric's series; null when it is not there. */
export function metric(text: string, name: string): number | null {
  const series = seriesOf(text, name);
  return series.length === 0 ? null : series.reduce((sum, { value }) => sum + value, 0);
}

/** The largest of a metric's series; null when it is not there. */
export function largest(text: string, name: string): number | null {
  const series = seriesOf(text, name);
  return series.length === 0 ? null : Math.max(...series.map(({ value }) => value));
}
