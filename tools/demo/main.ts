import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { peakRssMb } from '../installation/peak-rss.js';
import { parseLoadEvent } from '../load/options.js';
import { prove } from './proof.js';
import { demoResult, type DemoResult } from './result.js';
import { clientsGoOn, cutLink, demoWindowNote, frozenAgent, killIdc } from './scenes.js';
import { Stage } from './stage.js';
import { readTimeline } from './timeline.js';
import { View } from './view.js';

const HELP = `Kills a data centre and lets Pointsman move the traffic, on real Kafka.

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
    const rssA = {
      controller: peakRssMb(stage.installation.controller('a').pid),
      agent: peakRssMb(stage.installation.agent('a').pid),
    };
    const kill = await killIdc(stage, view);
    await clientsGoOn(stage, view);
    view.scene('The proof');
    const timeline = await readTimeline(stage, kill);
    await stage.stopLoad();
    await stage.reader.readToEnd(30_000);
    const events = readFileSync(stage.loadLog, 'utf8')
      .split('\n')
      .flatMap((line) => parseLoadEvent(line) ?? []);
    const proof = prove(events, stage.reader.records, kill.seenBefore, 'b', kill.killedAtMs);
    const rss = (kind: 'controller' | 'agent'): number[] =>
      [rssA[kind], ...(['b', 'c'] as const).map((idc) => peakRssMb(stage.installation[kind](idc).pid))].filter(
        (mb) => mb !== null,
      );
    const rssMb = { controllers: rss('controller'), agents: rss('agent') };
    const alerts = { received: stage.receiver.alerts.length, signatureFailures: stage.receiver.signatureFailures };
    await stage.close();
    const result = demoResult({ timeline, proof, falseAlarms, alerts, rssMb, leftovers: await stage.lab.leftovers() });
    tell(result);
    return result;
  } catch (error) {
    view.bad(error instanceof Error ? error.message : String(error));
    for (const name of ['ctl-b', 'ctl-c', 'agent-b', 'load']) view.block(`${name}: ${stage.lab.logTail(name, 5)}`);
    await stage.close();
    throw error;
  }
}

function tell({ rto, orders, windowMs, alerts, rssMb, leftovers, failures, ok }: DemoResult): void {
  const s = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  view.say(
    `RTO ${s(rto.totalMs)} = detect ${s(rto.detectMs)} + confirm ${s(rto.confirmMs)} + act ${s(rto.actMs)} + adopt ${s(rto.adoptMs)} (window ${s(windowMs)})`,
  );
  view.say(
    `orders acknowledged ${orders.acknowledged}; seen on b before the kill ${orders.replicatedBeforeKill}, of these unreadable now ${orders.lostReplicated}`,
  );
  view.say(
    `lost ${orders.lost.length} (estimate at most ${orders.estimatedLoss ?? 'unknown'})${orders.lost.length > 0 ? `: ${orders.lost.slice(0, 8).join(' ')}${orders.lost.length > 8 ? ' …' : ''}` : ''}`,
  );
  view.say(
    `duplicated ${orders.duplicated}, out of order ${orders.outOfOrder}; alerts ${alerts.received}, wrong signatures ${alerts.signatureFailures}`,
  );
  view.say(`peak memory in MB: controllers ${rssMb.controllers.join(', ')}; agents ${rssMb.agents.join(', ')}`);
  view.say(leftovers.length === 0 ? 'nothing was left behind' : `left behind: ${leftovers.join(', ')}`);
  for (const failure of failures) view.bad(failure);
  if (ok) view.good('the demo holds');
}
