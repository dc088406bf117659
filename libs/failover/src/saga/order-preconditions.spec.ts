import { describe, expect, it } from 'vitest';
import { BLOCKERS } from '../matrix/blockers.js';
import { BY_HAND } from '../matrix/by-hand.js';
import { COMBINATIONS, snapshotOf } from '../matrix/check-tables.js';
import { decide } from '../matrix/decide.js';
import type { Snapshot } from '../matrix/facts.js';
import { defaultPolicy } from '../matrix/policy.js';
import { TABLES } from '../matrix/tables.js';
import {
  sampleFields,
  sampleFlow,
  sampleGroup,
  sampleSnapshot,
  sampleVote,
  sampleVotes,
  type VoteShape,
} from '../simulate/sample-snapshot.js';
import { judgeOrder, needsFenceFirst, orderHolds, type OrderQuestion, OVERRIDABLE } from './order-preconditions.js';

const B_UP = { b: sampleVotes({ a: 'up', b: 'up', c: 'up' }) };
const votes = (a: VoteShape, b: VoteShape, c: VoteShape): Snapshot['votes'] => ({
  a: sampleVotes({ a, b, c }, 90_000),
  ...B_UP,
});
/** As after some ticks: fresh for long, and its last lag was read before the outage. */
const seen = (over: Partial<Snapshot> = {}): Snapshot => {
  const first = sampleSnapshot(over);
  return { ...first, memory: { ...first.memory, active: 'a', term: 1, leading: true, freshSinceMs: 0 } };
};
const dead = (over: Partial<Snapshot> = {}): Snapshot =>
  seen({ votes: votes('refused', 'refused', 'refused'), flows: [sampleFlow({ observedAgeMs: 95_000 })], ...over });

type More = Partial<Omit<OrderQuestion, 'force'>> & Partial<OrderQuestion['force']>;

const judge = (snapshot: Snapshot, more: More = {}) => {
  const {
    acceptLoss = { maxRecords: 100, maxMs: null },
    override = [],
    target = 'b',
    sinceSwitchRecords = null,
  } = more;
  const question = { target, sinceSwitchRecords, force: { acceptLoss, override } };
  return judgeOrder(snapshot, defaultPolicy, decide(snapshot, defaultPolicy), question);
};
const names = (snapshot: Snapshot, more: More = {}) => judge(snapshot, more).refusals.map((r) => r.name);

describe('the column "by hand"', () => {
  const rowOf = (snapshot: Snapshot): number => decide(snapshot, defaultPolicy).row;
  const degraded = (over: Parameters<typeof sampleFields>[0]): Snapshot =>
    seen({
      votes: {
        ...B_UP,
        a: Object.fromEntries(
          ['a', 'b', 'c'].map((idc) => [
            `agent-${idc}`,
            sampleVote(`agent-${idc}`, 'degraded', 0, { fields: sampleFields(over) }),
          ]),
        ),
      },
    });
  const offline = (n: number) => ({ hotStandby: { total: 12, offline: n, underReplicated: n, underMinIsr: n } });

  it.each([
    [120, 'may', seen({ votes: votes('stale', 'stale', 'silent') })],
    [300, 'may', seen({ votes: votes('up', 'silent', 'up') })],
    [320, 'may not', seen({ votes: votes('refused', 'up', 'up') })],
    [400, 'may', dead()],
    [405, 'may', dead({ votes: votes('silent', 'silent', 'silent') })],
    [410, 'may', dead({ votes: votes('stale', 'silent', 'silent') })],
    [420, 'may', seen({ votes: votes('up', 'silent', 'silent') })],
    [510, 'may', degraded(offline(6))],
    [515, 'may', degraded(offline(1))],
    [520, 'may not', degraded({ answeringBrokers: 2 })],
    [700, 'may not', seen({ policyDigests: { x: '1', y: '2' } })],
    [800, 'may not', seen()],
    [900, 'may', seen({ votes: votes('no-service', 'no-service', 'up') })],
  ] as const)('row %d: a failover %s be ordered', (row, may, snapshot) => {
    expect(rowOf(snapshot)).toBe(row);
    const refused = names(snapshot, { override: ['CONFIG_DRIFT'] });
    expect(refused.filter((name) => name !== 'LAG_UNKNOWN')).toEqual(may === 'may' ? [] : ['SOURCE_ANSWERS']);
  });

  it('a source that serves is not forced off: the answer names the call to make', () => {
    expect(judge(seen()).refusals).toEqual([
      {
        name: 'SOURCE_ANSWERS',
        detail: 'row 800 Steady: the active cluster serves and a failover could be done now',
        liftedBy: 'pointsman switchover orders --to b --reason "…"',
      },
    ]);
    expect(judge(seen({ votes: votes('refused', 'up', 'up') })).refusals[0]?.liftedBy).toMatch(/^mend the agent of a/);
  });

  it('of all 343 combinations none in which everybody finds S up may be forced, and none leaves a living S unfenced', () => {
    for (const combination of COMBINATIONS) {
      const snapshot = snapshotOf(combination);
      const decision = decide(snapshot, defaultPolicy);
      const shapes = Object.values(combination);
      const may = !names(snapshot).includes('SOURCE_ANSWERS');
      if (shapes.every((shape) => shape === 'up')) expect(may).toBe(false);
      const serves = shapes.includes('up') && may;
      // A degraded source is the one exception: there a fence may not be provable at all, and the policy decides.
      if (serves && decision.row !== 510 && decision.row !== 515)
        expect({ combination, first: needsFenceFirst(defaultPolicy, decision.row) }).toEqual({
          combination,
          first: true,
        });
    }
  });

  it('stands for every row and blocker', () => {
    for (const row of [...TABLES.guarded, ...TABLES.classic]) expect(Object.keys(BY_HAND)).toContain(row.byHand);
    expect(OVERRIDABLE).toEqual([
      ...['LAG_OVER_BUDGET', 'LAG_UNKNOWN', 'TARGET_NOT_FIT', 'COOLDOWN', 'FLAPPING', 'NOT_ARMED'],
      ...['STORE_NOT_SURVIVABLE', 'CONFIG_DRIFT'],
    ]);
    expect(BLOCKERS.find((b) => b.name === 'NOT_PUBLISHABLE')?.byHand).toBe('never');
  });
});

