import { describe, expect, it } from 'vitest';
import type { WatchGroup } from '#failover';
import type { Answer, ClusterEyes, CommittedList, CommittedOffset } from '#kafka';
import { ConsumerGroups } from './consumer-groups.js';
import { OffsetTable } from './offset-table.js';

const NOT_COORDINATOR = 16;
const good = <T>(value: T): Answer<T> => ({ ok: true, value, latencyMs: 1 });
const silence: Answer<never> = { ok: false, kind: 'deadline', errorCode: null, detail: 'silent', latencyMs: 1 };

type Asked = Readonly<{ what: 'coordinators' | 'offsets' | 'members'; of: string; groups: readonly string[] }>;

/** Two brokers; each group has its coordinator and its commits, by the test's word. */
class Scripted implements Pick<ClusterEyes, 'coordinators' | 'committedOffsets' | 'groupMembers'> {
  coordinatorOf: Record<string, number> = { billing: 1, shipping: 2, audit: 1 };
  commits: Record<string, readonly Omit<CommittedOffset, 'group'>[]> = {};
  members: Record<string, number> = {};
  silent = new Set<string>();
  asked: Asked[] = [];

  coordinators(address: string, groups: readonly string[]): Promise<Answer<ReadonlyMap<string, number>>> {
    this.asked.push({ what: 'coordinators', of: address, groups });
    const known = groups.flatMap((g) =>
      this.coordinatorOf[g] === undefined ? [] : [[g, this.coordinatorOf[g]] as const],
    );
    return Promise.resolve(this.silent.has(address) ? silence : good(new Map(known)));
  }

  committedOffsets(address: string, groups: readonly string[]): Promise<Answer<CommittedList>> {
    this.asked.push({ what: 'offsets', of: address, groups });
    if (this.silent.has(address)) return Promise.resolve(silence);
    const here = groups.filter((g) => `b${this.coordinatorOf[g] ?? 0}` === address);
    const offsets = here.flatMap((group) => (this.commits[group] ?? []).map((c) => ({ ...c, group })));
    const failed = groups.filter((g) => !here.includes(g)).map((group) => ({ group, errorCode: NOT_COORDINATOR }));
    return Promise.resolve(good({ offsets, failed }));
  }

  groupMembers(address: string, groups: readonly string[]): Promise<Answer<ReadonlyMap<string, number>>> {
    this.asked.push({ what: 'members', of: address, groups });
    const known = groups.flatMap((g) => (this.members[g] === undefined ? [] : [[g, this.members[g]] as const]));
    return Promise.resolve(this.silent.has(address) ? silence : good(new Map(known)));
  }
}

const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset });
const watch = (name: string, topics: readonly string[], consumerGroups: readonly string[]): WatchGroup => ({
  name,
  clusters: ['a'],
  topics,
  consumerGroups,
  principals: [],
  flows: [],
  active: 'a',
  epoch: 1,
});

function rig(groups: readonly WatchGroup[]) {
  const eyes = new Scripted();
  const consumers = new ConsumerGroups(eyes);
  consumers.setWatch(groups);
  const ends = new OffsetTable();
  let now = 1_000;
  const round = async (afterMs = 2_000) => {
    now += afterMs;
    eyes.asked = [];
    await consumers.ask({ anyone: 'b1', broker: (id) => `b${id}` }, now, 500);
    return consumers.observations(ends, now);
  };
  return { eyes, consumers, ends, round, nowMs: () => now };
}

const ORDERS = watch('orders', ['orders'], ['billing', 'shipping', 'audit']);

