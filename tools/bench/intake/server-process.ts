import { serve } from '../child.js';
import type { IntakeServer } from './intake-server.js';
import { startNoopIntake } from './noop-intake.js';
import { startRealIntake } from './real-intake.js';

let server: IntakeServer | null = null;

const handlers = {
  start: async (args: {
    kind: 'real' | 'noop';
    agents: readonly { agent: string; idc: string }[];
  }): Promise<number> => {
    server = args.kind === 'real' ? await startRealIntake(args.agents) : await startNoopIntake();
    return server.port;
  },
  sessions: (_args: null): number => server?.sessions() ?? 0,
  /** µs of CPU since the start of the process. */
  cpu: (_args: null): number => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
};
export type ServerHandlers = typeof handlers;

serve(handlers);
