import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { labIdcs } from '#lab';
import { Stage } from '../demo/stage.js';
import { View } from '../demo/view.js';
import { INSPECTABLE } from './heap-after-gc.js';
import { countOrders } from './orders.js';
import { ProcessSampler, type Sample } from './process-sampler.js';
import { soakResult, type SoakResult, tell } from './result.js';
import { RowWatch } from './row-watch.js';
import { judge, type ProcessVerdict } from './verdict.js';

const HELP = `The demo's load on the demo's lab with nothing going wrong: does the memory stay flat, does nothing move?

usage: make soak [ARGS="--minutes 60"]

  --minutes N   how long, warm-up included (default 60; the first quarter, at least 2 minutes, is warm-up)
  --json        only the result as one line of JSON on stdout
  --help        this text

examples:
  make soak                                 an hour
  make soak ARGS="--minutes 10"             a short look
  make soak ARGS="--minutes 60 --json"      for a machine

Each controller and agent is looked at from outside every 20 s: /metrics, /proc, and its heap after a full collection.
Exit status 0 only if every heap and every count of open files is flat, every order is accounted for and nothing moved.
`;

const SAMPLE_EVERY_MS = 20_000;
/** V8 goes on optimising, and keeps what it learned, for some 12 minutes: counted in, that looks like a leak. */
const WARM_UP_PART = 1 / 4;
const APART_MS = 1_000; // between two processes: agents that all stood still together would be a fault of their own
const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
});
if (values.help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}
const minutes = Number(values.minutes);
if (!(minutes >= 4)) {
  process.stderr.write('soak: --minutes takes a number of at least 4 (2 are warm-up)\n');
  process.exit(2);
}

process.env['NODE_OPTIONS'] = `${process.env['NODE_OPTIONS'] ?? ''} ${INSPECTABLE}`.trim();
const result = await soak(minutes * 60_000);
if (values.json !== true) process.stdout.write(`${tell(result)}\n`);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(result.ok ? 0 : 1);

async function soak(lengthMs: number): Promise<SoakResult> {
  const view = new View(process.stderr, false);
  const stage = await Stage.set(view, (alert) => view.say(`alert: ${alert.type} ${alert.reason}`));
  const interrupted = (): void => {
    void stage.close().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    await stage.installation.waitForSteady(60_000);
    const warmUpMs = Math.max(2 * 60_000, lengthMs * WARM_UP_PART);
    view.say(`Steady; ${(warmUpMs / 60_000).toFixed(1)} minutes of warm-up`);
    const watch = new RowWatch(stage.installation);
    const { samples, missedLooks } = await sampleAll(stage, view, warmUpMs, lengthMs);
    watch.stop();
    const orders = await countOrders(stage);
    return soakResult({
      minutes: (lengthMs - warmUpMs) / 60_000,
      warmUpMinutes: warmUpMs / 60_000,
      processes: verdicts(samples),
      missedLooks,
      rows: watch.counts(),
      orders,
    });
  } finally {
    await stage.close();
  }
}

type Samples = ReadonlyMap<ProcessSampler, Sample[]>;
type Sampled = Readonly<{ samples: Samples; missedLooks: number }>;

async function sampleAll(stage: Stage, view: View, warmUpMs: number, lengthMs: number): Promise<Sampled> {
  const samples: Samples = new Map(
    (['controller', 'agent'] as const).flatMap((kind) =>
      labIdcs.map((idc): [ProcessSampler, Sample[]] => [new ProcessSampler(stage.installation, kind, idc), []]),
    ),
  );
  let missedLooks = 0;
  const startedMs = performance.now();
  for (let round = 1; round * SAMPLE_EVERY_MS <= lengthMs; round += 1) {
    await delay(Math.max(0, startedMs + round * SAMPLE_EVERY_MS - performance.now()));
    const warm = round * SAMPLE_EVERY_MS > warmUpMs;
    const newest: string[] = [];
    for (const [sampler, kept] of samples) {
      const sample = await sampler.sample(); // in warm-up too: the inspector's own memory belongs to the warm-up
      await delay(APART_MS);
      if (sample === null) {
        missedLooks += 1;
        view.say(`${sampler.name} did not answer a look within its deadline`);
        continue;
      }
      if (warm) kept.push(sample);
      newest.push(`${sampler.name} ${(sample.heapAfterGcBytes / 2 ** 20).toFixed(1)}`);
    }
    if ((round * SAMPLE_EVERY_MS) % 60_000 !== 0) continue;
    const minute = (round * SAMPLE_EVERY_MS) / 60_000;
    view.say(
      `minute ${minute}${warm ? '' : ' (warm-up)'}: heap MB ${newest.join(', ')}; ${stage.load.stats?.acknowledged ?? 0} orders`,
    );
  }
  return { samples, missedLooks };
}

/** A controller gets every agent's reports; an agent makes its own: one per probe round. */
function verdicts(samples: Samples): ProcessVerdict[] {
  const perMinute = new Map([...samples].map(([sampler, kept]) => [sampler.name, roundsPerMinute(kept)]));
  const all = [...perMinute.values()].reduce((sum, n) => sum + n, 0);
  return [...samples].map(([sampler, kept]) =>
    judge(sampler.name, kept, sampler.kind === 'controller' ? all : (perMinute.get(sampler.name) ?? Number.NaN)),
  );
}

function roundsPerMinute(kept: readonly Sample[]): number {
  const first = kept[0];
  const last = kept.at(-1);
  if (first === undefined || last === undefined || first.rounds === null || last.rounds === null) return 0;
  return ((last.rounds - first.rounds) * 60_000) / (last.atMs - first.atMs);
}
