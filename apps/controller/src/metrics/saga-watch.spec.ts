import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryAuthorityDatabase } from '../../../../test/fakes/memory-authority-database.js';
import { FakeLeadership } from '../../../../test/simulation/fake-leadership.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { A, aSaga, anEntry, lead } from '../persistence/conformance/builders.js';
import type { GroupMetrics } from './group-metrics.js';
import { SagaWatch } from './saga-watch.service.js';

/** Of a test's own time: closed after the watch was made. */
const LATER = '2999-01-01T00:00:00.000Z';

let database: MemoryAuthorityDatabase;
let leadership: FakeLeadership;
let asked: string[];
let closed: string[];
let term: number;

beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  leadership = new FakeLeadership(A.id);
  [asked, closed] = [[], []];
  term = await lead(database.connect(A.id), A);
});

function watchOf(...groups: readonly string[]): SagaWatch {
  const store = database.connect(A.id);
  const noted: Partial<AuthorityStore> = {
    sagas: (group, limit) => (asked.push(`sagas ${group}`), store.sagas(group, limit)),
    sagaHeads: (group, limit) => (asked.push(`heads ${group}`), store.sagaHeads(group, limit)),
    saga: (id) => (asked.push(`saga ${id}`), store.saga(id)),
  };
  const metrics: Partial<GroupMetrics> = {
    sagaClosed: (kind, outcome) => void closed.push(`${kind} ${outcome}`),
    stepDone: () => undefined,
  };
  return new SagaWatch(
    { groups, version: '1' },
    noted as AuthorityStore,
    leadership,
    metrics as Partial<GroupMetrics> as GroupMetrics,
  );
}

const ends = (id: string, group: string): Promise<void> =>
  database.connect(A.id).transact(term, A.id, async (tx) => {
    await tx.openSaga(aSaga(id, group));
    await tx.appendJournal(id, [anEntry('confirm', 'intent'), anEntry('confirm', 'done')]);
    await tx.closeSaga(id, 'DONE', LATER);
  });

describe('the watch over sagas', () => {
  it('reads a journal once, of a saga that has ended', async () => {
    leadership.won(term);
    const watch = watchOf('orders', 'payments');
    await ends('s-1', 'orders');
    await watch.look();
    expect(asked).toEqual(['heads orders', 'saga s-1', 'heads payments']);
    asked.length = 0;
    await watch.look();
    expect(asked).toEqual(['heads orders', 'heads payments']);
    expect(closed).toEqual(['failover DONE']);
  });

  it('reads no journal where another controller leads, nor later for what ended then', async () => {
    const watch = watchOf('orders');
    await ends('s-1', 'orders');
    await watch.look();
    leadership.won(term);
    await watch.look();
    expect(asked).toEqual(['heads orders', 'heads orders']);
    expect(closed).toEqual([]);
  });

  it('does not begin a second look beside a slow one', async () => {
    leadership.won(term);
    const watch = watchOf('orders', 'payments');
    const slow = database.holdNext('read');
    const first = watch.look();
    await slow.reached;
    const second = watch.look();
    slow.release();
    await Promise.all([first, second]);
    expect(asked).toEqual(['heads orders', 'heads payments']);
    await watch.look();
    expect(asked).toHaveLength(4);
  });

  it('counts in the next look what could not be read in this one', async () => {
    leadership.won(term);
    const watch = watchOf('orders');
    await ends('s-1', 'orders');
    const heads = database.holdNext('read');
    const look = watch.look();
    await heads.reached;
    database.failNext('read'); // the journal
    heads.release();
    await look;
    expect(closed).toEqual([]);
    await watch.look();
    expect(closed).toEqual(['failover DONE']);
  });

  it('counts each once in groups beyond number', async () => {
    leadership.won(term);
    const groups = Array.from({ length: 60 }, (_, i) => `g-${i}`);
    const watch = watchOf(...groups);
    for (const group of groups) for (let n = 0; n < 20; n += 1) await ends(`${group}-${n}`, group);
    await watch.look();
    await watch.look();
    expect(closed).toHaveLength(1_200);
  });
});
