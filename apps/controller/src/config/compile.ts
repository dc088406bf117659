import { createHash } from 'node:crypto';
import {
  compilePolicy,
  DEDICATED_CONNECTORS,
  DEFAULT_WINDOWS,
  ISOLATED_SHORTCUT_MS,
  type Mode,
  type Policy,
  type WatchGroup,
} from '#failover';
import { splitHostPort } from '#platform';
import type { OidcOptions } from '../operator/oidc/oidc.options.js';
import type { PreHook } from '../saga/pre-hook.js';
import type { RawAlerts } from './alerts.schema.js';
import type { RawControllerConfig } from './schema.js';

/** A failover group with every default filled in. */
export type GroupConfig = Readonly<{
  name: string;
  clusters: readonly ClusterConfig[]; // rank order; the first is active at epoch 1
  mode: Mode;
  publishTo: readonly string[]; // config centers; the first is authoritative
  watch: Omit<WatchGroup, 'active' | 'epoch'>;
  policy: Policy;
  preSwitchover: readonly PreHook[];
}>;

export type ClusterConfig = Readonly<{ name: string; idc: string; bootstrapServers: readonly string[] }>;

/** What the controller runs with: raw → validated → compiled, frozen. */
export type ControllerConfig = Readonly<{
  id: string;
  idc: string;
  dataDir: string;
  logLevel: string;
  http: Readonly<{
    host: string;
    port: number;
    advertise: string;
    tokenFile: string | null;
    tls: Readonly<{ certFile: string; keyFile: string }> | null;
    rateLimit: Readonly<{ windowMs: number; reads: number; writes: number }>; // per token
    oidc: OidcOptions | null;
  }>;
  grpc: Readonly<{ listen: string; tls: Readonly<{ caFile: string; certFile: string; keyFile: string }> | null }>;
  store: Readonly<{ url: string | null; urlFile: string | null; survives: readonly string[]; retentionMs: number }>;
  lease: Readonly<{ ttlMs: number; renewDeadlineMs: number; retryMs: number }>;
  probe: Readonly<{ periodMs: number; timeoutMs: number }>;
  tickMs: number;
  writeCanaryMs: number;
  clusters: readonly ClusterConfig[];
  observers: readonly Readonly<{ agent: string; idc: string }>[];
  configCenters: RawControllerConfig['configCenters'];
  groups: readonly GroupConfig[];
  alerts: RawAlerts;
  /** SHA-256 over everything that must be equal on all controllers. */
  policyDigest: string;
  crashAt: string | null; // POINTSMAN_CRASH=before|after:<step>, for tests
}>;

const TICK_MS = 500;
const WRITE_CANARY_MS = 10_000;

export function compileConfig(raw: RawControllerConfig, crashAt: string | null): ControllerConfig {
  const clusters = new Map(raw.clusters.map((c) => [c.name, c]));
  const { host, port } = splitHostPort(raw.http.listen);
  return {
    ...raw.controller,
    logLevel: raw.log.level,
    http: {
      ...{ host, port, advertise: raw.http.advertise },
      ...{ tokenFile: raw.http.tokenFile ?? null, tls: raw.http.tls ?? null, oidc: oidcOptions(raw.http.oidc) },
      rateLimit: rateLimitOf(raw.http.rateLimit),
    },
    grpc: { listen: raw.grpc.listen, tls: raw.grpc.tls ?? null },
    store: {
      url: raw.store.url ?? null,
      urlFile: raw.store.urlFile ?? null,
      survives: raw.store.survives,
      retentionMs: raw.store.retention,
    },
    lease: { ttlMs: raw.lease.ttl, renewDeadlineMs: raw.lease.renewDeadline, retryMs: raw.lease.retry },
    probe: { periodMs: raw.probe.period, timeoutMs: raw.probe.timeout },
    tickMs: Math.min(TICK_MS, raw.probe.period / 2),
    writeCanaryMs: WRITE_CANARY_MS,
    clusters: raw.clusters,
    observers: raw.observers,
    configCenters: raw.configCenters,
    groups: raw.groups.map((group) => ({
      name: group.name,
      clusters: group.clusters.map((name) => declared(clusters, name)),
      mode: group.mode,
      publishTo: group.publishTo,
      watch: {
        name: group.name,
        clusters: group.clusters,
        topics: group.topics,
        consumerGroups: group.consumerGroups,
        principals: group.principals,
        flows: group.flows.map(watchFlow),
      },
      policy: policyOf(group.policy, raw.sagaMaxOpen),
      preSwitchover: group.hooks.preSwitchover.map(preHook),
    })),
    alerts: raw.alerts,
    policyDigest: policyDigest(raw),
    crashAt,
  };
}