describe('what opened it still holds', () => {
  const holds = (orderedOn: number, row: number): boolean =>
    orderHolds(defaultPolicy, orderedOn, { ...decide(seen(), defaultPolicy), row });

  it.each([
    [510, 510, true],
    [510, 515, true],
    [515, 800, false],
    [300, 420, true],
    [900, 800, false],
    [400, 515, false], // it was dead, and has begun to answer
    [400, 410, false], // said by the verdict alone
    [800, 800, false],
  ])('ordered on row %d, now on row %d: %s', (orderedOn, row, expected) => {
    expect(holds(orderedOn, row)).toBe(expected);
  });
});

describe('an order', () => {
  it('names all reasons at once, each with what lifts it', () => {
    const snapshot = dead({
      group: sampleGroup({ frozen: 'epoch 9', lastPublishedAuto: { ageMs: 60_000, acknowledged: false } }),
      configCenter: { writableAgeMs: null, error: 'refused' },
      policyDigests: { x: '1', y: '2' },
      graceOver: false,
    });
    const { refusals } = judge(snapshot, { target: 'z', acceptLoss: { maxRecords: 3, maxMs: null } });
    expect(refusals.map((r) => r.name)).toEqual([
      ...[
        'WRONG_TARGET',
        'STILL_LISTENING',
        'FROZEN',
        'LAG_OVER_BUDGET',
        'NOT_PUBLISHABLE',
        'COOLDOWN',
        'CONFIG_DRIFT',
      ],
    ]);
    expect(refusals.every((r) => r.liftedBy !== '')).toBe(true);
    expect(refusals.find((r) => r.name === 'COOLDOWN')?.liftedBy).toMatch(/or by this order: --override COOLDOWN$/);
  });

  it('sets aside by name what the table lets it, and nothing else', () => {
    const snapshot = dead({
      group: sampleGroup({ lastPublishedAuto: { ageMs: 60_000, acknowledged: false } }),
      placement: { storeSurvives: ['b'], configCenterSurvives: ['a', 'b', 'c'] },
      policyDigests: { x: '1', y: '2' },
    });
    expect(names(snapshot)).toEqual(['COOLDOWN', 'STORE_NOT_SURVIVABLE', 'CONFIG_DRIFT']);
    expect(names(snapshot, { override: ['COOLDOWN'] })).toEqual(['STORE_NOT_SURVIVABLE', 'CONFIG_DRIFT']);
    expect(names(snapshot, { override: ['COOLDOWN', 'STORE_NOT_SURVIVABLE', 'CONFIG_DRIFT'] })).toEqual([]);
    const silent = dead({ configCenter: { writableAgeMs: null, error: 'refused' } });
    expect(names(silent, { override: ['NOT_PUBLISHABLE'] })).toEqual(['NOT_PUBLISHABLE']);
    const frozen = dead({ group: sampleGroup({ frozen: 'epoch 9', openSaga: { id: 's', openForMs: 5 } }) });
    expect(names(frozen, { override: OVERRIDABLE })).toEqual(['SAGA_OPEN', 'FROZEN']);
  });

  it('waits for no window and is bound by no pause and no mode: those are about what Pointsman does by itself', () => {
    const paused = { owner: 'ann', reason: 'work', expiresInMs: 60_000 };
    const young = seen({
      votes: { a: sampleVotes({ a: 'refused', b: 'refused', c: 'refused' }, 1_000), ...B_UP },
      flows: [sampleFlow({ observedAgeMs: 4_000 })],
      group: sampleGroup({ mode: 'observe', pause: paused }),
    });
    expect(decide(young, defaultPolicy).window?.complete).toBe(false);
    expect(names(young)).toEqual([]);
  });

  it('an unfinished rejoin is set aside by name, with the loss said; any other unfitness is not', () => {
    const rejoining = dead({ group: sampleGroup({ rejoin: ['b'] }) });
    expect(names(rejoining, { sinceSwitchRecords: 90 })).toEqual(['TARGET_NOT_FIT']);
    const ordered = judge(rejoining, { sinceSwitchRecords: 90, override: ['TARGET_NOT_FIT'] });
    expect(ordered).toEqual({
      refusals: [],
      loss: {
        ...{ knownRecords: 90, estimatedRecords: null, atLeast: true },
        says: 'everything written to a since the last switch: 90 records',
      },
    });
    expect(names(rejoining, { sinceSwitchRecords: 101, override: ['TARGET_NOT_FIT'] })).toEqual(['LAG_OVER_BUDGET']);
    expect(names(rejoining, { override: ['TARGET_NOT_FIT'] })).toEqual(['LAG_UNKNOWN']);
    const unlimited = { maxRecords: null, maxMs: 600_000 };
    expect(names(rejoining, { override: ['TARGET_NOT_FIT'], acceptLoss: unlimited })).toEqual([]);
    const sick = { ...rejoining, votes: { ...rejoining.votes, b: sampleVotes({ a: 'up', b: 'no-service', c: 'up' }) } };
    expect(names(sick, { sinceSwitchRecords: 90, override: ['TARGET_NOT_FIT'] })).toEqual(['TARGET_NOT_FIT']);
  });
});

