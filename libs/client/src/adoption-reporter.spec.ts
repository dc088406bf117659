import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClientReport, Pointer } from '#config-center';
import { MemoryConfigCenterServer } from '#testing';
import { AdoptionReporter } from './adoption-reporter.js';
import type { ClientState } from './adoption-reporter.js';

const POINTER: Pointer = {
  version: 1,
  group: 'orders',
  activeCluster: 'a',
  mode: 'ACTIVE',
  epoch: 4,
  term: 1,
  sagaId: null,
  bootstrapServers: ['x:1'],
  publishedAt: '2026-11-20T14:02:31Z',
};

describe('the adoption reporter', () => {
  let server: MemoryConfigCenterServer;
  let reporter: AdoptionReporter;
  let failures: string[];
  let state: ClientState;
  let reports = 0;
  const seen = (): readonly ClientReport[] => server.adoptions('orders');

  beforeEach(() => {
    server = new MemoryConfigCenterServer();
    failures = [];
    state = null;
    reports = 0;
    const log = server.open();
    reporter = new AdoptionReporter({
      log: {
        report: (r, ttlMs) => {
          reports += 1;
          return log.report(r, ttlMs);
        },
        withdraw: (g, i) => log.withdraw(g, i),
        adoptions: (g) => log.adoptions(g),
      },
      group: 'orders',
      ttlMs: 6_000,
      current: () => POINTER,
      mode: () => 'ACTIVE',
      failed: (e) => failures.push(e.message),
    });
  });
  afterEach(() => reporter.close());

  it('says what is new at once, repeats it for its ttl only, and takes it back at the end', async () => {
    const warning = { client: 'c', setting: 'acks', value: '1', risk: 'lost' };
    const gone = reporter.add('consumer', 'billing', [warning], () => state);
    expect(seen()).toEqual([]);
    state = { cluster: 'a', epoch: 4, state: 'moving' };
    await vi.waitFor(() => expect(seen()).toMatchObject([{ kind: 'consumer', name: 'billing', state: 'moving' }]));
    state = { cluster: 'a', epoch: 4, state: 'following' };
    await vi.waitFor(() => expect(seen()).toMatchObject([{ state: 'following', warnings: ['acks=1: lost'] }]));
    expect(reports).toBe(2);
    await vi.waitFor(() => expect(reports).toBe(3), 4_000);
    gone();
    await vi.waitFor(() => expect(seen()).toEqual([]));
  });

  it('tells once that the center takes no reports, and goes on when it does', async () => {
    server.refuseWrites = true;
    reporter.add('producer', 'shop', [], () => ({ cluster: 'a', epoch: 4, state: 'following' }));
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    server.refuseWrites = false;
    await vi.waitFor(() => expect(seen()).toHaveLength(1), 5_000);
    expect(failures).toHaveLength(1);
  });
});
