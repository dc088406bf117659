import { type Ms, staleAfterMs } from '#health';
import type { Memory, Snapshot, SnapshotFlow } from './facts.js';

/**
 * Both directions of a pair of clusters copying under IdentityReplicationPolicy: every record goes round for ever (I37).
 * No step of a saga ever wants this, so whatever made it, the answer is to stop both and to call a person.
 */

export type Direction = Readonly<{ from: string; to: string }>;

/** Key of `memory.conditionSinceMs`: no row's number. */
const SINCE = 'flow-loop';

/** Said by the agent of the flow's own worker, and that agent is fresh: an old "running" proves nothing. */
const isRunning = (s: Snapshot, flow: SnapshotFlow): boolean => {
  const idc = s.group.clusters.find((c) => c.name === flow.to)?.idc;
  const fresh = s.observers.some((o) => o.idc === idc && o.ageMs !== null && o.ageMs <= staleAfterMs(s.probe));
  return fresh && flow.sourceConnector === 'RUNNING';
};

/** Both directions, if both are seen running; else none. */
export function flowLoop(s: Snapshot): readonly Direction[] {
  const running = s.flows.filter((f) => f.naming === 'identity' && isRunning(s, f));
  const looping = running.filter((f) => running.some((back) => back.from === f.to && back.to === f.from));
  return looping.map(({ from, to }) => ({ from, to }));
}

export const rememberLoop = (s: Snapshot, before: Memory['conditionSinceMs']): Memory['conditionSinceMs'] =>
  flowLoop(s).length === 0 ? {} : { [SINCE]: before[SINCE] ?? s.now };

/**
 * The loop once it was seen for p + t: the two states are read up to that far apart, and a person who turns the direction
 * round by hand must not be taken for a loop.
 */
export function provedLoop(s: Snapshot, memory: Memory): readonly Direction[] {
  const since: Ms | undefined = memory.conditionSinceMs[SINCE];
  const proved = since !== undefined && s.now - since >= s.probe.periodMs + s.probe.timeoutMs;
  return proved ? flowLoop(s) : [];
}

export const loopReason = (loop: readonly Direction[]): string =>
  `${loop.map(({ from, to }) => `${from}→${to}`).join(' and ')} run at once under IdentityReplicationPolicy, an endless loop: ` +
  'both are to be stopped; compare the clusters, then resume only the flow that leaves the active cluster';
