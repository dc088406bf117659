import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Lab, LabClusterName, LabIdc } from '#lab';
import { clusterAccess } from './cluster-access.js';
import type { Profile } from './profiles.js';

export const GROUP = 'orders';

export type GroupOptions = Readonly<{
  mode: 'observe' | 'approve' | 'auto';
  approvals?: 1 | 2; // in mode approve: persons; absent: one
  topics: readonly string[];
  consumerGroups: readonly string[];
  maxRpo: Readonly<{ records: number; duration: string }>;
  cooldown: string;
  naming: 'identity' | 'default';
  groupsOnTarget?: Readonly<{ wait: string }>; // absent: the product's own
  openTransactions?: Readonly<{ wait: string; onTimeout: 'abort-switchover' | 'abort-transactions' }>; // the same
  selfFenceAfter?: string; // fencing is strict; absent: best-effort
}>;

/** A further group of the same policy, with connectors of its own: `<name>-a-b-src` and so on. */
export type FurtherGroup = Readonly<{ name: string; topics: readonly string[]; consumerGroups: readonly string[] }>;

export type Webhook = Readonly<{ name: string; url: string; secretFile: string }>;

/** What is told beside the webhooks, as the files spell it. */
export type FurtherReceivers = Readonly<{
  pagerduty?: readonly Readonly<{ name: string; url: string; routingKeyFile: string }>[];
  alertmanager?: readonly Readonly<{ name: string; url: string }>[];
  slack?: readonly Readonly<{ name: string; urlFile: string }>[];
}>;

export type TlsFiles = Readonly<{ caFile: string; certFile: string; keyFile: string }>;

export type InstallationPlan = Readonly<{
  lab: Lab;
  dir: string; // under the lab's folder, so that it goes with it
  profile: Profile;
  group: GroupOptions;
  furtherGroups: readonly FurtherGroup[];
  configCenter: 'sql' | 'etcd';
  webhooks: readonly Webhook[];
  receivers: FurtherReceivers;
  tokenFile: string;
  grpcPorts: Readonly<Record<LabIdc, number>>;
  httpPorts: Readonly<Record<LabIdc, number>>;
  agentHttpPorts: Readonly<Record<LabIdc, number>>;
  tls: ((commonName: string) => Promise<TlsFiles>) | null;
}>;

const CLUSTERS: readonly LabClusterName[] = ['a', 'b'];
const IDCS: readonly LabIdc[] = ['a', 'b', 'c'];

/** Writes the configuration of the controller in `idc`; every address is as seen from there. Returns the file. */
export async function writeControllerConfig(plan: InstallationPlan, idc: LabIdc): Promise<string> {
  const { lab, profile, group } = plan;
  const id = `ctl-${idc}`;
  const survives = ['a', 'b']; // PostgreSQL and etcd stand in c
  const storeUrlFile = await secretFile(plan, `${id}-store.url`, await lab.postgresUrl(idc));
  const config = {
    kind: 'Controller',
    controller: { id, idc, dataDir: await dataDir(plan, id) },
    http: {
      listen: `127.0.0.1:${plan.httpPorts[idc]}`,
      advertise: `http://127.0.0.1:${plan.httpPorts[idc]}`,
      tokenFile: plan.tokenFile,
    },
    grpc: {
      listen: `127.0.0.1:${plan.grpcPorts[idc]}`,
      ...(plan.tls === null ? { plaintext: true } : { tls: await plan.tls(id) }),
    },
    store: { type: 'postgres', urlFile: storeUrlFile, survives },
    lease: profile.lease,
    probe: profile.probe,
    clusters: CLUSTERS.map((name) => ({ name, idc: name, bootstrapServers: lab.bootstrapServers(name, 'c') })),
    observers: IDCS.map((each) => ({ agent: `agent-${each}`, idc: each })),
    configCenters: [
      plan.configCenter === 'sql'
        ? { name: 'main', type: 'sql', urlFile: storeUrlFile, survives }
        : { name: 'main', type: 'etcd', endpoints: [await lab.etcdUrl(idc)], survives },
    ],
    groups: [
      groupConfig(plan, { ...group, name: GROUP }, ''),
      ...plan.furtherGroups.map((g) => groupConfig(plan, g, `${g.name}-`)),
    ],
    alerts: { webhooks: plan.webhooks.map((w) => ({ ...w, events: [] })), ...plan.receivers },
  };
  return write(plan, `${id}.yaml`, config);
}

