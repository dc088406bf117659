import { describe, expect, it } from 'vitest';
import type { ConfigTable } from '#kafka';
import { FENCE_KEY } from '../probes/fences.js';
import { observeFence, planFence, planUnfence } from './fence-plan.js';

/** `null`: unset, the broker's default shows. */
const table = (values: Readonly<Record<string, string | null>>): ConfigTable =>
  new Map(
    Object.entries(values).map(([topic, value]) => [
      topic,
      new Map([[FENCE_KEY, { value: value ?? '1048588', set: value !== null }]]),
    ]),
  );
const record = (previous: string | null) => ({ group: 'g', previous });

describe('planFence', () => {
  it('remembers what each topic had, unset included, before it closes it', () => {
    const plan = planFence('g', ['t', 'u'], [table({ t: null, u: '5000000' })], new Map());
    expect(plan.changes).toEqual([
      { topic: 't', key: FENCE_KEY, value: '1' },
      { topic: 'u', key: FENCE_KEY, value: '1' },
    ]);
    expect([...plan.remember]).toEqual([
      ['t', record(null)],
      ['u', record('5000000')],
    ]);
  });

  it('never takes a present 1 for the previous value', () => {
    expect(planFence('g', ['t'], [table({ t: '1' })], new Map())).toEqual({
      changes: [],
      remember: new Map(),
      forget: [],
      remarks: [],
    });
  });

  it('closes again what somebody opened, keeping the first record and naming a foreign value', () => {
    const journal = new Map([
      ['t', record(null)],
      ['u', record(null)],
    ]);
    const plan = planFence('g', ['t', 'u'], [table({ t: null, u: '777' })], journal);
    expect(plan.changes).toHaveLength(2);
    expect(plan.remember.size).toBe(0);
    expect(plan.remarks).toEqual(['t: the fence had been removed', 'u: foreign value 777 (before the fence: unset)']);
  });

  it('says nothing of a removal when only one broker lags behind', () => {
    const plan = planFence('g', ['t'], [table({ t: '1' }), table({ t: null })], new Map([['t', record(null)]]));
    expect(plan).toMatchObject({ remarks: [], changes: [{ topic: 't' }] });
  });
});

describe('settings that may not be read', () => {
  it('are neither fenced nor open, and nothing is planned or remembered for them', () => {
    const blind = [new Map()];
    expect(observeFence(['t'], blind)).toBe('unknown');
    expect(planFence('g', ['t'], blind, new Map())).toMatchObject({ changes: [], remember: new Map() });
    expect(planUnfence(['t'], blind, new Map([['t', record('7')]]))).toMatchObject({ changes: [], forget: [] });
  });
});

describe('planUnfence', () => {
  it('restores what was recorded where it is still 1, and leaves a foreign value alone', () => {
    const journal = new Map([
      ['t', record(null)],
      ['u', record('5000000')],
      ['v', record(null)],
    ]);
    const plan = planUnfence(['t', 'u', 'v', 'w'], [table({ t: '1', u: '1', v: '777', w: null })], journal);
    expect(plan.changes).toEqual([
      { topic: 't', key: FENCE_KEY, value: null },
      { topic: 'u', key: FENCE_KEY, value: '5000000' },
    ]);
    expect(plan.forget).toEqual(['t', 'u', 'v']);
    expect(plan.remarks).toEqual(['v: foreign value 777 left as it is']);
  });

  it('touches a fence without a record only when every broker shows it', () => {
    expect(planUnfence(['t'], [table({ t: '1' }), table({ t: '5000000' })], new Map()).changes).toEqual([]);
    expect(planUnfence(['t'], [table({ t: '1' })], new Map()).changes).toEqual([
      { topic: 't', key: FENCE_KEY, value: null },
    ]);
  });
});

describe('observeFence', () => {
  it.each([
    ['fenced', [{ t: '1' }, { t: '1' }]],
    ['open', [{ t: null }]],
    ['partial', [{ t: '1' }, { t: null }]],
    ['unknown', []],
  ] as const)('%s', (observed, tables) => {
    expect(
      observeFence(
        ['t'],
        tables.map((t) => table(t)),
      ),
    ).toBe(observed);
  });
});
