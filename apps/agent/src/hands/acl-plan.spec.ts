import { describe, expect, it } from 'vitest';
import type { AclEntry } from '#kafka';
import {
  aclResources,
  GROUP_READS,
  observeAcl,
  readersToDeny,
  tagEpoch,
  uncovered,
  viewOf,
  whomToDeny,
  writeLacks,
  writersOf,
} from '../probes/acl-rules.js';
import { planAclFence, planAclOpen } from './acl-plan.js';

const entry = (over: Partial<AclEntry>): AclEntry => ({
  resource: 'topic',
  name: 'orders',
  pattern: 'literal',
  principal: 'User:*',
  host: '*',
  operation: 'write',
  permission: 'deny',
  ...over,
});
const tag = (epoch: number, over: Partial<AclEntry> = {}) => entry({ host: `pointsman:shop:${epoch}`, ...over });
const orders = { name: 'orders', pattern: 'literal' } as const;
const goal = { group: 'shop', epoch: 7 };
const view = (...entries: AclEntry[]) => viewOf(entries, 'shop');

describe('aclResources', () => {
  it('closes topics of a prefix that are made later, too', () => {
    expect(aclResources(['orders', 'pay-*'], ['orders', 'pay-card'])).toEqual([
      orders,
      { name: 'pay-', pattern: 'prefixed' },
    ]);
  });

  it.each(['*', 'p*', 'mm2-*', '_*'])(
    'never reaches internal topics by %s: each existing topic by its name',
    (pattern) => {
      const existing = ['__consumer_offsets', 'pointsman-epoch', 'mm2-offsets.a.internal', 'mm2-x', 'pay', '_x'];
      for (const resource of aclResources([pattern], existing)) expect(resource.pattern).toBe('literal');
      expect(aclResources([pattern], existing).map((r) => r.name)).not.toContain('pointsman-epoch');
    },
  );
});

describe('whomToDeny', () => {
  it('is everybody, where the exempt write as super users or not at all', () => {
    expect(whomToDeny(['User:app'], ['User:mm2'])).toEqual({ principals: ['User:*'] });
    expect(whomToDeny(['User:*'], [])).toEqual({ principals: ['User:*'] });
  });

  it('is each writer by name, where an exempt one writes by an ACL', () => {
    expect(whomToDeny(['User:app', 'User:mm2', 'User:web'], ['User:mm2'])).toEqual({
      principals: ['User:app', 'User:web'],
    });
  });

  it('cannot be said, where everybody may write and somebody is exempt', () => {
    expect(whomToDeny(['User:*'], ['User:mm2'])).toHaveProperty('undecidable');
  });
});

describe('readersToDeny', () => {
  const group = (over: Partial<AclEntry>) =>
    entry({ resource: 'group', name: 'billing', operation: 'read', permission: 'allow', ...over });
  const acls = [
    group({ principal: 'User:app' }),
    group({ principal: 'User:agent', name: '*' }),
    group({ principal: 'User:mm2', operation: 'all', name: '*' }),
    group({ principal: 'User:web', name: 'billing-', pattern: 'prefixed' }),
    group({ principal: 'User:bi', operation: 'other' }),
  ];
  const kept = { exempt: ['User:mm2'], own: 'User:agent', agentIsSuperUser: false };

  it('is each reader by name, but the agent, which sets positions by the same right, and whoever is exempt', () => {
    expect(readersToDeny(acls, ['billing'], kept)).toEqual({ principals: ['User:app'] });
    expect(readersToDeny(acls, ['billing-eu'], kept)).toEqual({ principals: ['User:web'] });
  });

  it('is everybody, where neither the agent nor the exempt need an ACL', () => {
    const superUser = { ...kept, agentIsSuperUser: true };
    expect(readersToDeny(acls.slice(0, 2), ['billing'], superUser)).toEqual({ principals: ['User:*'] });
    expect(readersToDeny(acls, ['billing'], superUser)).toEqual({ principals: ['User:app', 'User:agent'] });
  });

  it('cannot be said, where everybody may read, or the agent does not know its own name', () => {
    const everybody = [...acls, group({ principal: 'User:*' })];
    expect(readersToDeny(everybody, ['billing'], kept)).toHaveProperty('undecidable');
    expect(readersToDeny(acls, ['billing'], { ...kept, own: null })).toHaveProperty('undecidable');
  });
});

