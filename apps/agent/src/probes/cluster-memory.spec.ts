import { describe, expect, it } from 'vitest';
import type { ClusterLayout } from '#kafka';
import { ClusterMemory } from './cluster-memory.js';

const layout = (
  brokers: readonly number[],
  replicas: readonly number[],
  leader = replicas[0] ?? -1,
): ClusterLayout => ({
  clusterId: 'c',
  brokers: brokers.map((id) => ({ id, address: `h:${id}` })),
  topics: new Map([
    [
      't',
      { name: 't', internal: false, errorCode: 0, partitions: [{ partition: 0, leader, replicas, isr: replicas }] },
    ],
  ]),
});

describe('ClusterMemory', () => {
  it('expects the bootstrap addresses as long as nothing else is known', () => {
    const memory = new ClusterMemory(['b:1', 'b:2']);
    expect([memory.expectedBrokers, memory.brokers, memory.strangers]).toEqual([2, [], ['b:1', 'b:2']]);
  });

  it('goes on expecting a dead broker that still holds replicas, at its last address', () => {
    const memory = new ClusterMemory(['h:1']);
    memory.adopt(layout([1, 2, 3], [1, 2, 3]));
    memory.adopt(layout([1, 2], [1, 2, 3]));
    expect(memory.expectedBrokers).toBe(3);
    expect(memory.brokers.map((b) => b.address)).toEqual(['h:1', 'h:2', 'h:3']);
    expect(memory.strangers).toEqual([]);
  });

  it('forgets a broker that was taken out of service', () => {
    const memory = new ClusterMemory(['h:1']);
    memory.adopt(layout([1, 2, 3], [1, 2, 3]));
    memory.adopt(layout([1, 2], [1, 2]));
    expect(memory.expectedBrokers).toBe(2);
  });

  it('counts a broker that it never saw alive', () => {
    const memory = new ClusterMemory(['h:1']);
    memory.adopt(layout([1, 2], [1, 2, 3]));
    expect([memory.expectedBrokers, memory.brokers.length]).toEqual([3, 2]);
  });

  it('asks those first that answered last, in turn', () => {
    const memory = new ClusterMemory(['h:1']);
    memory.adopt(layout([1, 2, 3], [1, 2, 3]));
    memory.noteAnswers(new Set(['h:1', 'h:3']));
    const first = memory.candidates();
    memory.noteAnswers(new Set(['h:1', 'h:3']));
    const second = memory.candidates();
    expect(first[2]).toBe('h:2');
    expect(new Set([first[0], second[0]])).toEqual(new Set(['h:1', 'h:3']));
  });

  it('gives a leaderless partition to nobody', () => {
    const memory = new ClusterMemory(['h:1']);
    memory.adopt(layout([1], [1], -1));
    expect(memory.partsByLeader(() => true).size).toBe(0);
  });
});