/** Writes the configuration of the agent in `idc`. The witness in c probes both clusters too. */
export async function writeAgentConfig(plan: InstallationPlan, idc: LabIdc): Promise<string> {
  const { lab, profile } = plan;
  const id = `agent-${idc}`;
  const controllerPorts = await Promise.all(IDCS.map((to) => lab.route(idc, to, plan.grpcPorts[to], `ctl-${to}`)));
  const elsewhere = IDCS.filter((other) => other !== idc);
  const access = await clusterAccess(lab, idc, (name, secret) => secretFile(plan, name, secret));
  const config = {
    kind: 'Agent',
    agent: { id, idc, dataDir: await dataDir(plan, id) },
    controllers: controllerPorts.map((port) => `127.0.0.1:${port}`),
    ...(plan.tls === null ? { plaintext: true } : { tls: await plan.tls(id) }),
    http: { listen: `127.0.0.1:${plan.agentHttpPorts[idc]}` },
    probe: { ...profile.probe, failures: 3 },
    referenceTargets: await Promise.all(
      elsewhere.map(async (to) => ({ idc: to, address: `127.0.0.1:${await lab.route(idc, to, plan.grpcPorts[to])}` })),
    ),
    clusters: CLUSTERS.map((name) => ({
      name,
      bootstrapServers: lab.bootstrapServers(name, idc),
      ...access,
      connectUrl: lab.connectUrl(name, idc),
    })),
  };
  return write(plan, `${id}.yaml`, config);
}

function groupConfig(
  { lab, profile, group }: InstallationPlan,
  { name, topics, consumerGroups }: FurtherGroup,
  prefix: string,
): Record<string, unknown> {
  return {
    name,
    clusters: CLUSTERS,
    mode: group.mode,
    topics,
    consumerGroups,
    principals: lab.security === 'sasl' ? ['User:app'] : [],
    flows: [flow('a', 'b', group.naming, prefix), flow('b', 'a', group.naming, prefix)],
    publishTo: ['main'],
    policy: {
      preset: 'guarded',
      maxRpo: group.maxRpo,
      ...(group.selfFenceAfter === undefined
        ? { fencing: 'best-effort' }
        : { fencing: 'strict', selfFenceAfter: group.selfFenceAfter }),
      producersInSourceIdc: true,
      windows: profile.windows,
      cooldown: group.cooldown,
      ...(group.approvals === undefined ? {} : { approvals: group.approvals }),
      ...(group.groupsOnTarget === undefined ? {} : { groupsOnTarget: group.groupsOnTarget }),
      ...(group.openTransactions === undefined ? {} : { openTransactions: group.openTransactions }),
    },
  };
}

const flow = (
  from: LabClusterName,
  to: LabClusterName,
  naming: GroupOptions['naming'],
  prefix: string,
): Record<string, unknown> => ({
  from,
  to,
  naming,
  connectors: connectorNames(from, to, prefix),
});

export const connectorNames = (from: LabClusterName, to: LabClusterName, prefix = '') => ({
  source: `${prefix}${from}-${to}-src`,
  checkpoint: `${prefix}${from}-${to}-cp`,
  heartbeat: `${prefix}${from}-${to}-hb`,
});

export async function secretFile(plan: Pick<InstallationPlan, 'dir'>, name: string, secret: string): Promise<string> {
  const file = join(plan.dir, name);
  await writeFile(file, `${secret}\n`, { mode: 0o600 });
  return file;
}

async function dataDir(plan: InstallationPlan, id: string): Promise<string> {
  const dir = join(plan.dir, 'data', id);
  await mkdir(dir, { recursive: true });
  return dir;
}

async function write(plan: InstallationPlan, name: string, config: unknown): Promise<string> {
  const file = join(plan.dir, name);
  await writeFile(file, stringify(config));
  return file;
}