describe('the accepted loss', () => {
  it('is the limit of this order: the policy’s budget neither widens nor narrows it', () => {
    expect(names(dead(), { acceptLoss: { maxRecords: 11, maxMs: null } })).toEqual(['LAG_OVER_BUDGET']);
    const far = dead({ flows: [sampleFlow({ observedAgeMs: 95_000, lagRecords: 20_000 })] });
    expect(names(far)).toEqual(['LAG_OVER_BUDGET']);
    expect(judge(far, { acceptLoss: { maxRecords: 20_000, maxMs: null } })).toMatchObject({
      refusals: [],
      loss: { knownRecords: 20_000 },
    });
  });

  it('is judged as of the start of the outage on rows that do not act by themselves, too', () => {
    const split = seen({
      votes: votes('abstain', 'no-service', 'no-service'),
      flows: [sampleFlow({ observedAgeMs: 95_000 })],
    });
    expect(decide(split, defaultPolicy).row).toBe(900);
    expect(judge(split)).toMatchObject({ refusals: [], loss: { knownRecords: 12 } });
  });

  it('holds for what was seen to be written in the last moments, after the instant that the outage is counted from', () => {
    const first = dead();
    const reading = (agoMs: number, records: number) => ({
      ...{ atMs: first.now - agoMs, records, ms: 400, heartbeatAgeMs: 900, endSum: null },
    });
    const memory = { ...first.memory, lagReadings: [reading(93_000, 5), reading(90_500, 300)] };
    const snapshot = { ...first, memory, flows: [sampleFlow({ observedAgeMs: 90_500, lagRecords: 300 })] };
    expect(names(snapshot, { acceptLoss: { maxRecords: 299, maxMs: null } })).toEqual(['LAG_OVER_BUDGET']);
    expect(judge(snapshot, { acceptLoss: { maxRecords: 300, maxMs: null } })).toMatchObject({
      refusals: [],
      loss: { knownRecords: 300 },
    });
  });

  it('what it limits must be known', () => {
    const unknown = dead({ flows: [] });
    expect(names(unknown)).toEqual(['LAG_UNKNOWN']);
    expect(names(unknown, { acceptLoss: { maxRecords: null, maxMs: 600_000 } })).toEqual([]);
    const inSeconds = dead({ flows: [sampleFlow({ observedAgeMs: 95_000, lagRecords: null, lagMs: 4_000 })] });
    expect(names(inSeconds)).toEqual(['LAG_UNKNOWN']);
    expect(names(inSeconds, { acceptLoss: { maxRecords: null, maxMs: 5_000 } })).toEqual([]);
    expect(names(inSeconds, { acceptLoss: { maxRecords: null, maxMs: 3_000 } })).toEqual(['LAG_OVER_BUDGET']);
  });
});
