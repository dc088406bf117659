import { describe, expect, it } from 'vitest';
import { planOf, type JournalEntry, type SagaKind, type SagaOutcome, type SagaRecord, type StepName } from '#failover';
import { SagaAborts } from './saga-abort.js';

const AT = '2026-11-27T02:00:00.000Z';

const entry = (step: StepName, direction: 'do' | 'undo', event: 'intent' | 'done', seq: number): JournalEntry => ({
  ...{ seq, step, direction, event, term: 1, at: AT },
  ...{ deadlineMs: null, evidence: null },
});

const saga = (kind: SagaKind, outcome: SagaOutcome | null, ...journal: JournalEntry[]): SagaRecord => ({
  ...{ id: '0199', kind, group: 'orders', source: 'a', target: 'b', row: 0, trigger: 'operator' },
  ...{ fromEpoch: 1, epoch: 2, term: 1, openedAt: AT, closedAt: outcome === null ? null : AT, outcome, journal },
});

async function answerTo(asked: SagaRecord, then: SagaRecord): Promise<string> {
  const aborts = new SagaAborts(planOf(asked, 0), new AbortController().signal, 1);
  const answer = aborts.ask(asked, 'Ana: wrong night');
  aborts.answer(then);
  return await answer;
}

describe('the answer to a person who wants a saga to end', () => {
  const publishing = entry('publish', 'do', 'intent', 1);
  const undoing = entry('fence-source', 'undo', 'intent', 1);
  it.each<[why: string, then: SagaRecord, answer: string]>([
    ['it walks back', saga('switchover', null, undoing), 'aborted'],
    ['it closed without having published', saga('switchover', 'ABORTED'), 'aborted'],
    ['publish was begun first', saga('switchover', null, publishing), 'too-late: publish'],
    ['publish was begun, and is taken back', saga('switchover', null, publishing, undoing), 'aborted'],
    ['it published and closed', saga('switchover', 'DONE', publishing), 'too-late: publish'],
    ['a rejoin had come to its end first', saga('rejoin', 'DONE'), 'finished'],
    ['a rejoin had come to its end first, with a debt', saga('rejoin', 'DONE_WITH_DEBT'), 'finished'],
  ])('%s', async (_, then, answer) => {
    expect(await answerTo(saga(then.kind, null), then)).toBe(answer);
  });

  it('is none from memory: a leader that loses its lease first gives none', async () => {
    const leading = new AbortController();
    const asked = saga('switchover', null);
    const aborts = new SagaAborts(planOf(asked, 0), leading.signal, 1);
    const answer = aborts.ask(asked, 'Ana: wrong night');
    aborts.answer(asked); // the journal has decided nothing
    leading.abort();
    await expect(answer).rejects.toThrow(/term 1/);
  });
});
