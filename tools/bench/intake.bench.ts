import { waitFor } from '#lab';
import { median } from '../stats/index.js';
import { Child } from './child.js';
import type { ClientHandlers } from './intake/client-process.js';
import type { ServerHandlers } from './intake/server-process.js';
import { interleave } from './interleave.js';
import { atMost, type Section } from './section.js';

const SESSIONS = 100;
const BURST = { sessions: 8, perSession: 1_500, rounds: 2 } as const;
const PACE = { seconds: 8, rounds: 1 } as const;
const MAX_TRIES = 4;
const GOAL_RATIO = 1.5;
const GOAL_CORE = 0.2; // for 1,000 agents at 1 Hz

type Server = Readonly<{ process: Child<ServerHandlers>; port: number }>;
type Agents = readonly Readonly<{ agent: string; idc: string }>[];

const agents: Agents = Array.from({ length: SESSIONS }, (_, i) => ({
  agent: `agent-${i}`,
  idc: ['a', 'b', 'c'][i % 3] ?? 'a',
}));

/** What one report costs the controller, against a gRPC server that throws the same bytes away. */
export async function benchIntake(): Promise<Section> {
  const real = await start('real');
  const noop = await start('noop');
  const client = Child.start<ClientHandlers>(new URL('./intake/client-process.js', import.meta.url));
  try {
    const burst = await interleave(
      () => patiently(() => burstVisit(real, client)),
      () => patiently(() => burstVisit(noop, client)),
      BURST.rounds,
    );
    const pace = await interleave(
      () => patiently(() => paceVisit(real, client)),
      () => patiently(() => paceVisit(noop, client)),
      PACE.rounds,
    );
    return section(burst, pace, await client.ask('reportBytes', null));
  } finally {
    await Promise.all([real.process.close(), noop.process.close(), client.close()]);
  }
}

type Sides = Readonly<{ a: readonly number[]; b: readonly number[] }>;

function section(burst: Sides, pace: Sides, reportBytes: number): Section {
  const full = { real: median(burst.a), noop: median(burst.b) };
  const paced = { real: median(pace.a), noop: median(pace.b) };
  const us = (micros: number): string => `${micros.toFixed(1)} µs CPU`;
  const core = (paced.real * 1_000) / 1e6; // of 1,000 reports a second
  return {
    name: 'intake',
    about:
      `one report of ${reportBytes} bytes (2 clusters, 1 flow, 12 partitions) into gRPC session handler and book, CPU time of the server’s own ` +
      'process; floor: a grpc-js server with the same channel options, fed the same bytes, that drops them undecoded',
    figures: [
      atMost({
        what: `saturated, ${BURST.sessions} sessions`,
        value: us(full.real),
        floor: us(full.noop),
        measured: full.real / full.noop,
        limit: GOAL_RATIO,
        goal: `≤ ${GOAL_RATIO} ×`,
      }),
      {
        what: `${SESSIONS} sessions at 1 Hz`,
        value: us(paced.real),
        floor: us(paced.noop),
        ratio: paced.real / paced.noop,
        goal: '',
        verdict: '',
      },
      atMost({
        what: '1,000 agents at 1 Hz (10 × the line above)',
        value: `${core.toFixed(2)} core`,
        measured: core,
        limit: GOAL_CORE,
        goal: `≤ ${GOAL_CORE} core`,
      }),
    ],
    brokenGates: [],
    data: { reportBytes, microsPerReport: { saturated: burst, paced: pace } },
  };
}

async function start(kind: 'real' | 'noop'): Promise<Server> {
  const server = Child.start<ServerHandlers>(new URL('./intake/server-process.js', import.meta.url));
  return { process: server, port: await server.ask('start', { kind, agents }) };
}

/** On a machine busy with other things keepalive (1 s + 0.5 s) may end a session in mid-visit: such a visit is made again. */
async function patiently(visit: () => Promise<number>): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await visit();
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
    }
  }
}

/** µs of the server's CPU per report; opening and ending of the sessions included, with both sides alike. */
async function burstVisit(server: Server, client: Child<ClientHandlers>): Promise<number> {
  await open(server, client, agents.slice(0, BURST.sessions));
  const before = await server.process.ask('cpu', null);
  const reports = await client.ask('burst', { perSession: BURST.perSession });
  return ((await server.process.ask('cpu', null)) - before) / reports;
}

/** The same with everything that 100 idle sessions cost beside: keepalive, acknowledgements, the controller's own tick. */
async function paceVisit(server: Server, client: Child<ClientHandlers>): Promise<number> {
  await open(server, client, agents);
  const before = await server.process.ask('cpu', null);
  const reports = await client.ask('pace', { seconds: PACE.seconds });
  const cost = (await server.process.ask('cpu', null)) - before;
  await client.ask('close', null);
  return cost / reports;
}

async function open(server: Server, client: Child<ClientHandlers>, some: Agents): Promise<void> {
  await client.ask('open', { port: server.port, agents: some });
  await waitFor(
    `${some.length} sessions`,
    async () => ((await server.process.ask('sessions', null)) === some.length ? true : undefined),
    { timeoutMs: 20_000, pollMs: 50 },
  );
}
