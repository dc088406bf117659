import type { ConfigChange, ConfigTable } from '#kafka';
import { FENCE_KEY, FENCE_VALUE } from '../probes/fences.js';
import type { FenceRecord } from './fence-journal.js';

export type FencePlan = Readonly<{
  changes: readonly ConfigChange[];
  remember: ReadonlyMap<string, FenceRecord>; // to be on disk before the changes are sent
  forget: readonly string[]; // journal records whose topic is no longer fenced by us
  remarks: readonly string[]; // for people: what was found that nobody ordered
}>;

const isFenced = (table: ConfigTable, topic: string): boolean =>
  table.get(topic)?.get(FENCE_KEY)?.value === FENCE_VALUE;
/** Brokers that could say something of the topic: one that may not be read, or is not there yet, says nothing. */
const tablesOf = (tables: readonly ConfigTable[], topic: string): readonly ConfigTable[] =>
  tables.filter((t) => t.get(topic)?.has(FENCE_KEY));
const ownValue = (table: ConfigTable | undefined, topic: string): string | null => {
  const found = table?.get(topic)?.get(FENCE_KEY);
  return found?.set ? found.value : null;
};

/**
 * Closes every topic that is open at any answering broker (`tables`: one per broker). A present value of 1 is never
 * taken as the previous one.
 */
export function planFence(
  group: string,
  topics: readonly string[],
  tables: readonly ConfigTable[],
  journal: ReadonlyMap<string, FenceRecord>,
): FencePlan {
  const changes: ConfigChange[] = [];
  const remember = new Map<string, FenceRecord>();
  const remarks: string[] = [];
  for (const topic of topics) {
    const known = tablesOf(tables, topic);
    const open = known.filter((t) => !isFenced(t, topic));
    if (known.length === 0) remarks.push(`${topic}: its settings cannot be read, so it is left alone`);
    if (open.length === 0) continue;
    const value = ownValue(open[0], topic);
    const recorded = journal.get(topic);
    changes.push({ topic, key: FENCE_KEY, value: FENCE_VALUE });
    if (recorded === undefined) remember.set(topic, { group, previous: value });
    else if (open.length < tables.length)
      continue; // a broker that has not caught up yet: nobody took the fence away
    else if (recorded.previous === value) remarks.push(`${topic}: the fence had been removed`);
    else
      remarks.push(`${topic}: foreign value ${value ?? 'unset'} (before the fence: ${recorded.previous ?? 'unset'})`);
  }
  return { changes, remember, forget: [], remarks };
}

/**
 * Opens only what is still 1, back to what was recorded; a value that somebody else set since then is his. Without a
 * record all brokers must agree on the 1: a restarted one may show a fence that was long taken away, with its record.
 */
export function planUnfence(
  topics: readonly string[],
  tables: readonly ConfigTable[],
  journal: ReadonlyMap<string, FenceRecord>,
): FencePlan {
  const changes: ConfigChange[] = [];
  const forget: string[] = [];
  const remarks: string[] = [];
  for (const topic of topics) {
    const recorded = journal.get(topic);
    const known = tablesOf(tables, topic);
    const open = known.filter((t) => !isFenced(t, topic));
    if (known.length === 0) {
      remarks.push(`${topic}: its settings cannot be read, so it is left alone`);
      continue;
    }
    if (recorded === undefined) {
      if (open.length > 0) continue;
      remarks.push(`${topic}: unset, no agent that was heard remembers its value before the fence (docs/fences.md)`);
      changes.push({ topic, key: FENCE_KEY, value: null });
      continue;
    }
    forget.push(topic);
    if (open.length < known.length) {
      changes.push({ topic, key: FENCE_KEY, value: recorded.previous });
      continue;
    }
    const value = ownValue(open[0], topic);
    if (value !== recorded.previous) remarks.push(`${topic}: foreign value ${value ?? 'unset'} left as it is`);
  }
  return { changes, remember: new Map(), forget, remarks };
}

export type FenceObservation = 'fenced' | 'open' | 'partial' | 'unknown';

/** What all answering brokers see: fenced only if each of them holds the fence on each topic; unread is unknown. */
export function observeFence(topics: readonly string[], tables: readonly ConfigTable[]): FenceObservation {
  let fenced = 0;
  let open = 0;
  for (const topic of topics) {
    const known = tablesOf(tables, topic);
    if (known.length === 0) return 'unknown';
    for (const table of known) {
      if (isFenced(table, topic)) fenced += 1;
      else open += 1;
    }
  }
  if (open === 0) return fenced === 0 ? 'open' : 'fenced';
  return fenced === 0 ? 'open' : 'partial';
}
