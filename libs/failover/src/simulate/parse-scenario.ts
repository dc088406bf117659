import type { IdcName } from '#health';
import type { Policy } from '../matrix/facts.js';
import { compilePolicy, defaultPolicy, type RawPolicy } from '../matrix/policy.js';
import {
  durationOf,
  flagOf,
  listOf,
  maybe,
  numberOf,
  objectOf,
  oneOf,
  orNull,
  present,
  recordOf,
  textOf,
} from './read.js';
import { parseExpectation } from './parse-expectation.js';
import { AGENT_STATES, type GroupChange, type LagChange, type Phase, type Scenario } from './scenario.js';
import { viewNamed } from './views.js';

const DEFAULT_OBSERVERS = ['a', 'b', 'c'].map((idc) => ({ agent: `agent-${idc}`, idc }));

const WINDOW_KEYS = ['attested', 'service', 'isolated', 'gray', 'partition', 'blindSuspect'] as const;

function parseWindows(value: unknown, path: string): Policy['windows'] {
  const o = objectOf(value, path, WINDOW_KEYS);
  const given = WINDOW_KEYS.flatMap((k) => (o[k] === undefined ? [] : [[`${k}Ms`, durationOf(o[k], `${path}.${k}`)]]));
  return { ...defaultPolicy.windows, ...(Object.fromEntries(given) as Partial<Policy['windows']>) };
}

function parseMaxRpo(value: unknown, path: string): Policy['maxRpo'] {
  const o = objectOf(value, path, ['records', 'duration']);
  return {
    records: numberOf(o['records'], `${path}.records`),
    durationMs: durationOf(o['duration'], `${path}.duration`),
  };
}

function parseProposalTimes(value: unknown, path: string): Policy['proposal'] {
  const o = objectOf(value, path, ['expires', 'again']);
  const { expiresMs, againMs } = defaultPolicy.proposal;
  return {
    expiresMs: maybe(o['expires'], `${path}.expires`, durationOf) ?? expiresMs,
    againMs: maybe(o['again'], `${path}.again`, durationOf) ?? againMs,
  };
}

function parsePolicy(value: unknown): Policy {
  const o = objectOf(value ?? {}, 'policy', [
    'preset', 'acceptRisk', 'maxRpo', 'graceWithDataLoss', 'fencing', 'standbyFence', 'producersInSourceIdc', 'clients', 'windows', 'cooldown', 'observerLost', 'partitionShare', 'proposal',
  ]); // prettier-ignore
  const raw: Partial<RawPolicy> = present<RawPolicy>({
    preset: maybe(o['preset'], 'policy.preset', (v, p) => oneOf(v, p, ['guarded', 'classic'])),
    acceptRisk: maybe(o['acceptRisk'], 'policy.acceptRisk', (v, p) => oneOf(v, p, ['split-brain-and-loss'] as const)),
    maxRpo: maybe(o['maxRpo'], 'policy.maxRpo', parseMaxRpo) ?? defaultPolicy.maxRpo,
    graceWithDataLoss: maybe(o['graceWithDataLoss'], 'policy.graceWithDataLoss', flagOf),
    fencing: maybe(o['fencing'], 'policy.fencing', (v, p) => oneOf(v, p, ['best-effort', 'strict'])),
    standbyFence: maybe(o['standbyFence'], 'policy.standbyFence', (v, p) => oneOf(v, p, ['acl', 'none'])),
    producersInSourceIdc: maybe(o['producersInSourceIdc'], 'policy.producersInSourceIdc', flagOf),
    clients: maybe(o['clients'], 'policy.clients', (v, p) => oneOf(v, p, ['anywhere', 'outside'])),
    windows: maybe(o['windows'], 'policy.windows', parseWindows),
    cooldownMs: maybe(o['cooldown'], 'policy.cooldown', durationOf),
    lagMaxAgeMs: undefined,
    sagaMaxOpenMs: undefined,
    observerLostMs: maybe(o['observerLost'], 'policy.observerLost', durationOf),
    proposal: maybe(o['proposal'], 'policy.proposal', parseProposalTimes),
    partitionShare: maybe(o['partitionShare'], 'policy.partitionShare', numberOf),
  });
  return compilePolicy({ ...raw, maxRpo: raw.maxRpo ?? defaultPolicy.maxRpo });
}

const viewName = (value: unknown, path: string): string => viewNamed(textOf(value, path)).name;

