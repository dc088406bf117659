import { randomBytes } from 'node:crypto';

import {
  ensureDebianPostgres,
  ensureEtcd,
  ensureKafkaJars,
  ensurePostgres,
  requireJava,
  requireLinux,
  requireNode,
  requireSetpriv,
  type KafkaVersion,
  type Progress,
} from '../setup/index.js';
import { defaultAllows } from './acls.js';
import { LabCluster } from './cluster.js';
import { LabConnect } from './connect.js';
import { labEtcd } from './etcd-server.js';
import type { ClassArchives } from './java.js';
import { Lab } from './lab.js';
import { PortPool } from './ports.js';
import { LabPostgres } from './postgres-server.js';
import { ProxyClient } from './proxy-client.js';
import { createRunFolder, type RunFolder } from './run-folder.js';
import type { LabClusterName, LabOptions } from './types.js';
import type { Unit } from './unit.js';

/** Which class archives the programs of a Kafka version start with, if any. */
export type ArchivesOf = (version: KafkaVersion, onProgress: Progress) => Promise<ClassArchives | undefined>;

/**
 * Starts a lab and resolves when everything in it serves. Fetches what is missing first (a progress line each).
 * On any failure everything already started is taken down again.
 */
export async function launchLab(options: LabOptions, archivesOf: ArchivesOf): Promise<Lab> {
  const onProgress = options.onProgress ?? (() => undefined);
  requireLinux();
  requireNode();
  await Promise.all([requireJava(), requireSetpriv()]);
  const runId = `lab-${randomBytes(4).toString('hex')}`;
  const folder = await createRunFolder(runId);
  const pool = new PortPool();
  const proxy = await ProxyClient.start(runId, folder.dir);
  const clusters = new Map<LabClusterName, LabCluster>();
  const connects = new Map<LabClusterName, LabConnect>();
  let lab: Lab | undefined;
  try {
    await createClusters(options, { runId, folder, pool, proxy, clusters, connects, archivesOf }, onProgress);
    const postgres =
      options.postgres === false
        ? undefined
        : new LabPostgres(
            await (options.postgres === 'debian' ? ensureDebianPostgres(onProgress) : ensurePostgres(onProgress)),
            folder,
            await pool.take(),
            runId,
            proxy,
          );
    const etcd = options.etcd === true ? await createEtcd(folder, pool, runId, proxy, onProgress) : undefined;
    lab = new Lab({ runId, folder, pool, proxy, clusters, connects, postgres, etcd, keep: options.keep ?? false });
    onProgress(`preparing ${runId}: formatting logs`);
    await Promise.all(
      [...clusters.values(), ...connects.values(), ...(postgres === undefined ? [] : [postgres])].map((each) =>
        each.prepare(),
      ),
    );
    await startAll(lab, clusters, connects, onProgress);
    if (options.security === 'sasl') await Promise.all([...clusters.values()].map((each) => each.allow(defaultAllows)));
    await proxy.resetStats();
    return lab;
  } catch (error) {
    if (lab === undefined) {
      await proxy.close();
      await pool.release();
    } else await lab.close();
    throw error;
  }
}

type Draft = {
  readonly runId: string;
  readonly folder: RunFolder;
  readonly pool: PortPool;
  readonly proxy: ProxyClient;
  readonly clusters: Map<LabClusterName, LabCluster>;
  readonly connects: Map<LabClusterName, LabConnect>;
  readonly archivesOf: ArchivesOf;
};

async function createClusters(options: LabOptions, draft: Draft, onProgress: Progress): Promise<void> {
  const { runId, folder, pool, proxy } = draft;
  const wanted = options.clusters ?? { a: {}, b: {} };
  for (const name of ['a', 'b'] as const) {
    const cluster = wanted[name];
    if (cluster === undefined) continue;
    const version = cluster.version ?? '4.3';
    const settings = {
      name,
      brokers: cluster.brokers ?? 1,
      jars: await ensureKafkaJars(version, onProgress),
      archives: await draft.archivesOf(version, onProgress),
      runId,
      folder,
      sessionProfile: options.sessionProfile ?? 'fast',
      security: options.security ?? 'plaintext',
    } as const;
    const created = await LabCluster.create(settings, pool, proxy);
    draft.clusters.set(name, created);
    await proxy.add(created.routes());
    if (options.connect === false) continue;
    const connect = await LabConnect.create(created, pool, proxy);
    draft.connects.set(name, connect);
    await proxy.add(connect.routes());
  }
}

async function createEtcd(
  folder: RunFolder,
  pool: PortPool,
  runId: string,
  proxy: ProxyClient,
  onProgress: Progress,
): Promise<Unit> {
  const binaries = await ensureEtcd(onProgress);
  return labEtcd(binaries, folder, { client: await pool.take(), peer: await pool.take() }, runId, proxy);
}

/** Connect workers start with the brokers: they wait for Kafka by themselves, and their JVMs warm up meanwhile. */
async function startAll(
  lab: Lab,
  clusters: ReadonlyMap<LabClusterName, LabCluster>,
  connects: ReadonlyMap<LabClusterName, LabConnect>,
  onProgress: Progress,
): Promise<void> {
  const began = performance.now();
  const idcs = lab.idcs.filter((idc) => lab.status().some((line) => line.includes(`(${idc})`)));
  const names = [...clusters.keys()]
    .map((name) => `Kafka ${name}`)
    .concat([...connects.keys()].map((name) => `Connect ${name}`));
  onProgress(`starting ${names.join(', ')}`);
  await Promise.all(idcs.map((idc) => lab.start({ idc })));
  onProgress(`the lab serves after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}
