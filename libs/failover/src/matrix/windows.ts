import type { Ms } from '#health';
import { CLASSIC_CONFIRM_MS, CLASSIC_UNHEALTHY_ROW } from './classic.js';
import { armedState } from '../fencing/self-fence.js';
import type { WindowState } from './facts.js';
import { FLAP_MEMORY_MS } from './remember.js';
import type { Situation } from './situation.js';

export type WindowKind = 'attested' | 'service' | 'isolated' | 'gray' | 'partition' | 'blindSuspect' | 'classic';

/** Where the fence is strict and armed, or S's IDC holds no producers, an isolated S can do no harm for so long. */
export const ISOLATED_SHORTCUT_MS: Ms = 30_000;

const newest = (instants: readonly (Ms | null)[]): Ms =>
  instants.reduce<Ms>((a, b) => (b === null ? a : Math.max(a, b)), -Infinity);

/** (a) the first failed sample of each DOWN vote in F: the latest of them. */
const lastToFail = (s: Situation): Ms =>
  newest(
    s.fresh.map((v) => (v.state === 'DOWN' && v.ageMs !== null ? s.snapshot.now - v.ageMs - v.failingForMs : null)),
  );

/** (c) the last un-pause, change of mode or end of a published saga. */
function lastChangeByHand({ snapshot: { now, group } }: Situation): Ms {
  const ages = [group.unpausedAgeMs, group.modeChangedAgeMs, group.lastPublishedSagaAgeMs];
  return newest(ages.map((age) => (age === null ? null : now - age)));
}

/** When the failure itself began, as far as anyone saw: (a) and (b). Lag is judged as of this instant. */
export const outageStart = (s: Situation, ignoringOwn: boolean): Ms => {
  const answered = ignoringOwn ? s.memory.lastAnsweredOutsideAtMs : s.memory.lastAnsweredAtMs;
  const start = newest([lastToFail(s), answered]);
  return start === -Infinity ? s.snapshot.now : start;
};

const sharedStart = (s: Situation): Ms => Math.max(outageStart(s, false), lastChangeByHand(s));

const conditionStart = (s: Situation, rowId: number): Ms =>
  Math.max(s.memory.conditionSinceMs[String(rowId)] ?? s.snapshot.now, lastChangeByHand(s));

/** S came back twice in 10 min: windows double; three times: ×4, never more. */
export function flapFactor(s: Situation): number {
  const returns = s.memory.recoveriesAtMs.filter((at) => at > s.snapshot.now - FLAP_MEMORY_MS).length;
  return returns < 2 ? 1 : Math.min(4, 2 ** (returns - 1));
}

export const isolatedLengthMs = ({ policy, source, snapshot }: Situation): Ms => {
  const { isolatedMs, serviceMs } = policy.windows;
  const fenced = policy.fencing === 'strict' && armedState(snapshot, source.name).armed;
  const harmless = fenced || !policy.producersInSourceIdc;
  return Math.max(serviceMs, harmless ? Math.min(isolatedMs, ISOLATED_SHORTCUT_MS) : isolatedMs);
};

type Span = Readonly<{ startedAtMs: Ms; lengthMs: Ms }>;

const due = (span: Span): Ms => span.startedAtMs + span.lengthMs;

/** 400 acts when refused time reaches `attested` or the shared start reaches `service`, whichever comes first. */
function attestedSpan(s: Situation, factor: number): Span {
  const shared = sharedStart(s);
  const { own, policy, snapshot } = s;
  const refusedAt = own?.ageMs == null ? snapshot.now : snapshot.now - own.ageMs - own.refusedForMs;
  const byRefusal = { startedAtMs: Math.max(shared, refusedAt), lengthMs: policy.windows.attestedMs * factor };
  const byService = { startedAtMs: shared, lengthMs: policy.windows.serviceMs * factor };
  return due(byService) < due(byRefusal) ? byService : byRefusal;
}

const SPANS: Readonly<Record<WindowKind, (s: Situation, rowId: number, factor: number) => Span>> = {
  attested: (s, _row, factor) => attestedSpan(s, factor),
  service: (s, _row, factor) => ({ startedAtMs: sharedStart(s), lengthMs: s.policy.windows.serviceMs * factor }),
  isolated: (s, _row, factor) => ({ startedAtMs: sharedStart(s), lengthMs: isolatedLengthMs(s) * factor }),
  gray: (s, _row, factor) => ({
    startedAtMs: Math.max(outageStart(s, true), lastChangeByHand(s)),
    lengthMs: s.policy.windows.grayMs * factor,
  }),
  partition: (s, row, factor) => ({
    startedAtMs: conditionStart(s, row),
    lengthMs: s.policy.windows.partitionMs * factor,
  }),
  blindSuspect: (s, row, factor) => ({
    startedAtMs: conditionStart(s, row),
    lengthMs: s.policy.windows.blindSuspectMs * factor,
  }),
  classic: (s) => ({ startedAtMs: conditionStart(s, CLASSIC_UNHEALTHY_ROW), lengthMs: CLASSIC_CONFIRM_MS }),
};

/** Two fresh snapshots at least p apart since start, leader change or blindness. 115 is blind by its nature. */
const seenTwice = (s: Situation, kind: WindowKind): boolean =>
  kind === 'blindSuspect' ||
  (s.memory.freshSinceMs !== null && s.snapshot.now - s.memory.freshSinceMs >= s.snapshot.probe.periodMs);

/** The window of a matched row at `now`. Nothing completes before the grace after start is over (I12). */
export function windowOf(s: Situation, kind: WindowKind, rowId: number): WindowState {
  const { startedAtMs, lengthMs } = SPANS[kind](s, rowId, flapFactor(s));
  const elapsed = Math.max(0, s.snapshot.now - startedAtMs);
  return {
    startedAtMs,
    lengthMs,
    fillMs: Math.min(elapsed, lengthMs),
    dueInMs: Math.max(0, lengthMs - elapsed),
    complete: elapsed >= lengthMs && s.snapshot.graceOver && seenTwice(s, kind),
  };
}
