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
  const inFloors = (ms: number): number => ms / floorMs;
  const ms = (value: number): string => `${Math.round(value)} ms`;
  const own = (run: FailoverRun, waits: readonly string[]): number =>
    run.actMs - beforePublish(run).reduce((sum, s) => sum + (waits.includes(WAITS_FOR[s.step] ?? '') ? s.ms : 0), 0);
  const line = (what: string, value: number): Figure => told(what, ms(value), ms(floorMs), inFloors(value));
  const ownMs = of((r) => own(r, ['Connect', 'Kafka']));
  return {
    name: 'switch',
    about:
      `${RUNS} failovers on fresh labs (fast profile, IDC a killed with its leading controller), medians; floor F: reset connection → report on ` +
      'an open stream → one SQL commit → push to 100 clients on raw grpc-js, on the same store; steps in the saga’s own report',
    figures: [
      told('killed → published', ms(of((r) => r.publishedMs)) + `, window ${ms(of((r) => r.windowMs))}`),
      line(
        'published − window',
        of((r) => r.publishedMs - r.windowMs),
      ),
      line(
        '· killed → verdict (probe periods)',
        of((r) => r.publishedMs - r.confirmMs - r.actMs),
      ),
      line(
        '· verdict → window’s end, less the window',
        of((r) => r.confirmMs - r.windowMs),
      ),
      line(
        '· window’s end → published',
        of((r) => r.actMs),
      ),
      ...stepNames(runs).map((step) =>
        line(
          `  · ${step}${WAITS_FOR[step] === undefined ? '' : ` (waits for ${WAITS_FOR[step]})`}`,
          of((r) => stepMs(r, step)),
        ),
      ),
      line(
        'act without waiting for Connect',
        of((r) => own(r, ['Connect'])),
      ),
      atMost({
        what: 'act without waiting for Connect and Kafka',
        value: ms(ownMs),
        floor: ms(floorMs),
        measured: inFloors(ownMs),
        limit: GOAL_FLOORS,
        goal: `≤ ${GOAL_FLOORS} F`,
      }),
    ],
    brokenGates: [],
    data: { floorMs, runs },
  };
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
