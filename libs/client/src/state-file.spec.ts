import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Pointer } from '#config-center';
import { MemoryConfigCenterServer } from '#testing';
import { readStateFile, writeStateFile } from './state-file.js';
import { createSwitchingKafka } from './switching-kafka.js';

const pointer: Pointer = {
  version: 1,
  group: 'orders',
  activeCluster: 'a',
  mode: 'HOLD',
  maxMs: 500,
  epoch: 3,
  term: 2,
  sagaId: 's',
  bootstrapServers: ['x:1'],
  publishedAt: '2026-11-20T14:02:31Z',
};

describe('the state file', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'pointsman-state-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('keeps a pointer whole, and leaves nothing beside it', async () => {
    const path = join(dir, 'pointer.json');
    expect(readStateFile(path, 'orders')).toBeNull();
    await writeStateFile(path, pointer);
    await writeStateFile(path, { ...pointer, epoch: 4 });
    expect(readStateFile(path, 'orders')).toEqual({ ...pointer, epoch: 4 });
    expect(readdirSync(dir)).toEqual(['pointer.json']);
  });

  it('is refused when it belongs to another group or is damaged', async () => {
    const path = join(dir, 'pointer.json');
    await writeStateFile(path, pointer);
    expect(() => readStateFile(path, 'payments')).toThrow(/orders, not payments/);
    writeFileSync(path, '{"version":1,"gro');
    expect(() => readStateFile(path, 'orders')).toThrow(/not JSON/);
  });

  it('damaged, costs a "stale" event and nothing more', async () => {
    const path = join(dir, 'pointer.json');
    writeFileSync(path, '');
    const server = new MemoryConfigCenterServer();
    server.overwrite(pointer);
    const kafka = createSwitchingKafka({ group: 'orders', pointers: server.open(), clusters: {}, stateFile: path });
    const stale = vi.fn();
    kafka.on('stale', stale);
    await vi.waitFor(() => expect(kafka.current()).toEqual(pointer));
    expect(stale).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => expect(readStateFile(path, 'orders')).toEqual(pointer));
    await kafka.close();
  });
});