/** `{a: refused}`: everyone finds a refused; `{a: {b: silent}}`: only the observer in b. */
function parseSees(value: unknown, path: string, idcs: readonly IdcName[]): Phase['sees'] {
  return recordOf(value, path, (seen, p) =>
    typeof seen === 'string'
      ? Object.fromEntries(idcs.map((idc) => [idc, viewName(seen, p)]))
      : recordOf(seen, p, viewName),
  );
}

function parseGroup(value: unknown, path: string): GroupChange {
  const o = objectOf(value, path, [
    'mode', 'active', 'epoch', 'paused', 'frozen', 'sagaOpen', 'published', 'acknowledged', 'closedUnpublished', 'acceptLoss', 'rejoin', 'armed', 'proposal',
  ]); // prettier-ignore
  const names = (v: unknown, p: string): readonly string[] => listOf(v, p, textOf);
  return present<GroupChange>({
    mode: maybe(o['mode'], `${path}.mode`, (v, p) => oneOf(v, p, ['observe', 'approve', 'auto'])),
    active: maybe(o['active'], `${path}.active`, textOf),
    epoch: maybe(o['epoch'], `${path}.epoch`, numberOf),
    paused: maybe(o['paused'], `${path}.paused`, flagOf),
    frozen: maybe(o['frozen'], `${path}.frozen`, orNull(textOf)),
    sagaOpen: maybe(o['sagaOpen'], `${path}.sagaOpen`, flagOf),
    published: maybe(o['published'], `${path}.published`, flagOf),
    acknowledged: maybe(o['acknowledged'], `${path}.acknowledged`, flagOf),
    closedUnpublished: maybe(
      o['closedUnpublished'],
      `${path}.closedUnpublished`,
      orNull((v, p) => {
        const c = objectOf(v, p, ['attempts', 'outcome']);
        return { attempts: numberOf(c['attempts'], `${p}.attempts`), outcome: textOf(c['outcome'], `${p}.outcome`) };
      }),
    ),
    acceptLoss: maybe(
      o['acceptLoss'],
      `${path}.acceptLoss`,
      orNull((v, p) => {
        const c = objectOf(v, p, ['records', 'duration', 'for']);
        return {
          records: maybe(c['records'], `${p}.records`, numberOf) ?? null,
          durationMs: maybe(c['duration'], `${p}.duration`, durationOf) ?? null,
          forMs: maybe(c['for'], `${p}.for`, durationOf) ?? 1_800_000,
        };
      }),
    ),
    rejoin: maybe(o['rejoin'], `${path}.rejoin`, names),
    armed: maybe(o['armed'], `${path}.armed`, names),
    proposal: maybe(
      o['proposal'],
      `${path}.proposal`,
      orNull((v, p) => {
        const c = objectOf(v, p, ['state', 'about']);
        return {
          state: oneOf(c['state'], `${p}.state`, ['open', 'approved', 'rejected', 'expired', 'withdrawn']),
          about: maybe(c['about'], `${p}.about`, (s, q) => oneOf(s, q, ['down', 'degraded'])) ?? 'down',
        };
      }),
    ),
  });
}

/** `unknown`, or what is known; records decide, so seconds alone leave records unknown. */
function parseLag(value: unknown, path: string): LagChange {
  if (value === 'unknown') return { records: null, ms: null, heartbeatAgeMs: null };
  const o = objectOf(value, path, ['records', 'duration', 'heartbeat']);
  return {
    records: maybe(o['records'], `${path}.records`, numberOf) ?? null,
    ms: maybe(o['duration'], `${path}.duration`, durationOf) ?? null,
    heartbeatAgeMs: maybe(o['heartbeat'], `${path}.heartbeat`, durationOf) ?? null,
  };
}

function parseController(value: unknown, path: string): Phase['controller'] {
  const o = objectOf(value, path, ['leading', 'term', 'restart']);
  return present<Phase['controller']>({
    leading: maybe(o['leading'], `${path}.leading`, flagOf),
    term: maybe(o['term'], `${path}.term`, numberOf),
    restart: maybe(o['restart'], `${path}.restart`, flagOf),
  });
}

function parseConnector(value: unknown, path: string): NonNullable<Phase['connector']> {
  const o = objectOf(value, path, [
    'syncsTopicAcls',
    'excludesMaxMessageBytes',
    'foreignTopics',
    'state',
    'purged',
    'dedicated',
  ]);
  return present<NonNullable<Phase['connector']>>({
    syncsTopicAcls: maybe(o['syncsTopicAcls'], `${path}.syncsTopicAcls`, flagOf),
    excludesMaxMessageBytes: maybe(o['excludesMaxMessageBytes'], `${path}.excludesMaxMessageBytes`, flagOf),
    foreignTopics: maybe(o['foreignTopics'], `${path}.foreignTopics`, (v, p) => listOf(v, p, textOf)),
    dedicated: maybe(o['dedicated'], `${path}.dedicated`, flagOf),
    purged: maybe(o['purged'], `${path}.purged`, numberOf),
    state: maybe(o['state'], `${path}.state`, (v, p) =>
      oneOf(v, p, ['RUNNING', 'PAUSED', 'STOPPED', 'FAILED', 'UNKNOWN']),
    ),
  });
}

