import { checkTopic, type GoalStatus, judgeSelfFence, type Json, needsFenceFirst, type Snapshot } from '#failover';
import { ask, byPartition, clusterGoal, pollUntil, reachedStatus, takeBack } from '../agent-calls.js';
import { writeCheck } from '../write-check.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/**
 * After this no ordinary client may write to the source. Four ends: the fence is in place and proved by a refused
 * write; or every broker refuses, so nothing can be written; or, strict, the source's own agent must have closed it by now
 * (both looked at again before publish); or, best-effort, a waiver that says openly why nothing better was to be had. The
 * goal stays in every case: a source that comes back is fenced.
 */
export const fenceSource: Step = {
  name: 'fence-source',
  async run(ctx, signal): Promise<StepResult> {
    const goal = clusterGoal(ctx, ctx.saga.source, 'fenced');
    await ctx.setGoals([goal]);
    const startedAt = ctx.time.monotonicMs();
    let proof = 'the fence was not read back';
    let selfFence = 'a planned switch needs a fence that is read back';
    const look = async (): Promise<Json> => {
      const { snapshot } = ctx.evaluate();
      // A planned switch needs its source alive: one that refuses everybody is lost, and no fence.
      const refusal = ctx.plan.needsSource ? null : attestedRefusal(snapshot, ctx.saga.source);
      if (refusal !== null) return { kind: 'attested-refusal', confirmed: true, summary: refusal };
      const status = reachedStatus(ctx, goal);
      if (status !== null) {
        const tried = await proveFence(ctx, status, signal);
        proof = tried.detail;
        if (tried.refused) return { kind: 'fence', by: status.kind ?? null, confirmed: true, summary: proof };
      }
      if (!ctx.plan.needsSource) {
        const judged = judgeSelfFence(snapshot, ctx.saga.source, ctx.group.policy);
        if (judged.kind === 'passed') return { kind: 'self-fence', confirmed: true, summary: judged.detail };
        selfFence = judged.kind === 'waiting' ? 'its deadline is still to come' : judged.reason;
      }
      const waitedMs = ctx.time.monotonicMs() - startedAt;
      return mayWaive(ctx, snapshot, waitedMs) ? waiver(ctx, snapshot, { waitedMs, proof }) : null;
    };
    const evidence = await pollUntil(ctx, signal, look);
    if (evidence !== null) return { evidence };
    const { snapshot } = ctx.evaluate();
    const waitedMs = ctx.time.monotonicMs() - startedAt;
    if (waivable(ctx, snapshot)) return { evidence: waiver(ctx, snapshot, { waitedMs, proof }) };
    throw new StepFailure('FAILED', `the fence of ${ctx.saga.source} was not confirmed`, { proof, selfFence });
  },
  async undo(ctx, signal): Promise<StepResult> {
    return { evidence: await takeBack(ctx, clusterGoal(ctx, ctx.saga.source, 'open'), signal) };
  },
};

/** Every broker refused for S's own agent, and no observer gets an answer: said by fresh votes only. Null: not so. */
export function attestedRefusal(snapshot: Snapshot, source: string): string | null {
  const idc = snapshot.group.clusters.find((c) => c.name === source)?.idc;
  const own = snapshot.observers.find((o) => o.idc === idc)?.agent;
  const votes = snapshot.votes[source] ?? {};
  const ownVote = own === undefined ? undefined : votes[own];
  if (ownVote?.state !== 'DOWN' || ownVote.kind !== 'UNREACHABLE' || !ownVote.everyBrokerRefused) return null;
  if (answersTo(snapshot, source).length > 0) return null;
  return `every broker of ${source} refuses its own agent ${own ?? ''}, none answers any observer`;
}

/** Agents with a fresh vote that the cluster answers. */
export const answersTo = (snapshot: Snapshot, cluster: string): readonly string[] =>
  Object.values(snapshot.votes[cluster] ?? {})
    .filter((v) => v.state === 'UP' || v.state === 'DEGRADED')
    .map((v) => v.agent);

/** MESSAGE_TOO_LARGE (fence 2), TOPIC_AUTHORIZATION_FAILED (fence 1). Any other refusal says nothing about the next write. */
const FENCE_REFUSALS: ReadonlySet<number> = new Set([10, 29]);

