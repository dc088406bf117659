import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterGoal } from '#failover';
import type { ClusterLayout, ConfigChange, ConfigTable } from '#kafka';
import { FENCE_KEY } from '../probes/fences.js';
import { FenceJournal, FenceJournalError } from './fence-journal.js';
import { TopicConfigFence, type TopicConfigHands } from './topic-config.fence.js';

const CHECK = 'pointsman-check.shop';

/** One broker with these topics; null: the topic has no value of its own. */
class OneBroker implements TopicConfigHands {
  readonly values: Map<string, string | null>;

  constructor(values: Readonly<Record<string, string | null>>) {
    this.values = new Map(Object.entries(values));
  }
  layout(): Promise<ClusterLayout> {
    const topics = new Map(
      [...this.values.keys()].map((name) => [name, { name, internal: false, errorCode: 0, partitions: [] }] as const),
    );
    return Promise.resolve({ clusterId: 'a', brokers: [], topics });
  }
  topicConfigs(): Promise<ConfigTable> {
    return Promise.resolve(new Map());
  }
  topicConfigsEverywhere(topics: readonly string[]): Promise<readonly ConfigTable[]> {
    const entry = (value: string | null) => new Map([[FENCE_KEY, { value: value ?? '1048588', set: value !== null }]]);
    return Promise.resolve([new Map(topics.map((t) => [t, entry(this.values.get(t) ?? null)]))]);
  }
  changeTopicConfigs(changes: readonly ConfigChange[]): Promise<void> {
    for (const { topic, value } of changes) this.values.set(topic, value);
    return Promise.resolve();
  }
  createTopic(): Promise<boolean> {
    throw new Error('the check topic is there in these tests');
  }
}

const goal: ClusterGoal = {
  subject: 'cluster',
  group: 'shop',
  cluster: 'a',
  state: 'fenced',
  epoch: 7,
  term: 2,
  topics: ['orders'],
};
const signal = (): AbortSignal => AbortSignal.timeout(10_000);

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'topic-config-'));
});
afterEach(() => rm(dir, { recursive: true }));
const fillDisk = (): Promise<unknown> => mkdir(join(dir, 'fence-journal.json.draft')); // no file can be written there

describe('the fence by topic configuration', () => {
  it('closes nothing whose value it could not write down', async () => {
    const broker = new OneBroker({ orders: '5000000', [CHECK]: null });
    await fillDisk();
    const fence = new TopicConfigFence(broker, new FenceJournal(dir));
    await expect(fence.place(goal, signal())).rejects.toBeInstanceOf(FenceJournalError);
    expect(broker.values.get('orders')).toBe('5000000');
  });

  it('opens on a full disk, says so, and forgets its record in a later round', async () => {
    const broker = new OneBroker({ orders: '5000000', [CHECK]: null });
    const fence = new TopicConfigFence(broker, new FenceJournal(dir));
    expect(await fence.place(goal, signal())).toMatchObject({ state: 'fenced', previous: { orders: '5000000' } });
    await fillDisk();
    const opened = await fence.lift(goal, signal());
    expect(opened).toMatchObject({ state: 'open', detail: expect.stringContaining('cannot write') });
    expect(broker.values.get('orders')).toBe('5000000');
    await rm(join(dir, 'fence-journal.json.draft'), { recursive: true });
    expect(await fence.lift(goal, signal())).toMatchObject({ state: 'open' });
    expect(await new FenceJournal(dir).of('a')).toEqual(new Map());
  });

  it('gives back the values that another agent remembers, where it has none of its own', async () => {
    const broker = new OneBroker({ orders: '5000000', payments: '7000000', [CHECK]: null });
    const both = { ...goal, topics: ['orders', 'payments'] };
    const standIn = new TopicConfigFence(broker, new FenceJournal(join(dir, 'stand-in')));
    await mkdir(join(dir, 'stand-in'));
    const { previous } = await standIn.place(both, signal());
    const own = new TopicConfigFence(broker, new FenceJournal(dir));
    const opening = { ...both, state: 'open' as const, previous: { ...previous, nobodys: '1' } };
    expect(await own.lift(opening, signal())).toMatchObject({ state: 'open', previous: {} });
    expect(Object.fromEntries(broker.values)).toEqual({ orders: '5000000', payments: '7000000', [CHECK]: null });
    // The other one looks on, and forgets: a value that is set later must not be replaced by that one day.
    expect(await standIn.read(opening)).toMatchObject({ state: 'open', previous: {} });
    expect(await new FenceJournal(join(dir, 'stand-in')).of('a')).toEqual(new Map());
    broker.values.set('orders', '8000000');
    expect(await own.lift(opening, signal())).toMatchObject({ detail: expect.stringContaining('left as it is') });
    expect(broker.values.get('orders')).toBe('8000000');
  });

  it('forgets nothing of a cluster that is to be closed, or is not wholly open yet', async () => {
    const broker = new OneBroker({ orders: '5000000', [CHECK]: null });
    const fence = new TopicConfigFence(broker, new FenceJournal(dir));
    await fence.place(goal, signal());
    await fence.read(goal);
    await fence.read({ ...goal, state: 'open' });
    broker.values.set('orders', '5000000');
    expect(await fence.read({ ...goal, state: 'open' })).toMatchObject({ state: 'partial' });
    expect((await new FenceJournal(dir).of('a')).get('orders')?.previous).toBe('5000000');
  });

  it('asks nothing of a full disk where it never closed anything', async () => {
    await fillDisk();
    const fence = new TopicConfigFence(new OneBroker({ orders: null, [CHECK]: null }), new FenceJournal(dir));
    expect(await fence.lift(goal, signal())).toMatchObject({ state: 'open' });
  });
});
