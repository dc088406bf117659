import { describe, expect, it } from 'vitest';
import { sampleFlow, sampleGroup, sampleSnapshot, sampleVotes, type VoteShape } from '../simulate/sample-snapshot.js';
import { decide } from './decide.js';
import type { Memory, Snapshot } from './facts.js';
import { defaultPolicy } from './policy.js';

const votesOnA = (a: VoteShape, b: VoteShape, c: VoteShape, forMs = 0): Snapshot['votes'] => ({
  a: sampleVotes({ a, b, c }, forMs),
  b: sampleVotes({ a: a === 'up' ? 'up' : 'stale', b: 'up', c: 'up' }),
});

/** A memory as an earlier tick leaves it: fresh for long, and a lag reading from before the outage. */
const seasoned = (now: number, outageMs: number): Memory => {
  const before = decide(sampleSnapshot({ now: now - outageMs - 5_000 }), defaultPolicy).nextMemory;
  return decide(sampleSnapshot({ now: now - outageMs - 2_000, memory: before }), defaultPolicy).nextMemory;
};

const at = (votes: Snapshot['votes'], outageMs: number, over: Partial<Snapshot> = {}): Snapshot =>
  sampleSnapshot({
    now: 2_000_000,
    votes,
    memory: seasoned(2_000_000, outageMs),
    flows: [sampleFlow({ observedAgeMs: outageMs + 2_000 })],
    ...over,
  });

