import { describe, expect, it } from 'vitest';
import type { LoadEvent } from '../load/options.js';
import { type LogRecord, prove } from './proof.js';

const ack = (id: string, cluster: string, atMs: number): LoadEvent => ({
  kind: 'acknowledged',
  id,
  cluster,
  epoch: 1,
  resent: false,
  atMs,
});
const consumed = (id: string, cluster: string, atMs: number): LoadEvent => ({
  kind: 'consumed',
  id,
  cluster,
  partition: 0,
  offset: '0',
  atMs,
});
const log = (...ids: string[]): LogRecord[] => ids.map((id, offset) => ({ id, partition: 0, offset: BigInt(offset) }));

describe('prove', () => {
  it('finds lost, duplicated and out-of-order orders', () => {
    const events = [
      ack('p0-1', 'a', 1),
      ack('p0-2', 'a', 2),
      ack('p0-3', 'a', 3),
      ack('p0-4', 'b', 20),
      consumed('p0-4', 'b', 25),
    ];
    const proof = prove(events, log('p0-1', 'p0-4', 'p0-3', 'p0-1'), new Set(['p0-1']), 'b', 10);
    expect(proof).toEqual({
      acknowledged: 4,
      replicatedBeforeKill: 1,
      lost: ['p0-2'],
      lostReplicated: 0,
      duplicated: 1,
      outOfOrder: 1,
      firstAckMs: 20,
      firstConsumedMs: 25,
    });
  });

  it('calls a replicated order that vanished what it is', () => {
    expect(prove([ack('p0-1', 'a', 1)], log(), new Set(['p0-1']), 'b', 10)).toMatchObject({
      lost: ['p0-1'],
      lostReplicated: 1,
    });
  });

  it('does not take what the survivor did before the kill for recovery', () => {
    expect(prove([consumed('p0-1', 'b', 5), ack('p0-1', 'b', 5)], log('p0-1'), new Set(), 'b', 10)).toMatchObject({
      firstAckMs: null,
      firstConsumedMs: null,
    });
  });

  it('orders by offset within a partition, each producer apart', () => {
    const records: LogRecord[] = [
      { id: 'p0-2', partition: 0, offset: 1n },
      { id: 'p0-1', partition: 0, offset: 0n },
      { id: 'p1-0', partition: 0, offset: 2n },
      { id: 'p0-0', partition: 1, offset: 0n },
    ];
    expect(prove([], records, new Set(), 'b', 0).outOfOrder).toBe(0);
  });
});
