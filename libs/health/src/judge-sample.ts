import { CANARY_DOWN_ERROR_CODES, DOWN_ERROR_KINDS } from './settings.js';
import type { CanaryProbe, ClusterSample, ProbeErrorKind } from './types.js';

/**
 * What one sample says taken alone.
 * `clean`: nothing to complain about. `imperfect`: the cluster answered, with faults. `unreachable` and `no_service`:
 * failed samples. `misconfigured` and `doubtful`: this agent cannot judge (its own fault, or errors that are not "down").
 */
export type SampleOutcome = 'clean' | 'imperfect' | 'unreachable' | 'no_service' | 'misconfigured' | 'doubtful';

export type SampleJudgement = Readonly<{
  outcome: SampleOutcome;
  everyBrokerRefused: boolean;
  noQuorum: boolean;
  serves: boolean; // every canary came back and no hot-standby partition is at fault: counts towards recovery
  foreignErrors: readonly ProbeErrorKind[]; // errors outside the closed list, distinct
  quorumHidden: boolean; // this agent may not or cannot ask for the quorum leader: its own fault, no finding
  reasons: readonly string[];
}>;

const downKinds: ReadonlySet<string> = new Set(DOWN_ERROR_KINDS);
const canaryDownCodes: ReadonlySet<number> = new Set(CANARY_DOWN_ERROR_CODES);

/** Ends of the question for the quorum leader that say nothing of a quorum; silence and a broker's own error do. */
const HIDING_KINDS: ReadonlySet<ProbeErrorKind> = new Set(['authorization', 'authentication', 'tls', 'dns', 'quota']);

const quorumHidden = (s: ClusterSample): boolean => s.quorumError !== null && HIDING_KINDS.has(s.quorumError);

const canaryIsDown = (c: CanaryProbe): boolean =>
  c.error === 'broker'
    ? c.errorCode !== null && canaryDownCodes.has(c.errorCode)
    : c.error !== null && downKinds.has(c.error);

const distinct = (kinds: readonly ProbeErrorKind[]): readonly ProbeErrorKind[] => [...new Set(kinds)].sort();

/** Every error kind of a sample, distinct and sorted: brokers and canaries. */
export function errorKindsOf(sample: ClusterSample): readonly ProbeErrorKind[] {
  const kinds: ProbeErrorKind[] = [];
  for (const b of sample.brokers) if (b.error !== null) kinds.push(b.error);
  for (const c of sample.canaries) if (c.error !== null) kinds.push(c.error);
  if (sample.quorumError !== null && quorumHidden(sample)) kinds.push(sample.quorumError);
  return distinct(kinds);
}

function foreignErrorsOf(sample: ClusterSample): readonly ProbeErrorKind[] {
  const kinds: ProbeErrorKind[] = [];
  for (const b of sample.brokers) if (b.error !== null && !downKinds.has(b.error)) kinds.push(b.error);
  for (const c of sample.canaries) if (!c.ok && !canaryIsDown(c)) kinds.push(c.error ?? 'other');
  return distinct(kinds);
}

/**
 * Brokers that answered ApiVersions. Bootstrap addresses carry no broker id until metadata was had; they count only
 * while no broker is known by id, else one broker would be counted twice.
 */
export function answeringBrokers(sample: ClusterSample): number {
  const answered = sample.brokers.filter((b) => b.error === null);
  const ids = new Set(answered.flatMap((b) => (b.brokerId === null ? [] : [b.brokerId])));
  if (ids.size > 0 || sample.brokers.some((b) => b.brokerId !== null)) return ids.size;
  return sample.expectedBrokers > 0 ? Math.min(answered.length, sample.expectedBrokers) : answered.length;
}

/** At least two brokers sampled, or all that answer: the canary of one broker alone convicts nobody. */
const sampledEnough = (sample: ClusterSample): boolean =>
  sample.canaries.length >= Math.min(2, Math.max(1, answeringBrokers(sample)));

/** Serving in full, whatever else is missing: a cluster that lost one broker for good recovers all the same. */
const serves = (s: ClusterSample): boolean =>
  s.canaries.every((c) => c.ok) && (s.hotStandby?.offline ?? 0) === 0 && (s.hotStandby?.underMinIsr ?? 0) === 0;