describe('decide, guarded', () => {
  it.each<[string, Snapshot, number, string]>([
    ['all up', sampleSnapshot(), 800, 'none'],
    ['most silent', at(votesOnA('stale', 'stale', 'up'), 0), 120, 'hold'],
    ['one outsider cannot reach a', at(votesOnA('up', 'silent', 'up', 90_000), 90_000), 300, 'hold'],
    ['only the own agent says down', at(votesOnA('refused', 'up', 'up', 90_000), 0), 320, 'hold'],
    ['dead for 10 s', at(votesOnA('refused', 'silent', 'silent', 10_000), 10_000), 400, 'hold'],
    ['dead for 25 s', at(votesOnA('refused', 'silent', 'silent', 25_000), 25_000), 400, 'failover'],
    ['frozen for 25 s', at(votesOnA('silent', 'silent', 'silent', 25_000), 25_000), 405, 'hold'],
    ['frozen for 35 s', at(votesOnA('silent', 'silent', 'silent', 35_000), 35_000), 405, 'failover'],
    ['isolated for 43 s', at(votesOnA('stale', 'silent', 'silent', 43_000), 43_000), 410, 'hold'],
    ['isolated for 61 s', at(votesOnA('stale', 'silent', 'silent', 61_000), 61_000), 410, 'failover'],
    ['alive inside', at(votesOnA('up', 'silent', 'silent', 90_000), 90_000), 420, 'hold'],
    ['brokers missing', at(votesOnA('degraded', 'degraded', 'degraded'), 0), 520, 'alert'],
    ['contradiction', at(votesOnA('no-service', 'no-service', 'up', 90_000), 0), 900, 'hold'],
  ])('%s', (_name, snapshot, row, action) => {
    const d = decide(snapshot, defaultPolicy);
    expect({ row: d.row, action: d.action, blockers: d.blockers }).toEqual({ row, action, blockers: [] });
  });

  it.each([
    [null, 600],
    ['rejoin', 600],
    ['failback', 700], // true: for these seconds nobody could take over
    ['switchover', 700],
  ] as const)('the side that a planned switch leaves pages nobody while it is open (%s)', (kind, row) => {
    const openSaga = kind === null ? null : { id: 'saga-1', openForMs: 1_000, kind };
    const group = sampleGroup({ active: 'a', rejoin: ['b'], openSaga });
    expect(decide(sampleSnapshot({ group }), defaultPolicy).row).toBe(row);
  });

  it('reports every blocker at once and keeps the window', () => {
    const d = decide(
      at(votesOnA('refused', 'silent', 'silent', 25_000), 25_000, {
        flows: [sampleFlow({ lagRecords: 20_000, observedAgeMs: 27_000 })],
        memory: { ...seasoned(2_000_000, 25_000), lagReadings: [] },
        configCenter: { writableAgeMs: 2_000, error: 'time-out' },
        policyDigests: { x: '1', y: '2' },
      }),
      defaultPolicy,
    );
    expect(d.action).toBe('hold');
    expect(d.wouldDo).toBe('failover');
    expect(d.window?.complete).toBe(true);
    expect(d.blockers.map((b) => b.name)).toEqual(['LAG_OVER_BUDGET', 'NOT_PUBLISHABLE', 'CONFIG_DRIFT']);
    expect(d.alerts).toContain('held');
  });

  it.each([
    [1, 1_000, /--reason "…", or time$/],
    [3, 29_000, /--reason "…", or time$/],
    [4, 86_400_000, /--reason "…"$/], // a day later too
  ])('after %i sagas that published nothing says what lifts the cool-down', (attempts, ageMs, liftedBy) => {
    const group = sampleGroup({ lastUnpublishedClose: { ageMs, attempts, outcome: 'FAILED' } });
    const dead = at(votesOnA('refused', 'silent', 'silent', 25_000), 25_000, { group });
    expect(decide(dead, defaultPolicy).blockers).toMatchObject([
      { name: 'COOLDOWN', liftedBy: expect.stringMatching(liftedBy) },
    ]);
  });

  it('turns the action into none behind a gate, whatever the row says', () => {
    const dead = at(votesOnA('refused', 'silent', 'silent', 25_000), 25_000);
    const d = decide({ ...dead, leading: false, group: sampleGroup({ mode: 'observe' }) }, defaultPolicy);
    expect(d).toMatchObject({ row: 400, action: 'none', wouldDo: 'failover', gate: ['NOT_LEADER', 'OBSERVE'] });
  });

  it('never acts on one DOWN vote, not even where there is only one observer', () => {
    const alone = at(votesOnA('refused', 'stale', 'stale', 90_000), 90_000);
    const d = decide({ ...alone, observers: alone.observers.slice(0, 1) }, defaultPolicy);
    expect(d.verdicts['a']?.name).toBe('DOWN_ATTESTED');
    expect(d).toMatchObject({ row: 900, action: 'hold' });
  });

  it('does not believe a fence that was read before the last saga ended', () => {
    const fenced = (ageMs: number): Snapshot =>
      sampleSnapshot({
        fences: [{ cluster: 'a', state: 'fenced', kind: 'topic-config', epoch: 1, ageMs }],
        group: sampleGroup({ noSagaOpenAgeMs: 5_000 }),
      });
    expect(decide(fenced(6_000), defaultPolicy).row).toBe(800);
    expect(decide(fenced(1_000), defaultPolicy)).toMatchObject({ row: 190, action: 'unfence' });
  });

  it('tells of records that MirrorMaker went over, until a person has looked, and moves onto the copy all the same', () => {
    const gap = { topic: 'orders', partition: 3, kind: 'purged', records: 41, downstream: 70, ageMs: 60_000 } as const;
    const flows = [sampleFlow({ gaps: [gap] })];
    const found = decide(sampleSnapshot({ flows }), defaultPolicy);
    expect(found).toMatchObject({ row: 710, action: 'alert', blockers: [] });
    expect(found.reasons).toContain('41 records were removed from the source before they were copied: orders-3');
    const acknowledged = (ageMs: number) =>
      decide(sampleSnapshot({ flows, group: sampleGroup({ flapsAcknowledgedAgeMs: ageMs }) }), defaultPolicy).row;
    expect(acknowledged(59_000)).toBe(800);
    expect(acknowledged(61_000)).toBe(710); // it was found after that
  });

  it('judges by record lag where a newer reading knows only heartbeats', () => {
    const dead = at(votesOnA('refused', 'silent', 'silent', 25_000), 25_000);
    const lagReadings = [
      { atMs: 1_970_000, records: 20_000, ms: 400, heartbeatAgeMs: 900, endSum: null },
      { atMs: 1_972_000, records: null, ms: null, heartbeatAgeMs: 900, endSum: null },
    ];
    const d = decide({ ...dead, flows: [], memory: { ...dead.memory, lagReadings } }, defaultPolicy);
    expect(d.blockers.map((b) => b.name)).toEqual(['LAG_OVER_BUDGET']);
  });
});
