import fc from 'fast-check';
import type { SeamVerdict, TailCommand, TailOutput } from '#failover';
import { big, count, name, offset, orNull } from './arbitrary-parts.js';

/** Arbitrary commands about a tail, and their results. */
const at = { topic: name, partition: count };
const list = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(of, { maxLength: 3 });
const ranges = list(fc.record({ ...at, from: offset, to: offset }));

export const anyTailCommand: fc.Arbitrary<TailCommand> = fc.oneof(
  fc.record({
    kind: fc.constant('prove_seam' as const),
    from: name,
    to: name,
    positions: list(fc.record({ ...at, s: offset, n: orNull(offset), end: offset })),
    records: count,
  }),
  fc.record({ kind: fc.constant('report_tail' as const), cluster: name, ranges }),
  fc.record({
    kind: fc.constant('export_tail' as const),
    from: name,
    to: name,
    ranges,
    destination: fc.constantFrom('file' as const, 'topic' as const),
  }),
  fc.record({
    kind: fc.constant('replay_tail' as const),
    from: name,
    to: name,
    ranges,
    since: list(fc.record({ ...at, offset })),
    strategy: fc.constantFrom(
      'last-write-wins' as const,
      'source-priority' as const,
      'merge' as const,
      'custom' as const,
    ),
    priority: list(name),
  }),
);

const seam: fc.Arbitrary<SeamVerdict> = fc.oneof(
  fc.record({ verdict: fc.constant('proved' as const), lastCopied: offset, compared: count }),
  fc.record({ verdict: fc.constant('shorter' as const), end: offset, needed: offset }),
  fc.record({ verdict: fc.constant('different' as const), reason: name }),
);
const progress = fc.record({ finished: fc.boolean(), done: big, total: big });
const edge = orNull(fc.record({ offset, timestampMs: offset, key: orNull(name) }));

export const anyTailOutput: fc.Arbitrary<TailOutput> = fc.oneof(
  fc.record({
    kind: fc.constant('seam_proof' as const),
    progress,
    findings: list(fc.record({ ...at, s: offset, end: offset, sourceStart: offset, copyStart: offset, seam })),
  }),
  fc.record({
    kind: fc.constant('tail_report' as const),
    progress,
    records: big,
    bytes: big,
    partitions: list(fc.record({ ...at, records: big, bytes: big, first: edge, last: edge })),
    path: name,
  }),
  fc.record({ kind: fc.constant('tail_export' as const), progress, written: big, present: big, place: name }),
  fc.record({
    kind: fc.constant('tail_replay' as const),
    progress,
    written: big,
    merged: big,
    kept: big,
    present: big,
  }),
);
