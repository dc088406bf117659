import type { BrokerProbe, CanaryProbe, ClusterSample, Ms, PartitionCounts, ProbeErrorKind } from '#health';

/** How one observer finds one cluster during a phase of a scenario, as the samples its probes would take. */
export type View = Readonly<{
  name: string;
  says: string;
  slow: boolean; // some probe of the round runs into its deadline
  sample: (round: number) => Partial<ClusterSample>;
}>;

const IDS = [1, 2, 3] as const;
const PARTITIONS: PartitionCounts = { total: 12, offline: 0, underReplicated: 0, underMinIsr: 0 };

const brokers = (errors: readonly (ProbeErrorKind | null)[]): readonly BrokerProbe[] =>
  IDS.map((brokerId, i) => ({
    address: `broker-${brokerId}:9092`,
    brokerId,
    error: errors[i] ?? null,
    latencyMs: errors[i] == null ? 2 : null,
  }));

const canaries = (errors: readonly (ProbeErrorKind | number | null)[]): readonly CanaryProbe[] =>
  errors.map((e, i) => ({
    brokerId: i + 1,
    ok: e === null,
    latencyMs: e === null ? 8 : null,
    error: typeof e === 'number' ? 'broker' : e,
    errorCode: typeof e === 'number' ? e : null,
  }));

const thrice = <T>(value: T): readonly [T, T, T] => [value, value, value];

/** Nothing answers: no metadata, no canary, no end offsets. */
const silent = (errors: readonly (ProbeErrorKind | null)[]): Partial<ClusterSample> => ({
  brokers: brokers(errors),
  activeBrokers: null,
  clusterId: null,
  quorumLeader: null,
  hotStandby: null,
  canaries: canaries(errors),
  endOffsetsAdvanced: null,
});

const view = (name: string, says: string, sample: View['sample'], slow = false): View => ({ name, says, slow, sample });

const STALLED: Partial<ClusterSample> = { canaries: canaries(thrice('deadline')), endOffsetsAdvanced: false };

export const VIEWS: readonly View[] = [
  view('up', 'all in order', () => ({})),
  view('idle', 'all in order, nobody writes', () => ({ endOffsetsAdvanced: false })),
  view('refused', 'every broker refuses', () => silent(thrice('refused'))),
  view('reset', 'every connection is reset', () => silent(thrice('reset'))),
  view('no-route', 'no route to any broker', () => silent(thrice('no_route'))),
  view('silent', 'no broker answers within the deadline', () => silent(thrice('deadline')), true),
  view('half-refused', 'one broker refuses, two are silent', () => silent(['refused', 'deadline', 'deadline']), true),
  view('no-service', 'brokers answer, no canary comes back', () => ({ ...STALLED }), true),
  view('not-enough-replicas', 'brokers answer, canaries get NOT_ENOUGH_REPLICAS', () => ({
    canaries: canaries(thrice(19)),
    endOffsetsAdvanced: false,
  })),
  view(
    'quorum-lost',
    'metadata looks healthy, but no quorum leader and no canary',
    () => ({ ...STALLED, quorumLeader: null }),
    true,
  ),
  view('controllers-gone', 'brokers serve without a quorum leader', () => ({ quorumLeader: null }), true),
  view('broker-lost', 'one broker of three is gone, the others serve', () => ({
    brokers: brokers([null, null, 'refused']),
    activeBrokers: 2,
    canaries: canaries([null, null]),
  })),
  view(
    'broker-lost-stalled',
    'one broker of three just died: acks=all waits for its session',
    () => ({ ...STALLED, brokers: brokers([null, null, 'refused']) }),
    true,
  ),
  view(
    'two-brokers-dead',
    'one broker of three answers, its canary does not',
    () => ({
      brokers: brokers([null, 'refused', 'refused']),
      activeBrokers: 1,
      canaries: canaries(['deadline']),
      quorumLeader: null,
      hotStandby: { ...PARTITIONS, offline: 4, underMinIsr: 12 },
      endOffsetsAdvanced: null,
    }),
    true,
  ),
  view(
    'stalled-but-advancing',
    'no canary comes back, but clients write',
    () => ({ ...STALLED, endOffsetsAdvanced: true }),
    true,
  ),
  view(
    'gray',
    'two of three canaries fail, on every broker',
    (round) => ({ canaries: canaries(thrice(round % 3 === 0 ? null : 'deadline')) }),
    true,
  ),
  view('canary-fails-on-one', 'the canary fails on one broker', () => ({ canaries: canaries([null, null, 7]) })),
  view('one-offline', 'one hot-standby partition is offline', () => ({
    hotStandby: { ...PARTITIONS, offline: 1, underMinIsr: 1 },
  })),
  view('half-offline', 'half of the hot-standby partitions are offline', () => ({
    hotStandby: { ...PARTITIONS, offline: 6, underMinIsr: 6 },
  })),
  view('under-min-isr', 'two hot-standby partitions are under min ISR', () => ({
    hotStandby: { ...PARTITIONS, underMinIsr: 2 },
  })),
  view('no-active-brokers', 'metadata lists no broker', () => ({ activeBrokers: 0 })),
  view('dns', 'no name resolves', () => silent(thrice('dns'))),
  view('tls', 'certificates are refused', () => silent(thrice('tls'))),
  view('authentication', 'the credentials are refused', () => silent(thrice('authentication'))),
  view('authorization', 'brokers answer, the canary is not authorized', () => ({
    canaries: canaries(thrice('authorization')),
    endOffsetsAdvanced: false,
  })),
  view('quota', 'brokers answer, the canary is throttled', () => ({
    canaries: canaries(thrice('quota')),
    endOffsetsAdvanced: false,
  })),
  view('unknown-error', 'every probe fails in a way nobody foresaw', () => silent(thrice('other'))),
  view('mixed-tls', 'two brokers are silent, one refuses the certificate', () =>
    silent(['deadline', 'deadline', 'tls']),
  ),
];

const byName: ReadonlyMap<string, View> = new Map(VIEWS.map((v) => [v.name, v]));

/** Throws RangeError with the known names. */
export function viewNamed(name: string): View {
  const found = byName.get(name);
  if (found === undefined) throw new RangeError(`no view "${name}"; known: ${[...byName.keys()].join(', ')}`);
  return found;
}

/** The whole sample of a view, taken at `takenAtMs` of the agent's clock. */
export function sampleOf(v: View, round: number, takenAtMs: Ms, self: ClusterSample['self']): ClusterSample {
  return {
    takenAtMs,
    expectedBrokers: 3,
    brokers: brokers(thrice(null)),
    activeBrokers: 3,
    clusterId: 'kafka',
    quorumLeader: 1,
    quorumError: null,
    hotStandby: PARTITIONS,
    otherTopics: null,
    canaries: canaries(thrice(null)),
    endOffsetsAdvanced: true,
    self,
    ...v.sample(round),
  };
}
