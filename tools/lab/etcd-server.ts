import path from 'node:path';

import type { EtcdBinaries } from '../setup/index.js';
import { ManagedProcess } from './processes.js';
import type { ProxyClient } from './proxy-client.js';
import type { RunFolder } from './run-folder.js';
import type { Unit } from './unit.js';
import { waitFor } from './wait.js';

const READY_TIMEOUT_MS = 30_000;

/** One etcd in IDC c. */
export function labEtcd(
  binaries: EtcdBinaries,
  folder: RunFolder,
  ports: { readonly client: number; readonly peer: number },
  runId: string,
  proxy: ProxyClient,
): Unit {
  const client = `http://127.0.0.1:${ports.client}`;
  const peer = `http://127.0.0.1:${ports.peer}`;
  const process = new ManagedProcess(
    {
      name: 'etcd',
      command: binaries.etcd,
      args: [
        ...['--name', 'n1', '--data-dir', path.join(folder.dir, 'etcd')],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `n1=${peer}`],
      ],
      env: { LD_LIBRARY_PATH: binaries.libraryPath },
      cwd: folder.dir,
      logFile: path.join(folder.logs, 'etcd.log'),
    },
    runId,
  );
  const answers = async (): Promise<true | undefined> => {
    const response = await fetch(`${client}/health`, { signal: AbortSignal.timeout(1_000) });
    await response.arrayBuffer();
    return response.ok ? true : undefined;
  };
  const ready = async (): Promise<void> => {
    await waitFor('etcd answers', answers, { timeoutMs: READY_TIMEOUT_MS, giveUp: () => process.failure() });
    await proxy.awaitUp([ports.client], READY_TIMEOUT_MS);
  };
  return { kind: 'etcd', idc: 'c', process, ports: [ports.client], ready };
}
