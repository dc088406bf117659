import { z } from 'zod';

/** What the load process is told on its command line, as one JSON argument. */
export const loadOptions = z.strictObject({
  group: z.string(),
  pointers: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('sql'), url: z.string() }),
    z.strictObject({ type: z.literal('etcd'), endpoints: z.array(z.string()) }),
  ]),
  clusters: z.record(z.string(), z.array(z.string())), // name → bootstrap servers
  sasl: z.strictObject({ mechanism: z.literal('plain'), username: z.string(), password: z.string() }).optional(),
  topic: z.string(),
  consumedTopics: z.string().optional(), // a regular expression, where copies have names of their own; `topic` if absent
  consumerGroup: z.string(),
  producers: z.int().positive(),
  consumers: z.int().nonnegative(),
  producerMode: z.enum(['plain', 'idempotent', 'transactional', 'mixed']).optional(), // plain if absent; mixed: the last two in turn
  ordersPerSecond: z.number().positive(), // all producers together
  idleMs: z.number().positive().optional(), // at the end consumers go on until nothing came for so long; at once if absent
  logFile: z.string().nullable(), // one line per acknowledged and per consumed order; null: counts only
  stateFile: z.string(),
});

export type LoadOptions = z.output<typeof loadOptions>;

/**
 * Lines of the log: `A <id> <cluster> <epoch> <resent 0|1> <unix ms> <partition>` for an acknowledged order,
 * `F <id> <error>` for one that was refused, `C <id> <cluster> <partition> <offset> <unix ms>` for a consumed one.
 */
export type LoadEvent =
  | Readonly<{
      kind: 'acknowledged';
      id: string;
      cluster: string;
      epoch: number;
      resent: boolean;
      atMs: number;
      partition?: number; // absent where the answer did not tell it
    }>
  | Readonly<{ kind: 'failed'; id: string; error: string }>
  | Readonly<{ kind: 'consumed'; id: string; cluster: string; partition: number; offset: string; atMs: number }>;

export function formatLoadEvent(e: LoadEvent): string {
  switch (e.kind) {
    case 'acknowledged':
      return `A ${e.id} ${e.cluster} ${e.epoch} ${e.resent ? 1 : 0} ${e.atMs}${e.partition === undefined ? '' : ` ${e.partition}`}`;
    case 'failed':
      return `F ${e.id} ${e.error}`;
    case 'consumed':
      return `C ${e.id} ${e.cluster} ${e.partition} ${e.offset} ${e.atMs}`;
  }
}

export function parseLoadEvent(line: string): LoadEvent | null {
  const [kind, id = '', x = '', y = '', z4 = '', at = '', partition] = line.split(' ');
  if (kind === 'A') {
    const told = {
      kind: 'acknowledged',
      id,
      cluster: x,
      epoch: Number(y),
      resent: z4 === '1',
      atMs: Number(at),
    } as const;
    return partition === undefined ? told : { ...told, partition: Number(partition) };
  }
  if (kind === 'C') return { kind: 'consumed', id, cluster: x, partition: Number(y), offset: z4, atMs: Number(at) };
  return kind === 'F' ? { kind: 'failed', id, error: x } : null;
}
