import { describe, expect, it } from 'vitest';
import type { Decision, Snapshot } from '../matrix/facts.js';
import { compilePolicy } from '../matrix/policy.js';
import type { ClusterGoal } from '../saga/effects.js';
import { sampleSnapshot } from '../simulate/sample-snapshot.js';
import { decide } from '../matrix/decide.js';
import { kindsToTry, KINDS_BESIDE_A_FLOW } from './fence-kinds.js';
import { standbyGoal, standbysToClose } from './standby-fence.js';

const policy = compilePolicy({ maxRpo: { records: 1_000, durationMs: 30_000 } });
const offering = (usable: boolean): Snapshot['clusterSettings'][string] => ({
  brokerSessionTimeoutMs: 9_000,
  electionTimeoutMs: 1_000,
  fencing: {
    authorizer: true,
    denyByDefault: true,
    agentIsSuperUser: false,
    writers: ['User:app'],
    offers: [{ kind: 'acl', usable, reason: 'denies User:*' }],
  },
});
const calm = (over: Partial<Snapshot> = {}): Snapshot => ({
  ...sampleSnapshot(),
  graceOver: true,
  clusterSettings: { a: offering(true), b: offering(true) },
  flowSettings: [
    { from: 'a', to: 'b', syncsTopicAcls: false, excludesMaxMessageBytes: true, foreignTopics: [] },
    { from: 'b', to: 'a', syncsTopicAcls: false, excludesMaxMessageBytes: true, foreignTopics: [] },
  ],
  ...over,
});
const steady: Decision = { ...decide(sampleSnapshot(), policy), row: 800, gate: [], window: null };

describe('standbysToClose', () => {
  it('closes the standby, and never the active cluster', () => {
    expect(standbysToClose(calm(), steady, policy)).toEqual(['b']);
  });

  it.each([
    ['the policy says none', calm(), steady, { ...policy, standbyFence: 'none' as const }],
    ['something is going on', calm(), { ...steady, row: 410 }, policy],
    ['a gate is closed', calm(), { ...steady, gate: ['PAUSED' as const] }, policy],
    ['not everybody was heard yet', calm({ graceOver: false }), steady, policy],
    ['the cluster does not offer it', calm({ clusterSettings: { b: offering(false) } }), steady, policy],
    ['nobody looked yet', calm({ clusterSettings: {} }), steady, policy],
    ['its rejoin is under way', calm({ group: { ...sampleSnapshot().group, rejoin: ['b'] } }), steady, policy],
  ])('closes nothing where %s', (_why, snapshot, decision, by) => {
    expect(standbysToClose(snapshot, decision, by)).toEqual([]);
  });

  it('closes nothing where MirrorMaker would, or might, copy the DENY to the active cluster', () => {
    const flow = sampleSnapshot().flows.map((f) => ({ ...f, from: f.to, to: f.from }));
    for (const syncsTopicAcls of [true, null]) {
      const flowSettings = calm().flowSettings.map((f) => ({ ...f, syncsTopicAcls }));
      expect(
        standbysToClose(calm({ flows: [...sampleSnapshot().flows, ...flow], flowSettings }), steady, policy),
      ).toEqual([]);
    }
    expect(standbysToClose(calm({ flows: [...sampleSnapshot().flows, ...flow] }), steady, policy)).toEqual(['b']);
  });
});

describe('standbyGoal', () => {
  const group = { name: 'orders', epoch: 7, topics: ['orders'] };
  const held = (state: ClusterGoal['state'], epoch: number): ClusterGoal => ({
    subject: 'cluster',
    group: 'orders',
    cluster: 'b',
    state,
    epoch,
    term: 1,
    topics: [],
  });

  it('is of the group’s present epoch, so that every later saga is newer and a lone agent may keep it', () => {
    expect(standbyGoal(group, 'b', 3, [])).toMatchObject({ state: 'fenced', epoch: 7, term: 3, kinds: ['acl'] });
    expect(standbyGoal(group, 'b', 3, [held('open', 9)])).toMatchObject({ epoch: 9 });
  });

  it('is not set twice, nor over what a switch left', () => {
    expect(standbyGoal(group, 'b', 3, [held('fenced', 6)])).toBeNull();
  });
});

describe('kindsToTry', () => {
  const offer = (kind: 'acl' | 'topic-config' | 'hook', usable = true) => ({ kind, usable, reason: '' });
  it('is the strongest that is allowed and offered', () => {
    const offers = [offer('hook'), offer('topic-config'), offer('acl')];
    expect(kindsToTry({}, offers)).toEqual(['acl', 'topic-config', 'hook']);
    expect(kindsToTry({ kinds: KINDS_BESIDE_A_FLOW }, offers)).toEqual(['acl', 'hook']);
    expect(kindsToTry({ kinds: ['acl'] }, [offer('acl', false), offer('topic-config')])).toEqual([]);
  });
});
