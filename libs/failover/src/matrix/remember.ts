import { answers, isFresh, type Ms, type Seat, type Verdict } from '#health';
import { INITIAL_MEMORY, type Memory, type Policy, type Snapshot } from './facts.js';
import { flowBetween, rememberLag } from './lag.js';

/** Returns of S from DOWN_* count as flapping for so long. */
export const FLAP_MEMORY_MS: Ms = 600_000;
const MAX_RECOVERIES = 16;

const isDownVerdict = (v: Verdict): boolean => v.name === 'DOWN_ATTESTED' || v.name === 'DOWN_ISOLATED';

const latest = (a: Ms | null, b: Ms | null): Ms | null => (a === null ? b : b === null ? a : Math.max(a, b));

/** When this seat's last UP/DEGRADED sample was *taken*, on our clock: an IDC that dies with its agent loses no time. */
function answeredAt(seat: Seat, now: Ms): Ms | null {
  const { vote } = seat;
  const age = vote.lastAnsweredAgeMs ?? (answers(vote) ? vote.ageMs : null);
  return age === null ? null : now - age;
}

const newestAnswer = (seats: readonly Seat[], now: Ms): Ms | null =>
  seats.reduce<Ms | null>((newest, s) => latest(newest, answeredAt(s, now)), null);

/** Blindness and a change of leader ask for two fresh snapshots again before anything may complete. */
function freshSince(m: Memory, s: Snapshot, verdict: Verdict): Ms | null {
  if (verdict.name === 'UNKNOWN') return null;
  const sameLeader = m.term === s.term && m.leading === s.leading;
  return sameLeader ? (m.freshSinceMs ?? s.now) : s.now;
}

function missingSince(m: Memory, seats: readonly Seat[], now: Ms): Memory['missingSinceMs'] {
  const missing = seats.filter((s) => !isFresh(s.vote));
  if (missing.length === 0) return Object.keys(m.missingSinceMs).length === 0 ? m.missingSinceMs : {};
  return Object.fromEntries(missing.map((s) => [s.vote.agent, m.missingSinceMs[s.vote.agent] ?? now]));
}

function recoveries(m: Memory, s: Snapshot, cameBack: boolean): readonly Ms[] {
  const acknowledged = s.group.flapsAcknowledgedAgeMs;
  const from = Math.max(s.now - FLAP_MEMORY_MS, acknowledged === null ? -Infinity : s.now - acknowledged);
  const old = m.recoveriesAtMs.some((at) => at <= from);
  if (!cameBack && !old) return m.recoveriesAtMs;
  const kept = m.recoveriesAtMs.filter((at) => at > from);
  return cameBack ? [...kept, s.now].slice(-MAX_RECOVERIES) : kept;
}

/** Folds this tick's observations into the memory; `conditionSinceMs` and `lagAtStart` are left to decide(). */
export function remember(
  s: Snapshot,
  policy: Policy,
  seats: readonly Seat[],
  verdict: Verdict,
  target: string | null,
): Memory {
  const m = s.memory.active === s.group.active ? s.memory : { ...INITIAL_MEMORY, active: s.group.active };
  const answering = verdict.name !== 'UNKNOWN' && seats.some((seat) => answers(seat.vote));
  const down = isDownVerdict(verdict);
  const flow = target === null ? null : flowBetween(s, s.group.active, target);
  const lag = rememberLag(m, flow, s, policy);
  return {
    active: m.active,
    term: s.term,
    leading: s.leading,
    lastAnsweredAtMs: latest(m.lastAnsweredAtMs, newestAnswer(seats, s.now)),
    lastAnsweredOutsideAtMs: latest(
      m.lastAnsweredOutsideAtMs,
      newestAnswer(
        seats.filter((seat) => !seat.own),
        s.now,
      ),
    ),
    conditionSinceMs: m.conditionSinceMs,
    freshSinceMs: freshSince(m, s, verdict),
    downSinceMs: down ? (m.downSinceMs ?? s.now) : answering ? null : m.downSinceMs,
    recoveriesAtMs: recoveries(m, s, answering && m.downSinceMs !== null),
    missingSinceMs: missingSince(m, seats, s.now),
    lagReadings: lag.lagReadings,
    lagAtStart: m.lagAtStart,
    peakRatePerMs: lag.peakRatePerMs,
  };
}
