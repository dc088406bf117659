import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compilePolicy,
  defaultPolicy,
  judgeSelfFence,
  sampleGroup,
  sampleObservers,
  sampleSnapshot,
  sampleVote,
  SELF_FENCE_POLL_MS,
  type Snapshot,
  START_WAIT_MS,
} from '#failover';
import { afterStart, hear, isOverdue, type Life } from '../../apps/agent/src/self-fence/self-fence-rules.js';
import { LeaseTokens } from '../../apps/controller/src/observation/lease-tokens.js';

/**
 * I27 over the rules of both ends: whatever clocks, networks and leaders do, a deadline that a leader takes for passed lies
 * behind the moment in which the agent inside has closed its cluster. All instants are of one true time that nobody knows;
 * each process counts on a clock of its own rate.
 */

const RUNS = 2_000;
const LONGEST_MS = 400_000;
const ROUNDING_MS = 0.001;
const AGENT = { group: 'orders', cluster: 'a', epoch: 7, arm: true } as const;

/** The edges come often: only where many of them meet is the bound near. */
const edged = <T>(a: fc.Arbitrary<T>, ...edges: readonly T[]) => fc.oneof(fc.constantFrom(...edges), a);
/** Of a clock: what it counts in a true millisecond. */
const rate = edged(fc.double({ min: 0.99, max: 1.01, noNaN: true }), 0.99, 1.01);
const upTo = (max: number) => edged(fc.integer({ min: 0, max }), 0, max);

