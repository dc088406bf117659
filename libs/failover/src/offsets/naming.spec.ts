import { describe, expect, it } from 'vitest';
import {
  checkpointsTopic,
  DEFAULT_NAMING,
  IDENTITY_NAMING,
  namingOf,
  offsetSyncsTopic,
  remoteTopic,
  sourceTopic,
  type TopicNaming,
} from './naming.js';

const dashed: TopicNaming = { policy: 'default', separator: '--', internalSeparator: '--' };

describe('topic names, there and back', () => {
  it.each([
    [IDENTITY_NAMING, 'orders', 'orders'],
    [IDENTITY_NAMING, 'c.orders', 'c.orders'],
    [IDENTITY_NAMING, 'heartbeats', 'a.heartbeats'],
    [DEFAULT_NAMING, 'orders', 'a.orders'],
    [DEFAULT_NAMING, 'c.orders', 'a.c.orders'], // itself a copy
    [DEFAULT_NAMING, 'heartbeats', 'a.heartbeats'],
    [dashed, 'orders', 'a--orders'],
    [dashed, 'c--orders', 'a--c--orders'],
  ])('%o %s', (naming, source, remote) => {
    expect(remoteTopic(naming, 'a', source)).toBe(remote);
    expect(sourceTopic(naming, 'a', remote)).toBe(source);
  });

  it('knows the target’s own topics and another source’s copies from ours', () => {
    expect(sourceTopic(DEFAULT_NAMING, 'a', 'orders')).toBeNull();
    expect(sourceTopic(DEFAULT_NAMING, 'a', 'b.orders')).toBeNull();
    expect(sourceTopic(dashed, 'a', 'a.orders')).toBeNull();
    expect(sourceTopic(DEFAULT_NAMING, 'a', 'a.')).toBeNull();
  });

  it('names MirrorMaker’s own topics as its policy does', () => {
    expect(offsetSyncsTopic(IDENTITY_NAMING, 'a')).toBe('mm2-offset-syncs.a.internal');
    expect(checkpointsTopic(DEFAULT_NAMING, 'a')).toBe('a.checkpoints.internal');
    expect(offsetSyncsTopic(dashed, 'a')).toBe('mm2-offset-syncs--a--internal');
    expect(checkpointsTopic({ ...dashed, internalSeparator: '.' }, 'a')).toBe('a.checkpoints.internal');
  });

  it('reads the policy from the connector, and believes the configuration where it is silent', () => {
    const policy = (name: string) => ({ 'replication.policy.class': `org.apache.kafka.connect.mirror.${name}` });
    expect(namingOf(policy('IdentityReplicationPolicy'), 'default')).toEqual(IDENTITY_NAMING);
    expect(
      namingOf({ ...policy('DefaultReplicationPolicy'), 'replication.policy.separator': '--' }, 'identity'),
    ).toEqual(dashed);
    expect(namingOf({ topics: 'orders' }, 'identity')).toEqual(DEFAULT_NAMING); // MirrorMaker's own default
    expect(namingOf(null, 'identity')).toEqual(IDENTITY_NAMING);
    expect(namingOf({ 'replication.policy.class': 'com.example.Ours' }, 'identity')).toEqual(IDENTITY_NAMING);
    const plain = { ...policy('DefaultReplicationPolicy'), 'replication.policy.separator': '--' };
    expect(namingOf({ ...plain, 'replication.policy.internal.topic.separator.enabled': 'false' }, 'default')).toEqual({
      ...dashed,
      internalSeparator: '.',
    });
  });
});
