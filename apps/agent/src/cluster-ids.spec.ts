import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClusterIds } from './cluster-ids.js';

let dir: string;
let file: string; // of cluster a
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-ids-'));
  file = join(dir, 'cluster-ids', 'a');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const onDisk = (id: string, at = file): Promise<void> =>
  vi.waitFor(() => expect(readFileSync(at, 'utf8')).toBe(`${id}\n`));

describe('ClusterIds', () => {
  it('take the first cluster that answers for the one that is meant, each name its own', async () => {
    const ids = new ClusterIds(dir);
    expect(ids.of('a').objection('A')).toBeNull();
    expect(ids.of('b').objection('B')).toBeNull();
    expect(ids.of('a').objection('A')).toBeNull();
    expect(ids.of('a').objection('B')).toBe(
      `the cluster that answers is B, and a is A: an address leads to another cluster, or a was built anew (then remove ${file})`,
    );
    await onDisk('A');
    await onDisk('B', join(dir, 'cluster-ids', 'b'));
  });

  it('outlive a restart', async () => {
    new ClusterIds(dir).of('a').objection('A');
    await onDisk('A');
    const ids = new ClusterIds(dir);
    expect(ids.of('a').objection('B')).toContain('a is A');
    expect(ids.of('a').objection('A')).toBeNull();
  });

  it('accept a cluster that was built anew once its file is removed, without a restart', async () => {
    const ids = new ClusterIds(dir);
    ids.of('a').objection('A');
    await onDisk('A');
    await vi.waitFor(() => {
      rmSync(file, { force: true });
      expect(ids.of('a').objection('A2')).toBeNull();
    });
    await onDisk('A2');
    expect(ids.of('a').objection('A')).toContain('a is A2');
  });

  it('stand in memory while the disk takes nothing, and are kept as soon as it does', async () => {
    writeFileSync(join(dir, 'cluster-ids'), 'a file where the folder should be');
    const ids = new ClusterIds(dir);
    expect(() => ids.of('a').objection('A')).toThrow(`cannot read ${file}`);
    rmSync(join(dir, 'cluster-ids'));
    mkdirSync(`${file}.draft`, { recursive: true }); // the file can be read, and not written
    expect(ids.of('a').objection('A')).toBeNull();
    expect(ids.of('a').objection('B')).toContain('a is A');
    rmSync(`${file}.draft`, { recursive: true });
    await vi.waitFor(() => {
      ids.of('a').objection('A'); // as each new connection asks
      expect(existsSync(file)).toBe(true);
    });
    await onDisk('A');
  });
});