const rateLimitOf = ({ window, reads, writes }: RawControllerConfig['http']['rateLimit']) => ({
  ...{ windowMs: window, reads, writes },
});

function oidcOptions(raw: RawControllerConfig['http']['oidc']): OidcOptions | null {
  if (raw === undefined) return null;
  const { clockSkew: clockSkewMs, jwksFile, ...rest } = raw;
  return { ...rest, jwksFile: jwksFile ?? null, clockSkewMs };
}

type RawFlow = RawControllerConfig['groups'][number]['flows'][number];

/** A dedicated MirrorMaker names its connectors itself, always alike. */
const watchFlow = ({ from, to, naming, connectors }: RawFlow): WatchGroup['flows'][number] =>
  connectors === undefined
    ? { from, to, naming, connectors: DEDICATED_CONNECTORS, dedicated: true }
    : { from, to, naming, connectors };

type RawHook = RawControllerConfig['groups'][number]['hooks']['preSwitchover'][number];

function preHook({ name, command, url, timeout }: RawHook): PreHook {
  if (command !== undefined) return { name, run: { command }, timeoutMs: timeout };
  if (url !== undefined) return { name, run: { url }, timeoutMs: timeout };
  throw new Error(`hook ${name} has neither command nor url: the schema must have refused it`);
}

/** What the file cannot say has the default of the decision's own library. */
function policyOf(policy: RawControllerConfig['groups'][number]['policy'], sagaMaxOpenMs: number): Policy {
  const { windows } = policy;
  const isolatedDefaultMs = policy.producersInSourceIdc ? DEFAULT_WINDOWS.isolatedMs : ISOLATED_SHORTCUT_MS;
  return compilePolicy({
    preset: policy.preset,
    acceptRisk: policy.acceptRisk ?? null,
    maxRpo: { records: policy.maxRpo.records, durationMs: policy.maxRpo.duration },
    graceWithDataLoss: policy.graceWithDataLoss,
    fencing: policy.fencing,
    selfFenceAfterMs: policy.selfFenceAfter,
    standbyFence: policy.standbyFence,
    producersInSourceIdc: policy.producersInSourceIdc,
    clients: policy.clients,
    windows: {
      attestedMs: windows.attested,
      serviceMs: windows.service,
      isolatedMs: Math.max(windows.isolated ?? isolatedDefaultMs, windows.service),
      grayMs: windows.gray,
      partitionMs: windows.partition,
      blindSuspectMs: windows.blindSuspect,
    },
    cooldownMs: policy.cooldown,
    approvals: policy.approvals,
    secondPersonFor: policy.secondPersonFor,
    proposal: { expiresMs: policy.proposal.expires, againMs: policy.proposal.again },
    adoption: { share: policy.adoption.share, waitMs: policy.adoption.wait },
    groupsOnTarget: { waitMs: policy.groupsOnTarget.wait },
    openTransactions: { waitMs: policy.openTransactions.wait, onTimeout: policy.openTransactions.onTimeout },
    sagaMaxOpenMs,
  });
}

/** Equal files give equal digests whatever the order of their keys; addresses and secrets of this controller are left out. */
function policyDigest(raw: RawControllerConfig): string {
  const { clusters, observers, configCenters, groups, probe, sagaMaxOpen, alerts } = raw;
  const shared = {
    clusters,
    observers,
    configCenters: configCenters.map(({ name, type, survives }) => ({ name, type, survives })),
    groups,
    probe,
    sagaMaxOpen,
    alerts: { ...alerts, redis: undefined }, // each may have its own way to it
  };
  return createHash('sha256')
    .update(JSON.stringify(sorted(shared)))
    .digest('hex');
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};

function declared(clusters: ReadonlyMap<string, ClusterConfig>, name: string): ClusterConfig {
  const found = clusters.get(name);
  if (found === undefined) throw new Error(`cluster ${name} is not declared: brokenRules() must have refused it`);
  return found;
}
