import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { cachedFolder } from './cached-folder.js';

describe('cachedFolder', () => {
  let cache: string;

  beforeEach(async () => {
    cache = await mkdtemp(path.join(os.tmpdir(), 'pointsman-cache-'));
    vi.stubEnv('POINTSMAN_CACHE', cache);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true });
  });

  it('builds once for two runs at the same time', async () => {
    let builds = 0;
    const build = async (folder: string): Promise<void> => {
      builds += 1;
      await writeFile(path.join(folder, 'file'), 'whole');
    };
    const [first, second] = await Promise.all([cachedFolder('x', build), cachedFolder('x', build)]);
    expect(builds).toBe(1);
    expect([first.reused, second.reused].filter(Boolean)).toHaveLength(1);
    expect(await readFile(path.join(first.folder, 'file'), 'utf8')).toBe('whole');
    expect(await readdir(cache)).toEqual(['x']);
  });

  it('leaves nothing of a build that failed, and builds again', async () => {
    const failing = async (folder: string): Promise<void> => {
      await writeFile(path.join(folder, 'half'), '');
      throw new Error('download broke off');
    };
    await expect(cachedFolder('x', failing)).rejects.toThrow('download broke off');
    expect(await readdir(cache)).toEqual([]);
    const { reused } = await cachedFolder('x', (folder) => writeFile(path.join(folder, 'file'), ''));
    expect(reused).toBe(false);
  });

  it('takes over the lock of a run that was killed', async () => {
    const beyondAnyPid = '99999999';
    await writeFile(path.join(cache, 'x.lock'), beyondAnyPid);
    const { folder } = await cachedFolder('x', (building) => writeFile(path.join(building, 'file'), ''));
    expect(existsSync(folder)).toBe(true);
  });
});
