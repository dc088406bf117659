import type { Ms } from '#health';
import type { PartitionLag } from '../matrix/facts.js';
import { FENCED_BYTES } from './compare.js';
import { bad, mebibytes, ok } from './finding.js';
import type { Finding, Sides } from './types.js';

type Behind = Readonly<{
  topic: string;
  partition: number;
  records: number; // not copied yet
  atMostBytes: number | null; // of them in the source's log; null: not known
  keptBytes: number;
}>;

/** Brokers look for what to remove each five minutes by default: what is copied within one is in no danger worth a line. */
const COPIED_SOON_MS: Ms = 60_000;

/**
 * Whether retention by size may remove records before they are copied. Bytes of lag are seen nowhere; but a record takes no more
 * than a whole batch may, and Kafka never cuts a partition below `retention.bytes`: what is below it is safe for certain.
 */
export function sizeRetentionLines({ forward, active, settings }: Sides): readonly Finding[] {
  if ((forward?.lagMs ?? Infinity) < COPIED_SOON_MS) return [];
  const limits = (settings(active)?.topics ?? []).flatMap((t) =>
    t.retentionBytes === null || t.retentionBytes < 0 ? [] : [{ ...t, keptBytes: t.retentionBytes }],
  );
  const behind = limits.flatMap(({ topic, keptBytes, maxMessageBytes }): readonly Behind[] =>
    (forward?.perPartition ?? [])
      .filter((p) => p.topic === topic)
      .map((p) => ({ topic, partition: p.partition, records: recordsOf(p), keptBytes }))
      .filter((p) => p.records > 0)
      .map((p) => ({ ...p, atMostBytes: mostOf(maxMessageBytes, p.records) })),
  );
  const worst = behind.toSorted((x, y) => shareOf(y) - shareOf(x))[0];
  return worst === undefined ? [] : findingOf(worst, active);
}

function findingOf({ topic, partition, records, atMostBytes, keptBytes }: Behind, active: string): readonly Finding[] {
  const said = `${topic} keeps ${mebibytes(keptBytes)} of each partition, ${records} records of ${topic}-${partition} are not copied yet`;
  const fix = `raise retention.bytes of ${topic} on ${active}, or set it to -1, until the copy has caught up`;
  if (atMostBytes === null) return bad('unknown', `${said}: how large they may be is not seen`, fix);
  const sized = `${said}: at most ${mebibytes(atMostBytes)}`;
  return atMostBytes < keptBytes ? ok(sized) : bad('warn', `${sized}, and may be removed before they are`, fix);
}

/** An end or a position that is not known is told by the lag itself. */
const recordsOf = ({ sourceEnd, replicated }: PartitionLag): number =>
  sourceEnd === null || replicated === null ? 0 : sourceEnd - replicated;

const mostOf = (recordBytes: number | null, records: number): number | null =>
  recordBytes === null || recordBytes === FENCED_BYTES ? null : records * recordBytes;

/** From 1 on it is too much. What is not known stands between that and what is safe for certain. */
const shareOf = ({ atMostBytes, keptBytes }: Behind): number => (atMostBytes ?? keptBytes) / Math.max(1, keptBytes);