describe('what ACLs say beforehand', () => {
  const acls = [
    entry({ permission: 'allow', principal: 'User:app' }),
    entry({ permission: 'allow', principal: 'User:etl', operation: 'all', name: '*' }),
    entry({ permission: 'allow', principal: 'User:bi', operation: 'other', name: 'pay-', pattern: 'prefixed' }),
  ];

  it('counts WRITE and ALL by every pattern that reaches a topic', () => {
    expect(writersOf(acls, ['orders'])).toEqual(['User:app', 'User:etl']);
    expect(writersOf(acls, ['pay-card'])).toEqual(['User:etl']);
  });

  it('finds who of a group may not write which of its topics', () => {
    const shop = { name: 'shop', topics: ['orders', 'pay-*'], principals: ['User:app', 'User:etl'] };
    expect(writeLacks(acls, [shop], ['orders', 'pay-card', 'audit'])).toEqual([
      { group: 'shop', principal: 'User:app', topic: 'pay-card' },
    ]);
    const everybody = entry({ permission: 'allow', principal: 'User:*', name: 'pay-', pattern: 'prefixed' });
    expect(writeLacks([...acls, everybody], [shop], ['orders', 'pay-card'])).toEqual([]);
  });

  it('finds topics that no ACL reaches, where a DENY would end reading too', () => {
    expect(uncovered(acls.slice(2), ['pay-card', 'orders'])).toEqual(['orders']);
    expect(uncovered(acls, ['orders', 'anything'])).toEqual([]);
  });
});

describe('planAclFence', () => {
  it('denies, with a twin that says whose it is and since which epoch', () => {
    const plan = planAclFence(goal, [orders], ['User:*'], [view()]);
    expect(plan.create).toEqual([entry({}), tag(7)]);
    expect(tagEpoch(plan.create[1]?.host ?? '', 'shop')).toBe(7);
    expect(tagEpoch(plan.create[1]?.host ?? '', 'sho')).toBeNull();
  });

  it('does nothing where it is in force at every broker, whatever the epoch of its tag', () => {
    const seen = view(entry({}), tag(5));
    expect(planAclFence(goal, [orders], ['User:*'], [seen, seen])).toEqual({ create: [], remove: [], remarks: [] });
  });

  it('says that it had been removed when only the twin is left, and not when one broker lags behind', () => {
    const removed = planAclFence(goal, [orders], ['User:*'], [view(tag(7))]);
    expect(removed.create).toEqual([entry({})]);
    expect(removed.remarks[0]).toContain('had been removed');
    const lags = planAclFence(goal, [orders], ['User:*'], [view(entry({}), tag(7)), view(tag(7))]);
    expect(lags).toMatchObject({ create: [entry({})], remarks: [] });
  });

  it("leaves somebody else's denial without a tag, so that it is never taken away", () => {
    const seen = view(entry({}));
    const plan = planAclFence(goal, [orders], ['User:*'], [seen]);
    expect(plan).toMatchObject({ create: [], remove: [] });
    expect(plan.remarks[0]).toContain('somebody else');
    expect(planAclOpen([orders], [seen])).toMatchObject({
      remove: [],
      remarks: [expect.stringContaining('somebody else')],
    });
  });

  it('takes its own entries for principals and topics that are no longer meant', () => {
    const old = [entry({ principal: 'User:app' }), tag(5, { principal: 'User:app' })];
    const plan = planAclFence(goal, [orders], ['User:*'], [view(...old)]);
    expect(plan.remove).toEqual(old);
  });
});

describe('the consumer groups beside a fence', () => {
  const billing = { name: 'billing', pattern: 'literal' } as const;
  const read = (over: Partial<AclEntry> = {}) =>
    entry({ resource: 'group', name: 'billing', operation: 'read', principal: 'User:app', ...over });
  const twin = read({ host: 'pointsman:shop:7' });

  it('are refused READ, tagged the same way, and only that is taken away', () => {
    const plan = planAclFence(goal, [billing], ['User:app'], [viewOf([], 'shop', GROUP_READS)], GROUP_READS);
    expect(plan.create).toEqual([read(), twin]);
    const seen = viewOf([read(), twin, read({ principal: 'User:bob' })], 'shop', GROUP_READS);
    expect(planAclOpen([], [seen], GROUP_READS)).toEqual({ create: [], remove: [read(), twin], remarks: [] });
  });

  it('are no part of what closes topics', () => {
    expect(observeAcl([orders], [view(read({ principal: 'User:*' }), twin)], null)).toBe('open');
  });
});

describe('planAclOpen', () => {
  it('removes both halves once, on whichever broker they still show, and nothing of another group', () => {
    const other = entry({ principal: 'User:app', name: 'pay' });
    const first = view(entry({}), tag(5), tag(7), other, entry({ ...other, host: 'pointsman:pay:3' }));
    expect(planAclOpen([orders], [first, view()]).remove).toEqual([entry({}), tag(5), tag(7)]);
  });
});

describe('observeAcl', () => {
  const everybody = ['User:*'];
  it('is fenced only where every broker denies each of them on each resource', () => {
    const closed = view(entry({}), tag(7));
    expect(observeAcl([orders], [closed, closed], everybody)).toBe('fenced');
    expect(observeAcl([orders], [closed, view(tag(7))], everybody)).toBe('partial');
    expect(observeAcl([orders, { name: 'pay-', pattern: 'prefixed' }], [closed], null)).toBe('partial');
    expect(observeAcl([orders], [view()], everybody)).toBe('open');
  });

  it('tells what somebody else closed from what is ours', () => {
    expect(observeAcl([orders], [view(entry({}))], null)).toBe('foreign');
    expect(observeAcl([orders], [view(entry({ principal: 'User:bob' }))], null)).toBe('open');
  });
});
