import { waitFor } from '#lab';
import { LogReader } from '../../../tools/demo/log-reader.js';
import { prove } from '../../../tools/demo/proof.js';
import type { LoadEvent } from '../../../tools/load/options.js';
import type { Load } from './load.js';
import type { Stage } from './stage.js';

const CLUSTERS = ['a', 'b'] as const;
type Cluster = (typeof CLUSTERS)[number];
const OTHER_TOPIC = 1_000;

/** Readers of both clusters that know neither pointer nor wrapper, one per topic that holds orders. */
export class Counters {
  private constructor(private readonly readers: Readonly<Record<Cluster, readonly LogReader[]>>) {}

  static async start(
    { lab }: Pick<Stage, 'lab'>,
    topics: Readonly<Record<Cluster, readonly string[]>>,
  ): Promise<Counters> {
    const read = (cluster: Cluster): Promise<readonly LogReader[]> =>
      Promise.all(topics[cluster].map((topic) => LogReader.start(lab.kafka(cluster), topic)));
    return new Counters({ a: await read('a'), b: await read('b') });
  }

  /** Each log counts for itself: partition 3 of the second topic is 1003. */
  records(cluster: Cluster): LogReader['records'] {
    return this.readers[cluster].flatMap((reader, i) =>
      reader.records.map((r) => ({ ...r, partition: r.partition + OTHER_TOPIC * i })),
    );
  }

  seen(cluster: Cluster): ReadonlySet<string> {
    return new Set(this.readers[cluster].flatMap((reader) => [...reader.seen()]));
  }

  async readToEnd(timeoutMs: number): Promise<void> {
    await Promise.all(CLUSTERS.flatMap((cluster) => this.readers[cluster].map((r) => r.readToEnd(timeoutMs))));
  }

  async close(): Promise<void> {
    await Promise.all(CLUSTERS.flatMap((cluster) => this.readers[cluster].map((r) => r.close())));
  }
}

export type Verdict = Readonly<{
  acknowledged: number;
  records: Readonly<Record<Cluster, number>>;
  lost: readonly string[]; // acknowledged, missing on one side or the other
  skipped: readonly string[]; // acknowledged, never handed to the consumer group
  duplicated: number; // records beyond the first of an order, on a
  resent: number; // orders of which the wrapper said so
  readTwice: number;
}>;

/** Ends the load and counts. MirrorMaker gets the time that it needs to bring the last records along. */
export async function count(load: Load, counters: Counters): Promise<Verdict> {
  await load.stop();
  const events = load.events();
  const all = new Set(acknowledged(events));
  const lacks = (cluster: Cluster): number => {
    const seen = counters.seen(cluster);
    return [...all].filter((id) => !seen.has(id)).length;
  };
  await waitFor('both sides hold every order', () => (lacks('a') + lacks('b') === 0 ? true : undefined), {
    timeoutMs: 30_000,
    pollMs: 1_000,
  }).catch(() => undefined); // told by the count below
  await counters.readToEnd(30_000);
  const [a, b] = CLUSTERS.map((cluster) => prove(events, counters.records(cluster), new Set(), cluster, 0));
  if (a === undefined || b === undefined) throw new Error('two clusters were counted');
  const consumed = events.flatMap((e) => (e.kind === 'consumed' ? [e.id] : []));
  return {
    acknowledged: a.acknowledged,
    records: { a: counters.records('a').length, b: counters.records('b').length },
    lost: [...a.lost, ...b.lost],
    skipped: missing([...all], events),
    duplicated: a.duplicated,
    resent: events.filter((e) => e.kind === 'acknowledged' && e.resent).length,
    readTwice: consumed.length - new Set(consumed).size,
  };
}

export const verdictText = (v: Verdict): string =>
  `${v.acknowledged} acknowledged, on a ${v.records.a}, on b ${v.records.b} records; lost ${v.lost.length}, ` +
  `skipped ${v.skipped.length}, in the log twice ${v.duplicated} (${v.resent} sent again), read twice ${v.readTwice}`;

const acknowledged = (events: readonly LoadEvent[]): readonly string[] =>
  events.flatMap((e) => (e.kind === 'acknowledged' ? [e.id] : []));

/** Orders that the application's consumer group never saw. */
function missing(promised: readonly string[], events: readonly LoadEvent[]): readonly string[] {
  const seen = new Set(events.flatMap((e) => (e.kind === 'consumed' ? [e.id] : [])));
  return promised.filter((id) => !seen.has(id));
}
