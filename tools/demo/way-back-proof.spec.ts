import { describe, expect, it } from 'vitest';
import type { LoadEvent } from '../load/options.js';
import type { LogRecord } from './proof.js';
import { proveFailback, tailOf } from './way-back-proof.js';

const record = (id: string, offset: number, partition = 0): LogRecord => ({
  id,
  partition,
  offset: BigInt(offset),
  timestamp: `t-${id}`,
});

describe('tailOf', () => {
  const returned = [record('p0-1', 0), record('p0-2', 1), record('p0-3', 2), record('plain-0', 3)];

  it('is what was not copied, a stranger’s record included', () => {
    const survivor = [record('p0-1', 0), record('p0-2', 1), record('p0-4', 2)];
    expect(tailOf(returned, survivor, new Map([[0, 2n]])).map((r) => r.id)).toEqual(['p0-3', 'plain-0']);
  });

  it('takes an order that was sent again for no copy, though it looks like one', () => {
    const survivor = [record('p0-1', 0), record('p0-2', 1), record('p0-3', 2)];
    expect(tailOf(returned, survivor, new Map([[0, 2n]])).map((r) => r.id)).toEqual(['p0-3', 'plain-0']);
  });
});

describe('proveFailback', () => {
  const ack = (id: string, cluster: string, epoch: number, atMs: number, resent = false): LoadEvent => ({
    ...{ kind: 'acknowledged', id, cluster, epoch, resent, atMs },
  });
  const read = (id: string): LoadEvent => ({
    ...{ kind: 'consumed', id, cluster: 'b', partition: 0, offset: '0', atMs: 0 },
  });
  const since = { epoch: 2, homeEnds: new Map([[0, 2n]]) };

  it('counts orders from the failover on, in what came home since', () => {
    const events = [
      ack('p0-1', 'a', 1, 10), // before: lost then, none of the way home's business
      ack('p0-2', 'b', 2, 20),
      ack('p0-3', 'b', 2, 30),
      ack('p0-4', 'a', 5, 90, true),
      ack('p0-5', 'a', 5, 70),
      ...['p0-2', 'p0-2', 'p0-4'].map(read),
    ];
    const log = [record('p0-1', 0), record('p0-5', 1), record('p0-2', 2), record('p0-4', 3), record('p0-4', 4)];
    const promised = new Set(['p0-2', 'p0-3', 'p0-4']);
    expect(proveFailback(events, log, 'a', since, promised)).toEqual({
      acknowledged: 4,
      lost: ['p0-3', 'p0-5'],
      skipped: ['p0-3'],
      duplicated: 1,
      resent: 1,
      readAgain: 1,
      pausedMs: 40,
    });
  });

  it('knows no pause while the home cluster has acknowledged nothing', () => {
    expect(proveFailback([ack('p0-2', 'b', 2, 20)], [], 'a', since, new Set()).pausedMs).toBeNull();
  });
});
