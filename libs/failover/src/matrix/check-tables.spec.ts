import { describe, expect, it } from 'vitest';
import { checkTables, COMBINATIONS, combinationsHeldByLastRow, snapshotOf } from './check-tables.js';
import { decide } from './decide.js';
import { compilePolicy, defaultPolicy } from './policy.js';
import { sampleVote } from '../simulate/sample-snapshot.js';

describe('the tables', () => {
  it('have no problems', () => {
    expect(checkTables()).toEqual([]);
  });

  it('notice a goal that agents do not know', () => {
    expect(checkTables(['cluster/fenced', 'cluster/open']).join()).toContain('flow/stopped');
  });

  it('hold what falls to the last row, a reviewed list', async () => {
    await expect(`${combinationsHeldByLastRow().join('\n')}\n`).toMatchFileSnapshot(
      '__snapshots__/held-by-last-row.txt',
    );
  });
});

describe('all 343 combinations of three votes', () => {
  const policies = [defaultPolicy, compilePolicy({ ...defaultPolicy, clients: 'outside' })];
  const wantsFailover = policies.flatMap((policy) =>
    COMBINATIONS.flatMap((c) => {
      const snapshot = snapshotOf(c);
      return decide(snapshot, policy).wouldDo === 'failover' ? [{ c, snapshot, policy }] : [];
    }),
  );

  it('act on some, and never on fewer than two DOWN votes (I7)', () => {
    expect(wantsFailover.length).toBeGreaterThan(0);
    for (const { snapshot } of wantsFailover) {
      const down = Object.values(snapshot.votes['a'] ?? {}).filter((v) => v.state === 'DOWN');
      expect(down.length).toBeGreaterThanOrEqual(2);
    }
  });

  it('stop acting when any one vote turns UP; for row 420 any outsider’s (I7, I9)', () => {
    for (const { c, snapshot, policy } of wantsFailover) {
      const row = decide(snapshot, policy).row;
      for (const agent of Object.keys(snapshot.votes['a'] ?? {})) {
        if (row === 420 && agent === 'agent-a') continue;
        const votes = { ...snapshot.votes, a: { ...snapshot.votes['a'], [agent]: sampleVote(agent, 'up') } };
        const d = decide({ ...snapshot, votes }, policy);
        const stillActs = d.action === 'failover';
        expect({ c, agent, stillActs }).toEqual({ c, agent, stillActs: false });
      }
    }
  });
});
