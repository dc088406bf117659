import { describe, expect, it } from 'vitest';
import type { GroupBody } from '../api/types.js';
import { allSteady, renderStatus } from './status.js';
import { width } from './text.js';

const OBSERVER = { ageMs: 500, selfHealthy: true, goodbye: false };

const steady: GroupBody = {
  group: 'orders',
  active: 'a',
  standby: 'b',
  mode: 'auto',
  row: 800,
  name: 'Steady',
  state: 'All is well.',
  gate: [],
  action: 'none',
  wouldDo: 'none',
  reasons: [],
  window: null,
  blockers: [],
  lag: { records: 12, ms: 400, observedAgeMs: 900, budget: { records: 10_000, ms: 30_000 }, trend: 'falling' },
  epoch: 7,
  leader: { id: 'ctl-a', term: 3, advertise: 'http://ctl-a:8080' },
  observers: ['a', 'b', 'c'].map((idc) => ({ ...OBSERVER, agent: `agent-${idc}`, idc, votes: { a: 'UP', b: 'UP' } })),
  pause: null,
  frozen: null,
  saga: null,
  modeSet: null,
  proposal: null,
  scheduled: null,
  pausedEverywhere: null,
  selfFence: null,
  lossAcceptance: null,
};

const dying: GroupBody = {
  ...steady,
  row: 410,
  name: 'IsolatedOrDead',
  state: 'a is silent.',
  wouldDo: 'failover',
  window: {
    fillMs: 18_200,
    lengthMs: 30_000,
    complete: false,
    startedAt: '2026-11-20T14:02:01.400Z',
    actsAt: '2026-11-20T14:02:31.400Z',
  },
};

const plain = (groups: readonly GroupBody[], columns = 100): string[] =>
  renderStatus(groups, { columns, paint: (_row, text) => text });

describe('status', () => {
  it('prints a steady group as the contract shows it', () => {
    expect(plain([steady, { ...dying, group: 'o2' }]).slice(0, 3)).toEqual([
      'GROUP   ACTIVE  MODE  ROW                 LAG             EPOCH  LEADER          OBSERVERS',
      'orders  a → b   auto  800 Steady          0.4 s of 30 s ↘     7  ctl-a (term 3)  a UP  b UP  c UP',
      'o2      a → b   auto  410 IsolatedOrDead  ▓▓▓▓░░ 18.2 of 30 s, acts 14:02:31Z; blocked by: nothing',
    ]);
  });

  it('names every blocker and every gate but the one of a standby', () => {
    const blockers = [{ name: 'LAG_OVER_BUDGET', detail: '', liftedBy: '' }];
    const text = plain([{ ...dying, blockers, gate: ['NOT_LEADER', 'OBSERVE'] }]).join('\n');
    expect(text.replace(/\n */g, ' ')).toContain('would act 14:02:31Z; blocked by: LAG_OVER_BUDGET, OBSERVE');
    expect(text).not.toContain('NOT_LEADER');
  });

  it('shows the step of an open saga instead of a window', () => {
    expect(plain([{ ...dying, saga: { id: '0193', step: 'fence-source', openedAt: null } }])[1]).toMatch(
      /saga 0193 at step fence-source$/,
    );
  });

  it('says what holds the group: pause, freeze, accepted loss', () => {
    const text = plain([
      {
        ...steady,
        row: 900,
        frozen: 'foreign content',
        pause: { owner: 'kim', reason: 'upgrade', at: null, expiresAt: '2026-11-20T15:00:00Z' },
        lossAcceptance: { by: 'kim', reason: null, maxRecords: 5, maxMs: null, expiresAt: '2026-11-20T15:00:00Z' },
      },
    ]).join('\n');
    expect(text).toMatch(/paused by kim until 2026-11-20T15:00:00Z: upgrade/);
    expect(text).toMatch(/frozen: foreign content; lifted by: pointsman ack orders --reason …/);
    expect(text).toMatch(/loss accepted by kim/);
  });

  it('keeps within the columns, loses no word, whatever the names', () => {
    const observers = ['frankfurt-1', 'dublin-2', 'warsaw-3'].map((idc) => ({
      ...OBSERVER,
      agent: idc,
      idc,
      votes: { a: 'DEGRADED' },
    }));
    const blockers = ['TARGET_NOT_FIT', 'NOT_PUBLISHABLE', 'STORE_NOT_SURVIVABLE'].map((name) => ({
      name,
      detail: '',
      liftedBy: '',
    }));
    for (const group of [
      { ...steady, observers },
      { ...dying, observers, blockers },
    ]) {
      const lines = plain([{ ...group, group: 'a-long-group-name' }]);
      expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(100);
      for (const o of observers) expect(lines.join('\n')).toContain(o.idc);
    }
  });

  it('says unknown lag as unknown', () => {
    expect(plain([{ ...steady, lag: { ...steady.lag, ms: null, records: null, trend: 'unknown' } }])[1]).toContain(
      'unknown',
    );
    expect(plain([{ ...steady, lag: { ...steady.lag, ms: null, trend: 'steady' } }])[1]).toContain('12 of 10000 rec →');
  });

  it('says what the self-fence is about, where there is one', () => {
    const selfFence = { armed: false, says: 'agent-a has not confirmed a self-fence' };
    expect(plain([{ ...steady, selfFence }])).toContainEqual(
      expect.stringMatching(/self-fence not armed: agent-a has/),
    );
    expect(plain([steady]).join('\n')).not.toContain('self-fence');
  });

  it('is steady only if every group is on row 800', () => {
    expect(allSteady([steady])).toBe(true);
    expect(allSteady([steady, { ...steady, row: null }])).toBe(false);
    expect(allSteady([steady, dying])).toBe(false);
  });
});
