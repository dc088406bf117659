import { parseArgs } from 'node:util';
import type { LabIdc } from '#lab';
import { peakRssMb } from '../installation/peak-rss.js';
import { type Proof, prove } from './proof.js';
import { demoResult, type DemoResult, type Timeline } from './result.js';
import { clientsGoOn, cutLink, demoWindowNote, frozenAgent, type Kill, killIdc } from './scenes.js';
import { Stage } from './stage.js';
import { tellEnd, tellFailover, tellWayBack } from './tell.js';
import { readTimeline } from './timeline.js';
import { View } from './view.js';
import { failBack, idcReturns, rejoin } from './way-back.js';

const HELP = `Kills an IDC, lets Pointsman move the traffic, and leads it home again, on real Kafka.

usage: make demo [ARGS="--non-interactive --json"]

  --non-interactive   no repainted status line (the default without a terminal)
  --json              the result as one line of JSON, last on stdout
  --help              this text

Exit status 0 only if everything held.
`;

const { values } = parseArgs({
  options: { 'non-interactive': { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
});
if (values.help === true) {
  process.stdout.write(HELP);
  process.exit(0);
}
const view = new View(process.stdout, values['non-interactive'] !== true && process.stdout.isTTY);
const result = await play();
if (values.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(result.ok ? 0 : 1);

async function play(): Promise<DemoResult> {
  view.scene('The stage');
  view.say(demoWindowNote);
  const stage = await Stage.set(view, (alert) =>
    view.say(`alert → on-call: ${alert.type} (row ${alert.row ?? '–'}) ${alert.reason.slice(0, 80)}`),
  );
  const interrupted = (): void => {
    void stage.close().finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    await stage.installation.waitForSteady(60_000);
    view.good('every controller says 800 Steady');
    const falseAlarms = [await frozenAgent(stage, view), await cutLink(stage, view)];
    const killed = { controller: peakOf(stage, 'controller', 'a'), agent: peakOf(stage, 'agent', 'a') };
    const kill = await killIdc(stage, view);
    await clientsGoOn(stage, view, 'b');
    const { timeline, proof } = await proveFailover(stage, view, kill);
    const returned = await idcReturns(stage, view, kill);
    await rejoin(stage, view);
    const failback = await failBack(stage, view, kill, returned);
    view.scene('The proof of the way back');
    tellWayBack(view, returned.tail, failback);
    const peaks = (kind: 'controller' | 'agent'): number[] => {
      const a = Math.max(killed[kind] ?? 0, peakOf(stage, kind, 'a') ?? 0);
      return [a, peakOf(stage, kind, 'b'), peakOf(stage, kind, 'c')].filter((mb) => mb !== null);
    };
    const rssMb = { controllers: peaks('controller'), agents: peaks('agent') };
    const alerts = { received: stage.receiver.alerts.length, signatureFailures: stage.receiver.signatureFailures };
    await stage.close();
    const leftovers = await stage.lab.leftovers();
    const result = demoResult({
      timeline,
      proof,
      falseAlarms,
      tail: returned.tail,
      failback,
      alerts,
      rssMb,
      leftovers,
    });
    tellEnd(view, result);
    return result;
  } catch (error) {
    view.bad(error instanceof Error ? error.message : String(error));
    for (const name of ['ctl-b', 'ctl-c', 'agent-b', 'load']) view.block(`${name}: ${stage.lab.logTail(name, 5)}`);
    await stage.close();
    throw error;
  }
}

/** Counted while orders go on: whatever was acknowledged by now is in the log of b by now, or lost. */
async function proveFailover(
  stage: Stage,
  to: View,
  kill: Kill,
): Promise<Readonly<{ timeline: Timeline; proof: Proof }>> {
  to.scene('The proof of the failover');
  const timeline = await readTimeline(stage, kill);
  const events = stage.load.events();
  await stage.reader.readToEnd(30_000);
  const proof = prove(events, stage.reader.records, kill.seenBefore, 'b', kill.killedAtMs);
  tellFailover(to, timeline, proof);
  return { timeline, proof };
}

function peakOf(stage: Stage, kind: 'controller' | 'agent', idc: LabIdc): number | null {
  return peakRssMb(stage.installation[kind](idc).pid);
}
