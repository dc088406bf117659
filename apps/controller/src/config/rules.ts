import { brokenCenterRules } from '#config-center';
import { modeErrors } from '#failover';
import { formatDuration } from '#platform';
import { alertRules } from './alert-rules.js';
import type { RawControllerConfig } from './schema.js';

type Broken = Readonly<{ path: readonly PropertyKey[]; message: string }>;
type Group = RawControllerConfig['groups'][number];

/** Rules over more than one field. Each message prints both values and says what to do. */
export function brokenRules(config: RawControllerConfig): readonly Broken[] {
  return [
    ...duplicates(
      config.clusters.map((c) => c.name),
      'clusters',
      'name',
    ),
    ...duplicates(
      config.groups.map((g) => g.name),
      'groups',
      'name',
    ),
    ...duplicates(
      config.configCenters.map((c) => c.name),
      'configCenters',
      'name',
    ),
    ...duplicates(
      config.observers.map((o) => o.agent),
      'observers',
      'agent',
    ),
    ...leaseRules(config),
    ...httpRules(config),
    ...config.configCenters.flatMap((center, i) =>
      brokenCenterRules(center).map(({ path, message }) => ({ path: ['configCenters', i, ...path], message })),
    ),
    ...alertRules(config.alerts),
    ...config.groups.flatMap((group, i) => groupRules(config, group, ['groups', i])),
  ];
}

function duplicates(values: readonly string[], list: string, key: string): Broken[] {
  return values.flatMap((value, i) =>
    values.indexOf(value) === i ? [] : [{ path: [list, i, key], message: `"${value}" is named twice` }],
  );
}

function leaseRules({ lease }: RawControllerConfig): Broken[] {
  const broken: Broken[] = [];
  const text = (ms: number): string => formatDuration(ms);
  if (lease.ttl <= lease.renewDeadline) {
    broken.push({
      path: ['lease', 'ttl'],
      message: `ttl ${text(lease.ttl)} must be longer than renewDeadline ${text(lease.renewDeadline)}`,
    });
  }
  if (lease.renewDeadline <= lease.retry * 1.2) {
    broken.push({
      path: ['lease', 'renewDeadline'],
      message: `renewDeadline ${text(lease.renewDeadline)} must be longer than 1.2 × retry ${text(lease.retry)}`,
    });
  }
  return broken;
}

function httpRules({ http }: RawControllerConfig): Broken[] {
  const broken: Broken[] = [];
  const loopback = /^(127\.|localhost:|\[::1\])/.test(http.listen);
  if (!loopback && http.tokenFile === undefined && http.oidc === undefined) {
    broken.push({
      path: ['http', 'listen'],
      message: `"${http.listen}" is not loopback: set http.tokenFile or http.oidc, or listen on 127.0.0.1`,
    });
  }
  if (http.tls !== undefined && new URL(http.advertise).protocol !== 'https:') {
    broken.push({
      path: ['http', 'advertise'],
      message: `"${http.advertise}" must begin with https, because http.tls is set`,
    });
  }
  return [...broken, ...oidcRules(http)];
}

function oidcRules({ oidc }: RawControllerConfig['http']): Broken[] {
  if (oidc === undefined) return [];
  const broken: Broken[] = [];
  const { protocol, hostname } = new URL(oidc.issuer);
  if (protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)) {
    broken.push({
      path: ['http', 'oidc', 'issuer'],
      message: `"${oidc.issuer}" must be https: its keys open this API`,
    });
  }
  if (Object.values(oidc.roles).every((values) => values.length === 0)) {
    broken.push({ path: ['http', 'oidc', 'roles'], message: 'no role has a value: nobody could do anything' });
  }
  return broken;
}

function groupRules(config: RawControllerConfig, group: Group, at: readonly PropertyKey[]): Broken[] {
  return [
    ...referenceRules(config, group, at),
    ...flowRules(group, at),
    ...modeRules(config, group, at),
    ...policyRules(config, group, at),
    ...(group.policy.fencing === 'strict' ? strictRules(config, group, at) : []),
  ];
}

