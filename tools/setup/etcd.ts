import path from 'node:path';

import { libraryPathOf, unpackedFromDebian } from './debian.js';
import { progressToStderr, type Progress } from './progress.js';

export type EtcdBinaries = { readonly etcd: string; readonly libraryPath: string };

/** @returns etcd's program, unpacked from the Debian packages into the cache. */
export async function ensureEtcd(onProgress: Progress = progressToStderr): Promise<EtcdBinaries> {
  const folder = await unpackedFromDebian({
    folder: 'etcd-debian',
    packages: ['etcd-server', 'etcd-client'],
    withDependencies: true,
    programs: ['usr/bin/etcd'],
    says: 'etcd (about 15 MB, once)',
    onProgress,
  });
  return { etcd: path.join(folder, 'usr/bin/etcd'), libraryPath: libraryPathOf(folder) };
}
