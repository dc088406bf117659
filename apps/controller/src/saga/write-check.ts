import { CANARY_TOPIC, checkTopic } from '#failover';
import { ask } from './agent-calls.js';
import type { StepContext } from './steps/step.js';

const UNKNOWN_TOPIC_OR_PARTITION = 3;

/**
 * A write as applications make it, to the group's check topic; by the agent itself where the cluster has no other
 * principal. A standby that was never fenced may have no check topic yet: there the canary topic, which its own agent
 * makes, proves that the cluster takes writes.
 */
export async function writeCheck(ctx: StepContext, cluster: string, signal: AbortSignal): ReturnType<typeof write> {
  const topic = checkTopic(ctx.saga.group);
  const asOrdinary = await write(ctx, { cluster, topic, principal: 'ordinary' }, signal);
  const written = asOrdinary.ok ? asOrdinary : await write(ctx, { cluster, topic, principal: 'agent' }, signal);
  if (!written.ok || written.output.errorCode !== UNKNOWN_TOPIC_OR_PARTITION) return written;
  return await write(ctx, { cluster, topic: CANARY_TOPIC, principal: 'agent' }, signal);
}

type Canary = Readonly<{ cluster: string; topic: string; principal: 'ordinary' | 'agent' }>;

const write = (ctx: StepContext, of: Canary, signal: AbortSignal) =>
  ask(ctx, of.cluster, { kind: 'canary', ...of }, signal);
