import { text } from 'node:stream/consumers';
import type { Goal, GoalStatus, WatchGroup } from '#failover';
import { ConfigError } from '#platform';
import { loadAgentConfig } from './config/load.js';
import { AgentHands } from './hands/index.js';
import type { Hands } from './ports.js';

/** Written by `pointsman break-glass`, of the same version. */
type Asked = Readonly<{ watch: readonly WatchGroup[]; goals: readonly Goal[]; dryRun: boolean }>;

/** The longest that one goal may take; a cluster that is gone must not hold up what can be done elsewhere. */
const GOAL_MS = 20_000;

/**
 * `node break-glass.js FILE`, goals on stdin: carries them out once with the agent's own hands and credentials, and prints what
 * was read back, as JSON. No agent, no controller and no store is asked. Closing and stopping come before opening.
 */
async function main(file: string): Promise<readonly GoalStatus[]> {
  const hands: Hands = new AgentHands(loadAgentConfig(file));
  try {
    const { watch, goals, dryRun } = JSON.parse(await text(process.stdin)) as Asked;
    hands.setWatch(watch);
    const carryOut = (goal: Goal): Promise<GoalStatus> => {
      const signal = AbortSignal.timeout(GOAL_MS);
      return dryRun ? hands.observe(goal, signal) : hands.apply(goal, signal);
    };
    const closing = await Promise.all(goals.filter((goal) => goal.state !== 'open').map(carryOut));
    const opening = await Promise.all(goals.filter((goal) => goal.state === 'open').map(carryOut));
    return [...closing, ...opening];
  } finally {
    await hands.close();
  }
}

try {
  process.stdout.write(`${JSON.stringify(await main(process.argv[2] ?? ''))}\n`);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stdout.write(`${error.message}\n`);
  process.exitCode = 2;
}
