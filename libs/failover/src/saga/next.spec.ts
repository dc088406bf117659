import { describe, expect, it } from 'vitest';
import { nextStep, type SagaWorld } from './next.js';
import { planSaga, stepsOf } from './plan.js';
import type { JournalEntry, Json, SagaRecord, StepName } from './types.js';

const FAILOVER_STEPS = stepsOf('failover');

const plan = planSaga({ kind: 'failover', group: 'orders', source: 'a', target: 'b', maxOpenMs: 300_000 });

type Line = readonly ['do' | 'undo', StepName, JournalEntry['event'], Json?, number?];

const saga = (...lines: readonly Line[]): SagaRecord => ({
  id: 'saga-1',
  kind: 'failover',
  group: 'orders',
  source: 'a',
  target: 'b',
  row: 400,
  trigger: 'auto',
  fromEpoch: 7,
  epoch: 8,
  term: 3,
  openedAt: '2026-11-20T14:00:00Z',
  closedAt: null,
  outcome: null,
  journal: lines.map(([direction, step, event, evidence, term], i) => ({
    seq: i + 1,
    step,
    direction,
    event,
    term: term ?? 3,
    at: '2026-11-20T14:00:00Z',
    deadlineMs: null,
    evidence: evidence ?? null,
  })),
});

const doneUpTo = (last: StepName, term = 3): readonly Line[] =>
  FAILOVER_STEPS.slice(0, FAILOVER_STEPS.indexOf(last) + 1).flatMap((step): Line[] => [
    ['do', step, 'intent', null, term],
    ['do', step, 'done', null, term],
  ]);

const before = { active: 'a', epoch: 7, sagaId: 'older' } as const;
const ours = { active: 'b', epoch: 8, sagaId: 'saga-1' } as const;
const undone = { active: 'a', epoch: 9, sagaId: 'saga-1' } as const;

const next = (of: SagaRecord, world: Partial<SagaWorld> = {}) =>
  nextStep(plan, of, { pointer: before, term: 3, openForMs: 1_000, ...world });

describe('forward', () => {
  it.each(FAILOVER_STEPS.slice(1, -1).map((step, i) => [FAILOVER_STEPS[i] ?? 'confirm', step] as const))(
    'after %s comes %s',
    (last, step) => {
      const pointer = FAILOVER_STEPS.indexOf(last) >= FAILOVER_STEPS.indexOf('publish') ? ours : before;
      expect(next(saga(...doneUpTo(last)), { pointer })).toMatchObject({ kind: 'do', step });
    },
  );

  it('closes DONE after remember, DONE_WITH_DEBT when something after publish is missing', () => {
    expect(next(saga(...doneUpTo('remember')), { pointer: ours })).toMatchObject({ kind: 'close', outcome: 'DONE' });
    const debt = saga(
      ...doneUpTo('publish'),
      ['do', 'verify-publish', 'intent'],
      ['do', 'verify-publish', 'failed'],
      ['do', 'remember', 'intent'],
      ['do', 'remember', 'done'],
    );
    expect(next(debt, { pointer: ours })).toMatchObject({ kind: 'close', outcome: 'DONE_WITH_DEBT' });
  });

  it('a new leader looks again at what may have changed, and trusts what was written once', () => {
    const taken = saga(...doneUpTo('set-offsets', 3));
    expect(next(taken, { term: 4 })).toMatchObject({ kind: 'do', step: 'check-publishable' });
    const looked = saga(...doneUpTo('set-offsets', 3), ['do', 'check-publishable', 'done', null, 4]);
    expect(next(looked, { term: 4 })).toMatchObject({ kind: 'do', step: 'fence-source' });
  });

  it('goes forward when the pointer is ours, whatever the journal says', () => {
    const silentFailure = saga(
      ...doneUpTo('unfence-target'),
      ['do', 'publish', 'intent'],
      ['do', 'publish', 'failed', { outcome: 'FAILED', reason: 'no answer' }],
    );
    expect(next(silentFailure, { pointer: ours })).toMatchObject({ kind: 'do', step: 'publish' });
    expect(next(silentFailure, { pointer: ours, openForMs: 999_999 })).toMatchObject({ kind: 'do', step: 'publish' });
  });

  it('after publish an overdue saga skips what only looks, remembers and closes', () => {
    const late = saga(...doneUpTo('publish'));
    expect(next(late, { pointer: 'silent', openForMs: 300_000 })).toMatchObject({ kind: 'do', step: 'remember' });
  });
});

