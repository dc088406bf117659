import { goalKey, type Goal, type GoalStatus, type WatchGroup } from '#failover';
import { askApp } from '../commands/ask-app.js';

/** Closing, stopping and opening one after the other, each with its own deadline in the agent's program. */
const AGENT_MS = 60_000;

/** One thing that must be so on the clusters, and what was read back. */
export type Done = Readonly<{ goal: Goal; reached: boolean; observed: string; detail: string }>;

export type ClusterWork = Readonly<{
  agents: readonly string[]; // files
  goals: readonly Goal[];
  watch: readonly WatchGroup[];
  dryRun: boolean;
  signal: AbortSignal;
}>;

/**
 * Lets each agent's own hands do what its credentials reach; the best word of any of them counts. Never fails: what could not be
 * done is said, for by now the leader is overtaken and the pointer must still be moved.
 */
export async function onClusters(work: ClusterWork): Promise<readonly Done[]> {
  const said: GoalStatus[] = [];
  const failures: string[] = [];
  // One agent after the other: two hands on one fence would fight.
  for (const file of work.agents) {
    try {
      said.push(...(await askAgent(file, work)));
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  const silence = failures.length > 0 ? failures.join('; ') : "no agent's file was given";
  return work.goals.map((goal): Done => {
    const words = said.filter((status) => status.key === goalKey(goal));
    const best = words.find((w) => w.reached) ?? words.find((w) => w.observed !== 'unknown') ?? words[0];
    if (best === undefined) return { goal, reached: false, observed: 'unknown', detail: silence };
    return { goal, reached: best.reached, observed: best.observed, detail: best.detail };
  });
}

async function askAgent(file: string, { goals, watch, dryRun, signal }: ClusterWork): Promise<readonly GoalStatus[]> {
  const input = JSON.stringify({ goals, watch, dryRun });
  const { refused, lines } = await askApp('Agent', 'break-glass', file, { signal, input, timeoutMs: AGENT_MS });
  if (refused) throw new Error(lines.join('; '));
  return JSON.parse(lines.join('')) as readonly GoalStatus[];
}