function referenceRules(config: RawControllerConfig, group: Group, at: readonly PropertyKey[]): Broken[] {
  const clusters = config.clusters.map((c) => c.name);
  const centers = config.configCenters.map((c) => c.name);
  const unknown = (list: string, i: number, value: string, known: readonly string[]): Broken[] =>
    known.includes(value)
      ? []
      : [{ path: [...at, list, i], message: `"${value}" is not declared; declared: ${known.join(', ')}` }];
  return [
    ...group.clusters.flatMap((value, i) => unknown('clusters', i, value, clusters)),
    ...group.publishTo.flatMap((value, i) => unknown('publishTo', i, value, centers)),
    ...(group.clusters[0] === group.clusters[1]
      ? [{ path: [...at, 'clusters'], message: `"${group.clusters[0]}" is named twice: a group needs two clusters` }]
      : []),
  ];
}

function flowRules(group: Group, at: readonly PropertyKey[]): Broken[] {
  const [a, b] = group.clusters;
  const has = (from?: string, to?: string): boolean => group.flows.some((f) => f.from === from && f.to === to);
  return has(a, b) && has(b, a)
    ? []
    : [
        {
          path: [...at, 'flows'],
          message: `expected one flow ${a} → ${b} and one ${b} → ${a}; both exist beforehand, the idle one STOPPED`,
        },
      ];
}

function modeRules(config: RawControllerConfig, group: Group, at: readonly PropertyKey[]): Broken[] {
  const idcs = config.observers.map((o) => o.idc);
  return modeErrors(group.mode, group.policy, idcs).map(({ at: field, message }) => ({
    path: [...at, ...field.split('.')],
    message,
  }));
}

function policyRules(config: RawControllerConfig, { policy }: Group, at: readonly PropertyKey[]): Broken[] {
  const path = [...at, 'policy'];
  const broken: Broken[] = [];
  const { isolated, service, attested } = policy.windows;
  if (isolated !== undefined && isolated < service) {
    broken.push({
      path: [...path, 'windows', 'isolated'],
      message: `isolated ${formatDuration(isolated)} must not be shorter than service ${formatDuration(service)}`,
    });
  }
  if (service < attested) {
    broken.push({
      path: [...path, 'windows', 'service'],
      message: `service ${formatDuration(service)} must not be shorter than attested ${formatDuration(attested)}`,
    });
  }
  if (attested < config.probe.period * 3) {
    broken.push({
      path: [...path, 'windows', 'attested'],
      message: `attested ${formatDuration(attested)} must be at least 3 × probe.period ${formatDuration(config.probe.period)}`,
    });
  }
  return broken;
}

/** Of a self-fence that a healthy change of leader must not set off, and that a saga must be able to wait for. */
function strictRules(config: RawControllerConfig, group: Group, at: readonly PropertyKey[]): Broken[] {
  const { lease, probe, sagaMaxOpen, clusters, observers } = config;
  const { selfFenceAfter: after } = group.policy;
  const path = [...at, 'policy', 'selfFenceAfter'];
  const broken: Broken[] = [];
  // The longest that agents hear nothing while all is well: a lease runs out, and a report must be answered anew.
  const least = lease.ttl + lease.retry * 1.2 + probe.period * 2;
  if (after <= least) {
    const message =
      `selfFenceAfter ${formatDuration(after)} must be longer than ${formatDuration(least)} (lease.ttl + 1.2 × lease.retry ` +
      '+ 2 × probe.period): a change of leader would close the active cluster';
    broken.push({ path, message });
  }
  if (after * 4 > sagaMaxOpen) {
    const message = `selfFenceAfter ${formatDuration(after)} must be at most a quarter of sagaMaxOpen ${formatDuration(sagaMaxOpen)}`;
    broken.push({ path, message });
  }
  for (const [i, name] of group.clusters.entries()) {
    const idc = clusters.find((c) => c.name === name)?.idc;
    if (idc === undefined || observers.some((o) => o.idc === idc)) continue;
    const message = `strict fencing needs an observer in IDC ${idc}: only the agent beside ${name} can close it by itself`;
    broken.push({ path: [...at, 'clusters', i], message });
  }
  return broken;
}
