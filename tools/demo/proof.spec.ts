import { describe, expect, it } from 'vitest';
import type { LoadEvent } from '../load/options.js';
import { type LogRecord, formatPartitionProof, prove, provePartitions, sumOf } from './proof.js';

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

describe('provePartitions', () => {
  const at = (id: string, partition: number): LoadEvent => Object.assign({}, ack(id, 'a', 1), { partition });
  const records = (partition: number, ...ids: string[]): LogRecord[] =>
    ids.map((id, offset) => ({ id, partition, offset: BigInt(offset) }));
  const events = [
    at('p0-1', 0),
    at('p0-2', 1),
    at('p0-3', 1),
    ack('p0-4', 'b', 9),
    consumed('p0-1', 'a', 2),
    consumed('p0-1', 'b', 3),
    consumed('p0-3', 'b', 4),
  ];
  const log2 = [...records(0, 'p0-1', 'p0-1'), ...records(1, 'p0-3', 'p0-5')];

  it('counts each by itself, and an order that is nowhere under -1', () => {
    const proofs = provePartitions(events, log2, true);
    expect(proofs).toEqual([
      expect.objectContaining({ partition: -1, records: 0, acknowledged: 1, lost: ['p0-4'], skipped: [] }),
      expect.objectContaining({ partition: 0, records: 2, lost: [], duplicated: 1, consumedAgain: 1, skipped: [] }),
      expect.objectContaining({ partition: 1, records: 2, lost: ['p0-2'], duplicated: 0, skipped: ['p0-5'] }),
    ]);
    expect(sumOf(proofs)).toMatchObject({ records: 4, acknowledged: 4, lost: ['p0-4', 'p0-2'], consumedAgain: 1 });
    expect(formatPartitionProof(proofs).split('\n')).toHaveLength(4);
  });

  it('calls nothing skipped while consumers have not read to the end', () => {
    expect(provePartitions(events, log2, false).flatMap((p) => p.skipped)).toEqual([]);
  });
});