const story = fc.record({
  selfFenceAfterMs: fc.integer({ min: 5_000, max: 60_000 }),
  agentRate: rate,
  /** The agent looks each 250 ms of its own, from any moment on. */
  pollPhaseMs: upTo(SELF_FENCE_POLL_MS),
  closingMs: upTo(10_000), // as the agent counts it
  overestimateMs: upTo(5_000), // of what it measured beforehand
  /** Steps from one sign of life to the next. Lag: since the agent sent the request that it answers. */
  tokens: fc.array(fc.record({ stepMs: upTo(8_000), lagMs: upTo(5_000), delayMs: upTo(12_000), lost: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  }),
  /** Leaders after the first: how many tokens in they take over, and how long nobody leads before. */
  takeOvers: fc.array(fc.record({ afterToken: upTo(8), gapMs: upTo(20_000), rate }), { maxLength: 3 }),
  firstRate: rate,
  /** When its links are cut, counted from the last token. */
  cutMs: upTo(15_000),
  /** The agent's process starts again, counted from the last sign of life that it took; null: it does not. */
  restart: edged<number | null>(fc.double({ min: 0, max: 1, noNaN: true }), null, 1),
});
type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

type Leader = Readonly<{ tokens: LeaseTokens; rate: number }>;
type Sent = Readonly<{ requestAtMs: number; deliveredAtMs: number | null }>;

/** What leaders issued: the last of them, and every token with when the agent had asked and when it came through. */
function leading(s: Story): Readonly<{ last: Leader; sent: readonly Sent[]; endsAtMs: number }> {
  let now = 100_000;
  const takesOver = (by: number): Leader => {
    const tokens = new LeaseTokens();
    tokens.begin(1, now * by);
    return { tokens, rate: by };
  };
  let leader = takesOver(s.firstRate);
  const sent: Sent[] = [];
  s.tokens.forEach(({ stepMs, lagMs, delayMs, lost }, i) => {
    now += stepMs;
    for (const next of s.takeOvers.filter((t) => t.afterToken === i)) {
      now += next.gapMs; // the old one stops before anybody can take its lease
      leader = takesOver(next.rate);
    }
    leader.tokens.issued(AGENT.group, AGENT.cluster, now * leader.rate);
    sent.push({ requestAtMs: now - lagMs, deliveredAtMs: lost ? null : now + delayMs });
  });
  for (const next of s.takeOvers.filter((t) => t.afterToken >= s.tokens.length)) {
    now += next.gapMs; // and never gives a sign of life
    leader = takesOver(next.rate);
  }
  return { last: leader, sent, endsAtMs: now };
}

/** The agent's end as the cut leaves it; null: no token ever came through, so it is not armed. */
function living(s: Story, sent: readonly Sent[], cutAtMs: number): Life | null {
  const heard = sent.filter((t) => t.deliveredAtMs !== null && t.deliveredAtMs < cutAtMs);
  let life: Life | null = null;
  for (const { requestAtMs, deliveredAtMs } of heard.toSorted(
    (x, y) => (x.deliveredAtMs ?? 0) - (y.deliveredAtMs ?? 0),
  )) {
    const grant = { ...AGENT, selfFenceAfterMs: s.selfFenceAfterMs };
    const token = { term: 1, number: 1, grants: [grant], sentAtMs: requestAtMs * s.agentRate };
    life = hear(life, grant, token, (deliveredAtMs ?? 0) * s.agentRate, 60_000);
  }
  return life;
}

/** When the cluster is closed, in true time. */
function closedAt(s: Story, life: Life): number {
  const overdueAtMs = (life.freshAtMs + s.selfFenceAfterMs) / s.agentRate;
  const freshAtMs = life.freshAtMs / s.agentRate;
  const restartAtMs = s.restart === null ? null : freshAtMs + s.restart * (overdueAtMs - freshAtMs);
  const armed = restartAtMs === null ? life : afterStart(life.entry, restartAtMs * s.agentRate, START_WAIT_MS);
  for (let own = (restartAtMs ?? freshAtMs) * s.agentRate + s.pollPhaseMs; ; own += SELF_FENCE_POLL_MS) {
    if (isOverdue(armed, own)) return (own + s.closingMs) / s.agentRate;
  }
}

/** What the leader sees: the IDC fell silent long ago, its agent had said "armed", the cluster was not seen serving since. */
function seen(tokenAgeMs: number | null, applyMs: number): Snapshot {
  const vote = (agent: string) => sampleVote(agent, 'silent', LONGEST_MS, { lastAnsweredAgeMs: LONGEST_MS });
  return sampleSnapshot({
    group: sampleGroup({ armed: { a: true } }),
    observers: sampleObservers.map((o) => (o.idc === 'a' ? { ...o, ageMs: LONGEST_MS } : o)),
    votes: { a: { 'agent-b': vote('agent-b'), 'agent-c': vote('agent-c') }, b: {} },
    selfFence: { a: { tokenAgeMs, applyMs } },
  });
}

/** The first moment in true time in which the last leader takes the deadline for passed, to the millisecond. */
function passedAt(s: Story, { tokens, rate: by }: Leader, fromMs: number): number {
  const policy = compilePolicy({ ...defaultPolicy, fencing: 'strict', selfFenceAfterMs: s.selfFenceAfterMs });
  const passed = (atMs: number): boolean => {
    const tokenAgeMs = tokens.ageMs(AGENT.group, AGENT.cluster, atMs * by);
    return judgeSelfFence(seen(tokenAgeMs, s.closingMs + s.overestimateMs), AGENT.cluster, policy).kind === 'passed';
  };
  let [no, yes] = [fromMs, fromMs + LONGEST_MS];
  expect([passed(no), passed(yes)]).toEqual([false, true]);
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (passed(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

describe('a deadline that a leader takes for passed (I27)', () => {
  it('lies behind the moment in which the agent inside has closed its cluster', () => {
    let nearestMs = Infinity;
    fc.assert(
      fc.property(story, (s) => {
        const { last, sent, endsAtMs } = leading(s);
        const life = living(s, sent, endsAtMs + s.cutMs);
        fc.pre(life !== null);
        if (life === null) return;
        const spareMs = passedAt(s, last, endsAtMs) - closedAt(s, life);
        nearestMs = Math.min(nearestMs, spareMs);
        expect(spareMs).toBeGreaterThanOrEqual(-ROUNDING_MS);
      }),
      { numRuns: RUNS },
    );
    expect(nearestMs).toBeLessThan(30_000); // the stories come near enough to say something
  });
});