function parsePlacement(value: unknown, path: string): NonNullable<Phase['placement']> {
  const o = objectOf(value, path, ['store', 'center']);
  return present<NonNullable<Phase['placement']>>({
    store: maybe(o['store'], `${path}.store`, (v, p) => listOf(v, p, textOf)),
    center: maybe(o['center'], `${path}.center`, (v, p) => listOf(v, p, textOf)),
  });
}

function parseBrokers(value: unknown, path: string): NonNullable<Phase['brokers']> {
  const o = objectOf(value, path, ['session', 'election']);
  return present<NonNullable<Phase['brokers']>>({
    sessionTimeoutMs: maybe(o['session'], `${path}.session`, durationOf),
    electionTimeoutMs: maybe(o['election'], `${path}.election`, durationOf),
  });
}

const PHASE_KEYS = [
  'name', 'for', 'sees', 'agents', 'group', 'lag', 'center', 'controller', 'fences', 'brokers', 'connector', 'placement', 'digests', 'expect',
]; // prettier-ignore

function parsePhase(value: unknown, path: string, idcs: readonly IdcName[]): Phase {
  const o = objectOf(value, path, PHASE_KEYS);
  const fence = (v: unknown, p: string) => oneOf(v, p, ['fenced', 'open', 'partial', 'foreign', 'unknown']);
  return {
    name: maybe(o['name'], `${path}.name`, textOf) ?? path,
    forMs: durationOf(o['for'], `${path}.for`),
    sees: maybe(o['sees'], `${path}.sees`, (v, p) => parseSees(v, p, idcs)) ?? {},
    agents: maybe(o['agents'], `${path}.agents`, (v, p) => recordOf(v, p, (s, q) => oneOf(s, q, AGENT_STATES))) ?? {},
    group: maybe(o['group'], `${path}.group`, parseGroup) ?? {},
    lag: maybe(o['lag'], `${path}.lag`, parseLag) ?? null,
    center: maybe(o['center'], `${path}.center`, textOf) ?? null,
    controller: maybe(o['controller'], `${path}.controller`, parseController) ?? {},
    fences: maybe(o['fences'], `${path}.fences`, (v, p) => recordOf(v, p, fence)) ?? {},
    brokers: maybe(o['brokers'], `${path}.brokers`, parseBrokers) ?? null,
    connector: maybe(o['connector'], `${path}.connector`, parseConnector) ?? null,
    placement: maybe(o['placement'], `${path}.placement`, parsePlacement) ?? null,
    digests: maybe(o['digests'], `${path}.digests`, (v, p) => recordOf(v, p, textOf)) ?? null,
    expect: maybe(o['expect'], `${path}.expect`, parseExpectation) ?? null,
  };
}

/**
 * Reads one scenario from parsed YAML or JSON. Throws ScenarioError naming the path of the first part that is wrong,
 * RangeError for an unknown view and PolicyError for a policy that cannot be obeyed.
 */
export function parseScenario(value: unknown): Scenario {
  const o = objectOf(value, 'scenario', ['name', 'why', 'observers', 'policy', 'probe', 'tick', 'phases']);
  const observers =
    maybe(o['observers'], 'observers', (v, p) => listOf(v, p, textOf).map((idc) => ({ agent: `agent-${idc}`, idc }))) ??
    DEFAULT_OBSERVERS;
  const probe = objectOf(o['probe'] ?? {}, 'probe', ['period', 'timeout']);
  const idcs = observers.map((ob) => ob.idc);
  return {
    name: textOf(o['name'], 'name'),
    why: maybe(o['why'], 'why', textOf) ?? '',
    observers,
    policy: parsePolicy(o['policy']),
    probe: {
      periodMs: maybe(probe['period'], 'probe.period', durationOf) ?? 2_000,
      timeoutMs: maybe(probe['timeout'], 'probe.timeout', durationOf) ?? 2_000,
    },
    tickMs: maybe(o['tick'], 'tick', durationOf) ?? 500,
    phases: listOf(o['phases'], 'phases', (v, p) => parsePhase(v, p, idcs)),
  };
}
