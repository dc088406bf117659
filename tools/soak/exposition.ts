/** The sum of a metric's series in Prometheus' text format; null when it is not there. */
export function metric(text: string, name: string): number | null {
  const values = seriesOf(text, name);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

/** The largest of a metric's series; null when it is not there. */
export function largest(text: string, name: string): number | null {
  const values = seriesOf(text, name);
  return values.length === 0 ? null : Math.max(...values);
}

function seriesOf(text: string, name: string): number[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));
}
