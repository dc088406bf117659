import { describe, expect, it } from 'vitest';
import { demoResult, type Failback } from './result.js';

const home: Failback = {
  ...{ acknowledged: 100, lost: [], skipped: [], duplicated: 0, resent: 0, readAgain: 3, pausedMs: 900 },
  ...{ outcome: 'DONE', durationMs: 8_000 },
};
const result = (failback: Partial<Failback> = {}, tail = { records: 4, reported: 4 }) =>
  demoResult({
    timeline: {
      ...{ detectMs: 4_000, confirmMs: 6_000, actMs: 3_000, publishedAtMs: 1_000, windowMs: 10_000 },
      estimatedLoss: 5,
    },
    proof: {
      ...{
        acknowledged: 50,
        replicatedBeforeKill: 40,
        lost: ['p0-1'],
        lostReplicated: 0,
        duplicated: 0,
        outOfOrder: 0,
      },
      ...{ firstAckMs: 1_100, firstConsumedMs: 1_200 },
    },
    falseAlarms: [],
    tail,
    failback: { ...home, ...failback },
    alerts: { received: 1, signatureFailures: 0 },
    rssMb: { controllers: [], agents: [] },
    leftovers: [],
  });

describe('demoResult', () => {
  it('holds when the failover kept its word and the way home lost nothing', () => {
    expect(result()).toMatchObject({
      ok: true,
      failures: [],
      rto: { totalMs: 13_200, adoptMs: 200 },
      tail: { records: 4, reported: 4 },
      failback: { ok: true, lost: 0, skipped: 0, duplicated: 0, durationMs: 8_000 },
    });
  });

  it.each<[string, Partial<Failback>]>([
    ['was taken back', { outcome: 'FAILED' }],
    ['lost an order', { lost: ['p0-7'] }],
    ['had consumers skip an order', { skipped: ['p0-7'] }],
    ['doubled an order that nobody sent again', { duplicated: 1 }],
  ])('fails when the failback %s', (_, failback) => {
    expect(result(failback)).toMatchObject({ ok: false, failback: { ok: false } });
  });

  it('takes an order twice in the log that was sent again', () => {
    expect(result({ duplicated: 1, resent: 1 }).ok).toBe(true);
  });

  it('fails when the tail report and the independent count differ', () => {
    expect(result({}, { records: 5, reported: 4 })).toMatchObject({ ok: false, failback: { ok: true } });
  });
});
