import type { Command, CommandResult, GoalStatus } from '#failover';
import type { Ms } from '#health';
import type { Logger } from '#platform';
import type { AgentGoalSet, AgentHello, ControllerWelcome } from '#rpc';
import type { RevisedReport } from '../observe/agent-book.js';
import type { MonotonicClock } from '../ports.js';
import type { LeaseToken } from '../self-fence/index.js';

/** What a session needs of the rest of the agent. */
export type SessionSource = Readonly<{
  hello(): AgentHello;
  report(sinceRevision: number, full: boolean, now: Ms): RevisedReport;
  statuses(): readonly GoalStatus[];
  onWelcome(welcome: ControllerWelcome): void;
  onGoalSet(set: AgentGoalSet): void;
  onLeaseToken(token: LeaseToken): void;
  run(command: Command): Promise<CommandResult>;
}>;

export type SessionTimes = Readonly<{
  reportEveryMs: Ms; // the probe period: something is sent at least this often
  fullEveryMs: Ms;
  welcomeWithinMs: Ms; // else the attempt is given up
  ackWithinMs: Ms; // a controller that takes nothing in for this long is no controller
  backoffMinMs: Ms;
  backoffMaxMs: Ms;
}>;

export const SESSION_TIMES: Omit<SessionTimes, 'reportEveryMs'> = {
  fullEveryMs: 30_000,
  welcomeWithinMs: 5_000,
  ackWithinMs: 10_000,
  backoffMinMs: 200,
  backoffMaxMs: 2_000,
};

export type SessionOptions = Readonly<{
  controller: string; // host:port
  source: SessionSource;
  times: SessionTimes;
  clock: MonotonicClock;
  logger: Logger;
}>;
