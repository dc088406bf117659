import path from 'node:path';

import { libraryPathOf, unpackedFromDebian } from './debian.js';
import { progressToStderr, type Progress } from './progress.js';

export type RedisBinaries = { readonly redis: string; readonly libraryPath: string };

/** @returns Redis's program, unpacked from the Debian packages into the cache (`redis-server` is only links into `redis-tools`). */
export async function ensureRedis(onProgress: Progress = progressToStderr): Promise<RedisBinaries> {
  const folder = await unpackedFromDebian({
    folder: 'redis-debian',
    packages: ['redis-server', 'redis-tools'],
    withDependencies: true,
    programs: ['usr/bin/redis-check-rdb'],
    says: 'Redis (about 2 MB, once)',
    onProgress,
  });
  return { redis: path.join(folder, 'usr/bin/redis-server'), libraryPath: libraryPathOf(folder) };
}
