import type { TopicPartition } from '../saga/positions.js';

/** What identifies a record on both sides: copying keeps all three. `crc` is over the value; a copier may rewrite headers. */
export type SeamRecord = Readonly<{ offset: number; timestampMs: number; key: string | null; crc: number }>;

/**
 * One partition at the seam of a switch a → b: b holds a copy of a up to S, and of a's own records only those up to N are
 * known to be in it. Records are data records in the order of their offsets; markers and aborted ones are left out.
 */
export type SeamInput = Readonly<
  TopicPartition & {
    s: number; // end of b's log when it became active
    n: number | null; // last offset of a that was said to be copied: a lower bound; null: nobody knows
    copy: Readonly<{ logStart: number; last: readonly SeamRecord[] }>; // b's last k records before S
    source: Readonly<{
      logStart: number;
      end: number; // E_a, equal in two reads
      records: readonly SeamRecord[]; // every one of a from `from` on, as far as a copy may have come
      from: number;
    }>;
  }
>;

/** `lastCopied`: a's last offset that b holds; the tail begins behind it. −1 before the first record. */
export type SeamVerdict =
  | Readonly<{ verdict: 'proved'; lastCopied: number; compared: number }>
  /** a ends before what b has of it: a power loss took acknowledged records. The copy is the longer log. */
  | Readonly<{ verdict: 'shorter'; end: number; needed: number }>
  | Readonly<{ verdict: 'different'; reason: string }>;

export type SeamFinding = Readonly<
  TopicPartition & { s: number; end: number; sourceStart: number; copyStart: number; seam: SeamVerdict }
>;

/**
 * Where b's copy of a ends, proved by the records themselves (I35 rests on it).
 *
 * The smallest offset of a at or above N such that all of b's last records are in a at or before it. The smallest one, for
 * equal records may stand side by side: the tail may then begin with a record that b has, never behind one that it has not.
 * A restarted copier repeats records, so b's last ones may hold repeats; that they end without a gap is asked of half of them.
 */
export function proveSeam(at: SeamInput): SeamVerdict {
  const { n, s, copy, source } = at;
  if (n !== null && source.end < n + 1) return { verdict: 'shorter', end: source.end, needed: n + 1 };
  const wanted = distinct(copy.last);
  if (wanted.length === 0) return withoutRecords(at);
  const newest = new Map(wanted.map((id, rank) => [id, rank]));
  const firstCandidate = n === null ? 0 : Math.max(0, lastIndexAtOrBelow(source.records, n));
  const seen = new Set<string>();
  const ids = source.records.map(identity);
  for (const [i, id] of ids.entries()) {
    if (newest.has(id)) seen.add(id);
    if (i < firstCandidate) continue;
    const compared = runBackFrom(ids, i, newest);
    if (!holdsAll(wanted, seen, source) || compared < Math.min(Math.ceil(wanted.length / 2), i + 1)) continue;
    const lastCopied = Math.max(n ?? -1, source.records[i]?.offset ?? -1);
    return { verdict: 'proved', lastCopied, compared };
  }
  if (n !== null && source.logStart > n) return { verdict: 'proved', lastCopied: n, compared: 0 };
  return { verdict: 'different', reason: missing(wanted, seen, s) };
}

/** b has nothing before S any more, or never had: then only the positions speak. */
function withoutRecords({ n, s, source }: SeamInput): SeamVerdict {
  if (n !== null) return { verdict: 'proved', lastCopied: n, compared: 0 };
  if (s === 0) return { verdict: 'proved', lastCopied: source.logStart - 1, compared: 0 };
  return { verdict: 'different', reason: `no position is known and the copy keeps no record before ${s} to compare` };
}

/** Records older than a's own log are not looked for: its retention took them, and only from the front. */
function holdsAll(wanted: readonly string[], seen: ReadonlySet<string>, source: SeamInput['source']): boolean {
  const first = wanted.findIndex((id) => seen.has(id));
  if (first < 0 || (first > 0 && source.from > source.logStart)) return false;
  return wanted.slice(first).every((id) => seen.has(id));
}

function runBackFrom(ids: readonly string[], from: number, wanted: ReadonlyMap<string, number>): number {
  let run = 0;
  while (run <= from && wanted.has(ids[from - run] ?? '')) run += 1;
  return run;
}

const missing = (wanted: readonly string[], seen: ReadonlySet<string>, s: number): string => {
  const lost = wanted.filter((id) => !seen.has(id)).length;
  return lost === 0
    ? `the last ${wanted.length} records before ${s} are in the old log, but not as its continuation`
    : `${lost} of the last ${wanted.length} records before ${s} are not where the old log would have them`;
};

/** Oldest first, each once, at its last place. */
const distinct = (records: readonly SeamRecord[]): readonly string[] => {
  const ids = records.map(identity);
  return ids.filter((id, i) => ids.lastIndexOf(id) === i);
};

function lastIndexAtOrBelow(records: readonly SeamRecord[], offset: number): number {
  return records.findLastIndex((r) => r.offset <= offset);
}

/** The key last: it is the only part that may hold anything. */
const identity = (r: SeamRecord): string => `${r.timestampMs}/${r.crc}/${r.key === null ? '-' : `=${r.key}`}`;
