import { median } from '../stats/index.js';
import { type FailoverRun, runFailover } from './failover-run.js';
import { atMost, type Figure, type Section, told } from './section.js';

const RUNS = 3;
const GOAL_FLOORS = 10;
/** Steps that wait for somebody else's software: Connect stops connectors; the others ask the surviving Kafka. */
const WAITS_FOR: Readonly<Record<string, 'Connect' | 'Kafka'>> = {
  'stop-replication': 'Connect',
  'freeze-position': 'Kafka',
  'set-offsets': 'Kafka',
  'check-target': 'Kafka',
  'unfence-target': 'Kafka',
};

/** Three real failovers, split by step; what is Pointsman's own is a multiple of the floor of the same run. */
export async function benchSwitch(say: (line: string) => void): Promise<Section> {
  const runs: FailoverRun[] = [];
  for (let i = 0; i < RUNS; i += 1) runs.push(await runFailover(say));
  const of = (pick: (run: FailoverRun) => number): number => median(runs.map(pick));
  const floorMs = of((r) => r.floorMs);
  const ms = (value: number): string => `${Math.round(value)} ms`;
  const line = (what: string, pick: (run: FailoverRun) => number): Figure => told(what, ms(of(pick)));
  // A multiple of the floor of its own run: the machine may be busier in the next.
  const inFloors = (pick: (run: FailoverRun) => number): number => of((r) => pick(r) / r.floorMs);
  const withoutConnect = (r: FailoverRun): number => without(r, ['Connect']);
  const own = (r: FailoverRun): number => without(r, ['Connect', 'Kafka']);
  return {
    name: 'switch',
    about:
      `${RUNS} failovers on fresh labs (fast profile, IDC a killed with its leading controller), medians; floor F: reset connection → report on ` +
      'an open stream → one SQL commit → push to 100 clients on raw grpc-js, on the same store; steps in the saga’s own report',
    figures: [
      told('killed → published', `${ms(of((r) => r.publishedMs))}, window ${ms(of((r) => r.windowMs))}`),
      line('published − window', (r) => r.publishedMs - r.windowMs),
      line('· killed → window’s end, less the window', (r) => r.publishedMs - r.actMs - r.windowMs),
      line('· window’s end → published (act)', (r) => r.actMs),
      ...stepNames(runs).map((step) =>
        line(`  · ${step}${WAITS_FOR[step] === undefined ? '' : ` (waits for ${WAITS_FOR[step]})`}`, (r) =>
          stepMs(r, step),
        ),
      ),
      line('  · between the steps', (r) => r.actMs - beforePublish(r).reduce((sum, s) => sum + s.ms, 0)),
      told('act without waiting for Connect', ms(of(withoutConnect)), ms(floorMs), inFloors(withoutConnect)),
      atMost({
        what: 'act without waiting for Connect and Kafka',
        value: ms(of(own)),
        floor: ms(floorMs),
        measured: inFloors(own),
        limit: GOAL_FLOORS,
        goal: `≤ ${GOAL_FLOORS} F`,
      }),
    ],
    brokenGates: [],
    data: { floorMs, runs },
  };
}

/** What is left of the act when the steps that wait for these are taken out. */
function without(run: FailoverRun, waits: readonly string[]): number {
  const waited = beforePublish(run).filter((s) => waits.includes(WAITS_FOR[s.step] ?? ''));
  return run.actMs - waited.reduce((sum, s) => sum + s.ms, 0);
}

function beforePublish(run: FailoverRun): FailoverRun['steps'] {
  const end = run.steps.findIndex((s) => s.step === 'publish');
  return run.steps.slice(0, end + 1);
}

const stepNames = (runs: readonly FailoverRun[]): string[] => [
  ...new Set(runs.flatMap((run) => beforePublish(run).map((s) => s.step))),
];

const stepMs = (run: FailoverRun, step: string): number =>
  beforePublish(run)
    .filter((s) => s.step === step)
    .reduce((sum, s) => sum + s.ms, 0);
