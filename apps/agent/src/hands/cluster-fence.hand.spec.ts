import { describe, expect, it } from 'vitest';
import type { ClusterGoal, FenceKind, FenceOffer } from '#failover';
import { KafkaCallError, monotonicMs } from '#kafka';
import { ClusterFenceHand } from './cluster-fence.hand.js';
import type { Fence, FenceReading } from './fence.js';
import { FenceJournalError } from './fence-journal.js';
import { HookError } from './hook-command.js';

const denied = new KafkaCallError('CreateAcls', { kind: 'authorization', errorCode: 31, detail: 'not allowed' });
const silent = new KafkaCallError('Metadata', { kind: 'deadline', errorCode: null, detail: 'no answer' });

/** Writes down what happens in which order: an exchange must leave no gap. */
class NotedFence implements Fence {
  readonly kind: FenceKind;
  readonly usable: boolean;
  state: FenceReading['state'] = 'open';
  fails: Error | null = null;
  cutOff = false; // as by a hook that cuts off the brokers from the agent too: neither lifted nor read
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
    if (this.fails !== null) return Promise.reject(this.fails);
    this.#notes.push(`place ${this.kind}`);
    this.state = 'fenced';
    return this.read();
  }

  lift(): Promise<FenceReading> {
    if (this.cutOff) return this.read();
    if (this.state !== 'open') this.#notes.push(`lift ${this.kind}`);
    this.state = 'open';
    return this.read();
  }

  read(): Promise<FenceReading> {
    if (this.cutOff) return Promise.reject(silent);
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
    acl.fails = denied;
    const status = await hand.apply(goal('fenced'), signal);
    expect(status).toMatchObject({
      reached: true,
      kind: 'topic-config',
      detail: expect.stringContaining('not allowed'),
    });
    acl.fails = null;
    expect(await hand.apply(goal('fenced'), signal)).toMatchObject({ kind: 'acl' });
  });

  it('takes the next kind where the disk does not take what the strongest has to write down', async () => {
    const { hand, config } = stage(['topic-config', 'hook']);
    config.fails = new FenceJournalError('cannot write fence-journal.json: ENOSPC');
    const status = await hand.apply(goal('fenced'), signal);
    expect(status).toMatchObject({ reached: true, kind: 'hook', detail: expect.stringContaining('ENOSPC') });
  });

  it('is closed by a hook that cuts off the brokers from the agent too', async () => {
    const { hand, acl, config, hook } = stage(['hook']);
    acl.cutOff = config.cutOff = true;
    const status = await hand.apply(goal('fenced'), signal);
    expect(status).toMatchObject({ observed: 'fenced', reached: true, kind: 'hook' });
    expect(status.detail).toContain('no answer');
    expect(hook.state).toBe('fenced');
  });

  it('is no exchange that is reached while the other kind cannot be seen to be gone', async () => {
    const { hand, config } = stage(['hook']);
    config.state = 'fenced';
    config.cutOff = true;
    const status = await hand.apply(goal('fenced', ['acl', 'hook']), signal);
    expect(status).toMatchObject({ observed: 'fenced', reached: false, kind: 'hook' });
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

  it('opens what it can where one kind cannot be opened, and does not call that open', async () => {
    const { hand, notes, acl, config, hook } = stage();
    acl.state = hook.state = 'fenced';
    config.cutOff = true;
    const status = await hand.apply(goal('open'), signal);
    expect(status).toMatchObject({ observed: 'unknown', reached: false });
    expect(notes).toEqual(['lift hook', 'lift acl']);
  });

  it('sends nothing more once its goal was replaced', async () => {
    const { hand, notes, acl } = stage();
    acl.state = 'fenced';
    await expect(hand.apply(goal('open'), AbortSignal.abort(new Error('replaced')))).rejects.toThrow('replaced');
    expect(notes).toEqual([]);
  });

  it('only looks when it is a bystander', async () => {
    const { hand, notes, acl } = stage();
    acl.state = 'partial';
    expect(await hand.observe(goal('fenced'))).toMatchObject({ reached: false, observed: 'partial', kind: 'acl' });
    expect(notes).toEqual([]);
  });
});

describe('while the cluster does not answer', () => {
  it('closes by the hook, and asks no broker for anything', async () => {
    const { hand, notes, acl, config } = stage();
    acl.cutOff = config.cutOff = true;
    const status = await hand.applySilent(goal('fenced'), signal);
    expect(status).toMatchObject({ observed: 'fenced', reached: true, kind: 'hook' });
    expect(notes).toEqual(['place hook']);
  });

  it('does nothing where no hook may be used', async () => {
    expect(await stage(['acl']).hand.applySilent(goal('fenced'), signal)).toBeNull();
    expect(await stage().hand.applySilent(goal('fenced', ['acl']), signal)).toBeNull();
  });

  it('does not call closed what the hook could not close', async () => {
    const { hand, hook } = stage();
    hook.fails = new HookError('the hook cannot be run');
    const status = await hand.applySilent(goal('fenced'), signal);
    expect(status).toMatchObject({ observed: 'unknown', reached: false });
    expect(status?.detail).toContain('the hook cannot be run');
  });

  it('opens by the hook, which may be what cut the brokers off, and does not call that open', async () => {
    const { hand, notes, acl, hook } = stage();
    acl.state = hook.state = 'fenced';
    const status = await hand.applySilent(goal('open'), signal);
    expect(status).toMatchObject({ observed: 'unknown', reached: false });
    expect(notes).toEqual(['lift hook']);
  });
});
