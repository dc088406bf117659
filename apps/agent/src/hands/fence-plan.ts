import type { ConfigChange, ConfigTable } from '#kafka';
import type { FenceRecord } from './fence-journal.js';

export const FENCE_KEY = 'max.message.bytes';
export const FENCE_VALUE = '1';

export type FencePlan = Readonly<{
  changes: readonly ConfigChange[];
  remember: ReadonlyMap<string, FenceRecord>; // to be on disk before the changes are sent
  forget: readonly string[]; // journal records whose topic is no longer fenced by us
  remarks: readonly string[]; // for people: what was found that nobody ordered
}>;

const isFenced = (table: ConfigTable, topic: string): boolean =>
  table.get(topic)?.get(FENCE_KEY)?.value === FENCE_VALUE;
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
    const open = tables.filter((t) => !isFenced(t, topic));
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
    const open = tables.filter((t) => !isFenced(t, topic));
    if (recorded === undefined) {
      if (open.length > 0 || tables.length === 0) continue;
      remarks.push(`${topic}: no record of its value before the fence, unset`);
      changes.push({ topic, key: FENCE_KEY, value: null });
      continue;
    }
    forget.push(topic);
    if (open.length < tables.length) {
      changes.push({ topic, key: FENCE_KEY, value: recorded.previous });
      continue;
    }
    const value = ownValue(open[0], topic);
    if (value !== recorded.previous) remarks.push(`${topic}: foreign value ${value ?? 'unset'} left as it is`);
  }
  return { changes, remember: new Map(), forget, remarks };
}

export type FenceObservation = 'fenced' | 'open' | 'partial' | 'unknown';

/** What all answering brokers see: fenced only if each of them holds the fence on each topic. */
export function observeFence(topics: readonly string[], tables: readonly ConfigTable[]): FenceObservation {
  if (tables.length === 0) return 'unknown';
  let fenced = 0;
  let open = 0;
  for (const table of tables) {
    for (const topic of topics) {
      if (isFenced(table, topic)) fenced += 1;
      else open += 1;
    }
  }
  if (open === 0) return fenced === 0 ? 'open' : 'fenced';
  return fenced === 0 ? 'open' : 'partial';
}
