import { describe, expect, it } from 'vitest';
import { sampleFlow, sampleSnapshot, sampleVotes } from '../simulate/sample-snapshot.js';
import { classicHealthy, evaluateClassic } from './classic.js';
import { decide } from './decide.js';
import { compilePolicy, modeErrors } from './policy.js';

const classic = compilePolicy({ preset: 'classic', maxRpo: { records: 0, durationMs: 0 } });

describe("the seed's evaluate_failover_conditions", () => {
  const healthy = { reachable: true, activeBrokers: 3, replicationLagSeconds: 5, offlinePartitions: 0 };

  it.each([
    [healthy, [], 'MONITOR'],
    [{ ...healthy, reachable: false }, ['DC1 unreachable'], 'FAILOVER'],
    [{ ...healthy, activeBrokers: 0 }, ['No active brokers in DC1'], 'FAILOVER'],
    [{ ...healthy, replicationLagSeconds: 300 }, [], 'MONITOR'],
    [{ ...healthy, replicationLagSeconds: 301 }, ['Replication lag: 301s'], 'FAILOVER'],
    [{ ...healthy, offlinePartitions: 2 }, ['Offline partitions: 2'], 'FAILOVER'],
    [
      { reachable: false, activeBrokers: 0, replicationLagSeconds: 400, offlinePartitions: 1 },
      ['DC1 unreachable', 'No active brokers in DC1', 'Replication lag: 400s', 'Offline partitions: 1'],
      'FAILOVER',
    ],
    [{}, ['No active brokers in DC1'], 'FAILOVER'],
  ])('%j', (metrics, reasons, recommendedAction) => {
    expect(evaluateClassic(metrics)).toEqual({ failoverNeeded: reasons.length > 0, reasons, recommendedAction });
  });

  it("its loop's health check asks for less than 60 s of lag", () => {
    expect(classicHealthy(healthy)).toBe(true);
    expect(classicHealthy({ ...healthy, replicationLagSeconds: 59.9 })).toBe(true);
    expect(classicHealthy({ ...healthy, replicationLagSeconds: 60 })).toBe(false);
  });
});

describe('preset classic on the machinery', () => {
  const down = sampleVotes({ a: 'silent', b: 'silent', c: 'silent' }, 5_000);
  const up = sampleVotes({ a: 'up', b: 'up', c: 'up' });

  it('re-checks after 30 s, then fails over', () => {
    const first = decide(sampleSnapshot({ votes: { a: down, b: up } }), classic);
    expect(first).toMatchObject({ row: 1100, action: 'hold', wouldDo: 'failover' });
    const later = sampleSnapshot({ now: 1_030_000, votes: { a: down, b: up }, memory: first.nextMemory });
    expect(decide(later, classic)).toMatchObject({ row: 1100, action: 'failover' });
  });

  it('moves on lag alone, which guarded never does', () => {
    const lagging = sampleSnapshot({ flows: [sampleFlow({ lagMs: 301_000 })] });
    expect(decide(lagging, classic)).toMatchObject({ row: 1120, wouldDo: 'failover' });
    expect(decide(lagging, compilePolicy({ ...classic, preset: 'guarded' })).wouldDo).not.toBe('failover');
  });

  it('refuses mode auto without the risk accepted', () => {
    expect(modeErrors('auto', classic, ['a', 'b', 'c'])).toMatchObject([{ at: 'policy.preset' }]);
    const accepted = compilePolicy({ ...classic, acceptRisk: 'split-brain-and-loss' });
    expect(modeErrors('auto', accepted, ['a', 'b', 'c'])).toEqual([]);
    expect(modeErrors('auto', accepted, ['a', 'b'])[0]?.message).toContain('witness');
  });
});
