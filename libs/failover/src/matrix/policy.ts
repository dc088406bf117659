import type { Policy } from './facts.js';

/** What a policy may say; every absent part has a default except `maxRpo`, which an owner must state. */
export type RawPolicy = Partial<Omit<Policy, 'windows' | 'maxRpo'>> &
  Readonly<{ maxRpo: Policy['maxRpo']; windows?: Partial<Policy['windows']> }>;

export const DEFAULT_WINDOWS: Policy['windows'] = Object.freeze({
  attestedMs: 20_000, // longer than a measured broker restart of 12–13 s
  serviceMs: 30_000, // longer than the stall that one dead broker causes (9–12 s with Kafka's defaults)
  isolatedMs: 60_000, // longer than the 43 s cut that moved GitHub's databases in 2018
  grayMs: 60_000,
  partitionMs: 120_000,
  blindSuspectMs: 60_000,
});

const DEFAULTS: Omit<Policy, 'maxRpo' | 'windows'> = {
  preset: 'guarded',
  acceptRisk: null,
  graceWithDataLoss: false,
  fencing: 'best-effort',
  selfFenceAfterMs: 20_000, // a change of leader takes 12.4 s with the default lease
  standbyFence: 'acl',
  producersInSourceIdc: true,
  clients: 'anywhere',
  cooldownMs: 3_600_000,
  lagMaxAgeMs: 10_000,
  sagaMaxOpenMs: 300_000,
  observerLostMs: 30_000,
  partitionShare: 0.3,
  adoption: { share: 0.95, waitMs: 10_000 },
  groupsOnTarget: { waitMs: 50_000 }, // Kafka's default session.timeout.ms is 45 s
  openTransactions: { waitMs: 15_000, onTimeout: 'abort-switchover' },
  approvals: 1,
  secondPersonFor: [],
  proposal: { expiresMs: 1_800_000, againMs: 900_000 },
};

/** A policy that cannot be obeyed safely. Fails closed at load: the caller adds file and line. */
export class PolicyError extends Error {
  readonly code = 'POLICY_INVALID';
  readonly rules: readonly string[];

  constructor(rules: readonly string[]) {
    super(`policy: ${rules.join('; ')}`);
    this.name = 'PolicyError';
    this.rules = rules;
  }
}

const positive = (name: string, value: number): readonly string[] =>
  Number.isFinite(value) && value > 0 ? [] : [`${name} must be above 0, it is ${value}`];

/** Relations between fields, each with both values in the message. Empty: the policy is sound. */
export function policyErrors(policy: Policy): readonly string[] {
  return [
    ...positive('selfFenceAfter', policy.selfFenceAfterMs),
    ...Object.entries(policy.windows).flatMap(([name, ms]) => positive(`windows.${name}`, ms)),
    ...positive('proposal.expires', policy.proposal.expiresMs),
    ...positive('proposal.again', policy.proposal.againMs),
    ...(policy.maxRpo.records >= 0 ? [] : [`maxRpo.records must not be negative, it is ${policy.maxRpo.records}`]),
    ...(policy.maxRpo.durationMs >= 0
      ? []
      : [`maxRpo.durationMs must not be negative, it is ${policy.maxRpo.durationMs}`]),
    ...(policy.partitionShare > 0 && policy.partitionShare <= 1
      ? []
      : [`partitionShare must lie in (0, 1], it is ${policy.partitionShare}`]),
  ];
}

/** Raw → every default filled in → checked → frozen. Throws {@link PolicyError} with all broken rules at once. */
export function compilePolicy(raw: RawPolicy): Policy {
  const policy: Policy = Object.freeze({
    ...DEFAULTS,
    ...raw,
    windows: Object.freeze({ ...DEFAULT_WINDOWS, ...raw.windows }),
  });
  const errors = policyErrors(policy);
  if (errors.length > 0) throw new PolicyError(errors);
  return policy;
}

/** The shipped opinion with a budget of 10,000 records or 30 s; tests and scenarios start from it. */
export const defaultPolicy: Policy = compilePolicy({ maxRpo: { records: 10_000, durationMs: 30_000 } });

/** `at`: the field of the group that is to be changed; a caller with a file adds its line. */
export type ModeError = Readonly<{ at: 'mode' | 'policy.preset'; message: string }>;

/**
 * What keeps a group from running in its mode. `auto` needs three observers in three IDCs: with fewer, one silent or
 * lying agent would decide. `classic` acts on one reading and moves onto lagging copies: its owner must say so.
 */
export function modeErrors(
  mode: 'observe' | 'approve' | 'auto',
  { preset, acceptRisk }: Readonly<{ preset: Policy['preset']; acceptRisk?: Policy['acceptRisk'] | undefined }>,
  observerIdcs: readonly string[], // one entry per observer
): readonly ModeError[] {
  if (mode !== 'auto') return [];
  const errors: ModeError[] = [];
  const idcs = new Set(observerIdcs).size;
  if (idcs < 3) {
    const message =
      `auto needs at least 3 observers in 3 IDCs, found ${observerIdcs.length} in ${idcs}: ` +
      'add a probe-only witness agent in another IDC, or use approve or observe';
    errors.push({ at: 'mode', message });
  }
  if (preset === 'classic' && acceptRisk !== 'split-brain-and-loss') {
    const message =
      'classic in mode auto moves on one unreachable probe and on lag: it needs acceptRisk: split-brain-and-loss';
    errors.push({ at: 'policy.preset', message });
  }
  return errors;
}