describe('backward', () => {
  const failed: Line = ['do', 'check-target', 'failed', { outcome: 'RECOVERED', reason: 'a answers again' }];

  it('takes back what was attempted, last first, and closes with the reason', () => {
    const start = [...doneUpTo('set-offsets'), ['do', 'check-target', 'intent'] as Line, failed];
    expect(next(saga(...start))).toMatchObject({ kind: 'undo', step: 'stop-replication', outcome: 'RECOVERED' });
    const resumed: Line = ['undo', 'stop-replication', 'done'];
    expect(next(saga(...start, resumed))).toMatchObject({ kind: 'undo', step: 'fence-source' });
    const unfenced: Line = ['undo', 'fence-source', 'done'];
    expect(next(saga(...start, resumed, unfenced))).toMatchObject({
      kind: 'close',
      outcome: 'RECOVERED',
      freeze: null,
    });
  });

  it('an attempt without an end counts as made', () => {
    const cut = saga(...doneUpTo('announce'), ['do', 'fence-source', 'intent']);
    expect(next(cut, { openForMs: 300_000 })).toMatchObject({ kind: 'undo', step: 'fence-source', outcome: 'FAILED' });
  });

  it('once begun it is not turned round by a new leader', () => {
    const begun = saga(...doneUpTo('set-offsets'), [
      'undo',
      'stop-replication',
      'intent',
      { outcome: 'FAILED', reason: 'x' },
    ]);
    expect(next(begun, { term: 4 })).toMatchObject({ kind: 'undo', step: 'stop-replication' });
  });

  it('a compensation that only fails does not hold the saga open', () => {
    const failures = Array.from({ length: 3 }, (): Line => ['undo', 'fence-source', 'failed']);
    const stuck = saga(
      ...doneUpTo('fence-source'),
      ['do', 'stop-replication', 'failed', { outcome: 'FAILED' }],
      ...failures,
    );
    expect(next(stuck)).toMatchObject({ kind: 'close', outcome: 'FAILED' });
  });
});

describe('after an attempted publish', () => {
  const attempted = [...doneUpTo('unfence-target'), ['do', 'publish', 'intent'] as Line];
  const failed: Line = ['do', 'publish', 'failed', { outcome: 'FAILED', reason: 'no answer' }];

  it('silence is waited for, and at sagaMaxOpen a person must look', () => {
    expect(next(saga(...attempted, failed), { pointer: 'silent' })).toMatchObject({ kind: 'wait' });
    expect(next(saga(...attempted, failed), { pointer: 'silent', openForMs: 300_000 })).toMatchObject({
      kind: 'close',
      outcome: 'NEEDS_OPERATOR',
    });
  });

  it('not ours: first the old cluster is published at a higher epoch, then the rest is taken back', () => {
    expect(next(saga(...attempted, failed))).toMatchObject({ kind: 'undo', step: 'publish' });
    const won = saga(...attempted, failed, ['undo', 'publish', 'intent'], ['undo', 'publish', 'done']);
    expect(next(won, { pointer: undone })).toMatchObject({ kind: 'undo', step: 'unfence-target' });
  });

  it('a center that can be read and never written ends with a person and a frozen group', () => {
    const stuck = next(saga(...attempted, failed), { openForMs: 400_000 });
    expect(stuck).toMatchObject({ kind: 'close', outcome: 'NEEDS_OPERATOR' });
    expect(stuck.kind === 'close' && stuck.freeze).toContain('could not be published again');
  });

  it('the successor of a dead leader tries again: its claim has made the old attempt harmless', () => {
    const looked = saga(...attempted, ...doneUpTo('unfence-target', 4));
    expect(next(looked, { term: 4 })).toMatchObject({ kind: 'do', step: 'publish' });
  });
});

describe('a person aborts', () => {
  const abort = { reason: 'ann: not tonight' };

  it('before anything was touched: closed, nothing to take back', () => {
    expect(next(saga(...doneUpTo('announce')), { abort })).toMatchObject({ kind: 'close', outcome: 'ABORTED' });
  });

  it('walks back and keeps walking once the request is gone: the journal remembers', () => {
    expect(next(saga(...doneUpTo('set-offsets')), { abort })).toMatchObject({
      kind: 'undo',
      step: 'stop-replication',
      outcome: 'ABORTED',
      reason: abort.reason,
    });
    const begun = saga(...doneUpTo('set-offsets'), ['undo', 'stop-replication', 'intent', { outcome: 'ABORTED' }]);
    expect(next(begun)).toMatchObject({ kind: 'undo', outcome: 'ABORTED' });
  });

  it('is too late once published', () => {
    expect(next(saga(...doneUpTo('publish')), { pointer: ours, abort })).toMatchObject({ kind: 'do' });
  });
});

describe("a stranger's pointer", () => {
  const foreign = { active: 'a', epoch: 12, sagaId: 'stranger' } as const;

  it('freezes the group, after our own effects are taken back', () => {
    expect(next(saga(...doneUpTo('fence-source')), { pointer: foreign })).toMatchObject({
      kind: 'undo',
      step: 'fence-source',
    });
    const clean = saga(...doneUpTo('fence-source'), ['undo', 'fence-source', 'done']);
    expect(next(clean, { pointer: foreign })).toMatchObject({ kind: 'close', outcome: 'NEEDS_OPERATOR' });
  });

  it('that names the target keeps the source fenced', () => {
    const moved = next(saga(...doneUpTo('fence-source')), { pointer: { ...foreign, active: 'b' } });
    expect(moved).toMatchObject({ kind: 'close', outcome: 'NEEDS_OPERATOR' });
  });

  it('a lost pointer is one too', () => {
    expect(next(saga(...doneUpTo('announce')), { pointer: 'absent' })).toMatchObject({
      kind: 'close',
      outcome: 'NEEDS_OPERATOR',
    });
  });
});