type Fault = Readonly<{ says: (s: ClusterSample) => string; found: (s: ClusterSample) => boolean }>;

/** Faults of a cluster that answers; each makes the sample imperfect. */
const FAULTS: readonly Fault[] = [
  {
    says: (s) => `${answeringBrokers(s)} of ${s.expectedBrokers} brokers answer`,
    found: (s) => answeringBrokers(s) < s.expectedBrokers,
  },
  {
    says: (s) => `${s.hotStandby?.offline ?? 0} hot-standby partitions offline`,
    found: (s) => (s.hotStandby?.offline ?? 0) > 0,
  },
  {
    says: (s) => `${s.hotStandby?.underMinIsr ?? 0} hot-standby partitions under min ISR`,
    found: (s) => (s.hotStandby?.underMinIsr ?? 0) > 0,
  },
  {
    says: (s) => `canary fails on ${s.canaries.filter((c) => !c.ok).length} of ${s.canaries.length} sampled brokers`,
    found: (s) => s.canaries.some((c) => !c.ok),
  },
  { says: () => 'no quorum leader', found: (s) => s.quorumLeader === null && !quorumHidden(s) },
  { says: (s) => `the quorum leader cannot be asked for: ${s.quorumError ?? ''}`, found: quorumHidden },
];

const judgement = (
  outcome: SampleOutcome,
  reasons: readonly string[],
  more: Partial<SampleJudgement> = {},
): SampleJudgement => ({
  outcome,
  everyBrokerRefused: false,
  noQuorum: false,
  serves: false,
  foreignErrors: [],
  quorumHidden: false,
  ...more,
  reasons,
});

function judgeSilent(sample: ClusterSample): SampleJudgement {
  const foreignErrors = foreignErrorsOf(sample);
  if (foreignErrors.length > 0) {
    return judgement(
      'misconfigured',
      [`no broker answers, by ${foreignErrors.join(', ')}: not evidence of a failure`],
      {
        foreignErrors,
      },
    );
  }
  const everyBrokerRefused = sample.brokers.every((b) => b.error === 'refused');
  const how = everyBrokerRefused ? 'every broker refused' : errorKindsOf(sample).join(', ');
  return judgement('unreachable', [`no broker answers: ${how}`], { everyBrokerRefused });
}

function judgeAnswering(sample: ClusterSample): SampleJudgement {
  const foreignErrors = foreignErrorsOf(sample);
  const reasons = FAULTS.filter((f) => f.found(sample)).map((f) => f.says(sample));
  const canaryWorks = sample.canaries.some((c) => c.ok) || sample.canaries.length === 0;
  // A hidden quorum is kept out of the foreign errors: a missing right must not hide a cluster that serves nobody.
  const hidden = quorumHidden(sample);
  const noQuorum = sample.quorumLeader === null && !hidden && canaryWorks;
  const more = { foreignErrors, noQuorum, quorumHidden: hidden, serves: serves(sample) };
  const noneWorks = sample.canaries.length > 0 && sample.canaries.every((c) => !c.ok);
  // Living clients are the best witness: while their records arrive, nothing here is worse than imperfect.
  if (noneWorks && sampledEnough(sample) && sample.endOffsetsAdvanced !== true) {
    if (foreignErrors.length === 0) return judgement('no_service', reasons, more);
    return judgement('misconfigured', [...reasons, `errors that are not "down": ${foreignErrors.join(', ')}`], more);
  }
  return judgement(reasons.length > 0 || foreignErrors.length > 0 ? 'imperfect' : 'clean', reasons, more);
}

/** Judges one sample by the closed lists; the order of the questions is the order of trust. */
export function judgeSample(sample: ClusterSample): SampleJudgement {
  if (!sample.self.healthy) return judgement('doubtful', sample.self.reasons);
  if (sample.brokers.length === 0) return judgement('misconfigured', ['no broker address to ask']);
  return sample.brokers.some((b) => b.error === null) ? judgeAnswering(sample) : judgeSilent(sample);
}
