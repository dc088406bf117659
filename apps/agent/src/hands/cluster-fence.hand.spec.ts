import { describe, expect, it } from 'vitest';
import type { ClusterGoal, FenceKind, FenceOffer } from '#failover';
import { KafkaCallError, monotonicMs } from '#kafka';
import { ClusterFenceHand } from './cluster-fence.hand.js';
import type { Fence, FenceReading } from './fence.js';

/** Writes down what happens in which order: an exchange must leave no gap. */
class NotedFence implements Fence {
  readonly kind: FenceKind;
  readonly usable: boolean;
  state: FenceReading['state'] = 'open';
  fails = false;
  readonly #notes: string[];

  constructor(kind: FenceKind, notes: string[], usable = true) {
    this.kind = kind;
    this.usable = usable;
    this.#notes = notes;
  }

  offer(): Promise<FenceOffer> {
    return Promise.resolve({ kind: this.kind, usable: this.usable, reason: 'as the test says' });
  }

  place(): Promise<FenceReading> {
    if (this.fails) {
      const failure = { kind: 'authorization', errorCode: 31, detail: 'not allowed' } as const;
      return Promise.reject(new KafkaCallError('CreateAcls', failure));
    }
    this.#notes.push(`place ${this.kind}`);
    this.state = 'fenced';
    return this.read();
  }

  lift(): Promise<FenceReading> {
    if (this.state !== 'open') this.#notes.push(`lift ${this.kind}`);
    this.state = 'open';
    return this.read();
  }

  read(): Promise<FenceReading> {
    return Promise.resolve({ state: this.state, readAtMs: monotonicMs(), detail: '', previous: {} });
  }
}

function stage(usable: readonly FenceKind[] = ['acl', 'topic-config', 'hook']) {
  const notes: string[] = [];
  const [acl, config, hook] = (['acl', 'topic-config', 'hook'] as const).map(
    (kind) => new NotedFence(kind, notes, usable.includes(kind)),
  ) as [NotedFence, NotedFence, NotedFence];
  return { notes, acl, config, hook, hand: new ClusterFenceHand([acl, config, hook]) };
}

const goal = (state: ClusterGoal['state'], kinds?: readonly FenceKind[]): ClusterGoal => ({
  subject: 'cluster',
  group: 'shop',
  cluster: 'a',
  state,
  epoch: 7,
  term: 2,
  topics: ['orders'],
  ...(kinds === undefined ? {} : { kinds }),
});
const signal = new AbortController().signal;

describe('ClusterFenceHand', () => {
  it('closes by the strongest kind that the cluster offers', async () => {
    const all = stage();
    expect(await all.hand.apply(goal('fenced'), signal)).toMatchObject({ reached: true, kind: 'acl' });
    expect(all.notes).toEqual(['place acl']);
    const plain = stage(['topic-config', 'hook']);
    expect(await plain.hand.apply(goal('fenced'), signal)).toMatchObject({ reached: true, kind: 'topic-config' });
  });

  it('takes the next kind where the strongest fails, and says why', async () => {
    const { hand, acl } = stage();
    acl.fails = true;
    const status = await hand.apply(goal('fenced'), signal);
    expect(status).toMatchObject({
      reached: true,
      kind: 'topic-config',
      detail: expect.stringContaining('not allowed'),
    });
    acl.fails = false;
    expect(await hand.apply(goal('fenced'), signal)).toMatchObject({ kind: 'acl' });
  });

  it('exchanges without a gap: the new fence holds before the old one is lifted', async () => {
    const { hand, notes, config } = stage();
    config.state = 'fenced';
    const status = await hand.apply(goal('fenced', ['acl', 'hook']), signal);
    expect(status).toMatchObject({ reached: true, kind: 'acl' });
    expect(notes).toEqual(['place acl', 'lift topic-config']);
  });

  it('does not call an exchange reached that nothing can carry out, and keeps the old fence', async () => {
    const { hand, notes, config } = stage(['topic-config']);
    config.state = 'fenced';
    const status = await hand.apply(goal('fenced', ['acl', 'hook']), signal);
    expect(status).toMatchObject({ reached: false, observed: 'fenced', kind: 'topic-config' });
    expect(status.detail).toMatch(/acl cannot be used: as the test says; hook cannot be used/);
    expect(notes).toEqual([]);
  });

  it('opens every kind of ours, and is open only when none holds', async () => {
    const { hand, notes, acl, hook } = stage();
    acl.state = hook.state = 'fenced';
    expect(await hand.apply(goal('open'), signal)).toMatchObject({ reached: true, observed: 'open' });
    expect(notes).toEqual(['lift hook', 'lift acl']);
  });

  it('only looks when it is a bystander', async () => {
    const { hand, notes, acl } = stage();
    acl.state = 'partial';
    expect(await hand.observe(goal('fenced'))).toMatchObject({ reached: false, observed: 'partial', kind: 'acl' });
    expect(notes).toEqual([]);
  });
});