describe('consumer groups', () => {
  it('cost one question per coordinator and round, however many they are', async () => {
    const { eyes, round } = rig([ORDERS, watch('pay', ['pay'], ['billing'])]);
    expect(await round()).toEqual([]);
    expect(eyes.asked).toEqual([{ what: 'coordinators', of: 'b1', groups: ['audit', 'billing', 'shipping'] }]);
    await round();
    expect(eyes.asked).toEqual([
      { what: 'offsets', of: 'b1', groups: ['audit', 'billing'] },
      { what: 'offsets', of: 'b2', groups: ['shipping'] },
      { what: 'members', of: 'b1', groups: ['audit', 'billing'] },
      { what: 'members', of: 'b2', groups: ['shipping'] },
    ]);
    await round();
    expect(eyes.asked.map((q) => q.what)).toEqual(['offsets', 'offsets']); // members change slowly
    await round(60_000);
    expect(eyes.asked.map((q) => q.what).toSorted()).toEqual([
      'coordinators',
      'members',
      'members',
      'offsets',
      'offsets',
    ]);
  });

  it('are behind by the ends of their own watched topics, unknown where an end or every commit is', async () => {
    const { eyes, ends, round, nowMs } = rig([ORDERS, watch('pay', ['pay'], ['billing'])]);
    eyes.commits = {
      billing: [at('orders', 0, 7), at('orders', 2, 99), at('pay', 0, 1), at('other', 0, 5)],
      shipping: [at('orders', 1, 3)],
    };
    for (const [partition, end] of [10, undefined, 90].entries()) {
      if (end !== undefined) ends.set('orders', partition, end, nowMs());
    }
    ends.set('pay', 0, 5, nowMs());
    await round();
    const seen = await round(1);
    expect(seen.map((c) => [c.group, c.consumerGroup, c.lagRecords])).toEqual([
      ['orders', 'billing', 3], // a commit past a known end is no debt
      ['orders', 'shipping', null],
      ['orders', 'audit', null],
      ['pay', 'billing', 4],
    ]);
  });

  it('say when a commit was last seen to move', async () => {
    const { eyes, ends, round, nowMs } = rig([watch('orders', ['orders'], ['billing'])]);
    ends.set('orders', 0, 10, nowMs());
    eyes.commits = { billing: [at('orders', 0, 1)] };
    await round();
    expect(await round()).toMatchObject([{ committedAgeMs: null }]);
    eyes.commits = { billing: [at('orders', 0, 2)] };
    expect(await round()).toMatchObject([{ committedAgeMs: 0, lagRecords: 8 }]);
    expect(await round(700)).toMatchObject([{ committedAgeMs: 700 }]);
  });

  it('are told with their members, as long as the coordinator answers', async () => {
    const { eyes, round } = rig([watch('orders', ['orders'], ['billing', 'shipping'])]);
    eyes.members = { billing: 2 };
    await round();
    expect((await round()).map((c) => c.members)).toEqual([2, undefined]);
    eyes.silent.add('b1');
    await round(10_000);
    expect((await round(1)).map((c) => c.members)).toEqual([undefined, undefined]);
  });

  it('of a silent coordinator keep their value with its age, and are looked for again, not in every round', async () => {
    const { eyes, ends, round, nowMs } = rig([ORDERS]);
    eyes.commits = { shipping: [at('orders', 0, 4)] };
    await round();
    await round();
    eyes.silent.add('b2');
    ends.set('orders', 0, 6, nowMs());
    await round();
    const kept = (await round(3_000)).find((c) => c.consumerGroup === 'shipping');
    expect(kept).toMatchObject({ lagRecords: 2, observedAgeMs: 5_000 });
    expect(eyes.asked.filter((q) => q.what === 'coordinators')).toEqual([]);
    eyes.coordinatorOf['shipping'] = 1;
    await round(10_000); // looked up
    await round();
    ends.set('orders', 0, 6, nowMs());
    expect((await round(0)).find((c) => c.consumerGroup === 'shipping')).toMatchObject({ observedAgeMs: 0 });
  });

  it('that moved are asked of their new coordinator', async () => {
    const { eyes, ends, round, nowMs } = rig([watch('orders', ['orders'], ['billing'])]);
    ends.set('orders', 0, 10, nowMs());
    eyes.commits = { billing: [at('orders', 0, 1)] };
    await round();
    await round();
    eyes.coordinatorOf = { billing: 2 };
    await round();
    await round(10_000);
    await round(1);
    expect(eyes.asked[0]).toEqual({ what: 'offsets', of: 'b2', groups: ['billing'] });
  });

  it('that are watched no longer are forgotten', async () => {
    const { consumers, round } = rig([ORDERS]);
    await round();
    await round();
    consumers.setWatch([]);
    expect(await round()).toEqual([]);
  });
});