type Proof = Readonly<{ refused: boolean; detail: string }>;

/**
 * A refused write of an ordinary principal *and* end offsets that stand still. A hook that ends the connections of
 * applications, or the brokers, lets no write be refused: there its own check command speaks, and the end offsets where
 * they can still be read.
 */
async function proveFence(ctx: StepContext, { kind }: GoalStatus, signal: AbortSignal): Promise<Proof> {
  const { source, group } = ctx.saga;
  const written = await writeCheck(ctx, source, signal);
  if (!written.ok && kind !== 'hook') return { refused: false, detail: `no write could be tried: ${written.detail}` };
  if (written.ok && written.output.accepted) return { refused: false, detail: 'a write was still accepted' };
  const errorCode = written.ok ? written.output.errorCode : null;
  if (written.ok && (errorCode === null || !FENCE_REFUSALS.has(errorCode))) {
    return {
      refused: false,
      detail: `refused, but not by a fence: ${errorCode ?? 'no code'} ${written.output.detail}`,
    };
  }
  const first = await readEnds(ctx, source, signal);
  await ctx.time.sleep(ctx.times.refusalSpacingMs, signal);
  const second = await readEnds(ctx, source, signal);
  if (first === null || second === null) {
    if (written.ok || first !== second) return { refused: false, detail: 'end offsets could not be read twice' };
    return {
      refused: true,
      detail: `the hook's check says that ${source} is closed, and nothing there can be reached`,
    };
  }
  const grew = [...second].filter(([partition, end]) => first.get(partition) !== end).map(([partition]) => partition);
  if (grew.length > 0) return { refused: false, detail: `still growing: ${grew.join(', ')}` };
  const said = written.ok
    ? `write to ${checkTopic(group)} refused with ${errorCode ?? 'no code'}`
    : `the hook's check says that ${source} is closed, no write gets through`;
  return { refused: true, detail: `${said}, end offsets stand still` };
}

async function readEnds(
  ctx: StepContext,
  cluster: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number> | null> {
  const answer = await ask(ctx, cluster, { kind: 'read_end_offsets', cluster, topics: ctx.group.watch.topics }, signal);
  return answer.ok ? byPartition(answer.output.ends) : null;
}

function hasOwnSession(ctx: StepContext, cluster: string): boolean {
  const idc = ctx.group.clusters.find((c) => c.name === cluster)?.idc;
  return ctx.gateway.sessions().some((s) => s.connected && s.idc === idc && s.clusters.includes(cluster));
}

/**
 * Planned: hard and confirmed, whatever the policy says of emergencies. On some rows the source may still serve somebody
 * (I9): while anybody finds it answering, it is not left open either.
 */
const waivable = (ctx: StepContext, snapshot: Snapshot): boolean =>
  ctx.group.policy.fencing === 'best-effort' &&
  !ctx.plan.needsSource &&
  !(needsFenceFirst(ctx.group.policy, ctx.saga.row) && answersTo(snapshot, ctx.saga.source).length > 0);

/** At once where nobody could carry the fence out, else after the time that an agent with a session needs. */
const mayWaive = (ctx: StepContext, snapshot: Snapshot, waitedMs: number): boolean =>
  waivable(ctx, snapshot) && (!hasOwnSession(ctx, ctx.saga.source) || waitedMs >= ctx.times.waiverAfterMs);

function waiver(ctx: StepContext, snapshot: Snapshot, why: Readonly<{ waitedMs: number; proof: string }>): Json {
  const { source } = ctx.saga;
  const session = hasOwnSession(ctx, source);
  const votes = Object.values(snapshot.votes[source] ?? {});
  return {
    kind: 'waiver',
    confirmed: false,
    summary: session
      ? `waived: ${source} could not be fenced within ${Math.round(why.waitedMs)} ms`
      : `waived: no session to the agent of ${source}`,
    ownAgentSession: session,
    waitedMs: Math.round(why.waitedMs),
    proof: why.proof,
    votes: votes.map((v) => ({ agent: v.agent, state: v.state, kind: v.kind, ageMs: v.ageMs })),
  };
}
