import type { Proof } from './proof.js';
import { type DemoResult, type Failback, rtoOf, type Tail, type Timeline } from './result.js';
import type { View } from './view.js';

const IDS_SHOWN = 8;
const seconds = (ms: number | null): string => (ms === null ? 'unknown' : `${(ms / 1000).toFixed(1)} s`);

export function tellFailover(view: View, timeline: Timeline, proof: Proof): void {
  const { totalMs, detectMs, confirmMs, actMs, adoptMs } = rtoOf(timeline, proof);
  view.say(
    `RTO ${seconds(totalMs)} = detect ${seconds(detectMs)} + confirm ${seconds(confirmMs)} + act ${seconds(actMs)} + adopt ${seconds(adoptMs)} (window ${seconds(timeline.windowMs)})`,
  );
  view.say(
    `orders acknowledged ${proof.acknowledged}; seen on b before the kill ${proof.replicatedBeforeKill}, of these unreadable now ${proof.lostReplicated}`,
  );
  const { lost } = proof;
  const ids = lost.length === 0 ? '' : `: ${lost.slice(0, IDS_SHOWN).join(' ')}${lost.length > IDS_SHOWN ? ' …' : ''}`;
  view.say(`lost ${lost.length} (estimate at most ${timeline.estimatedLoss ?? 'unknown'})${ids}`);
  view.say(`duplicated ${proof.duplicated}, out of order ${proof.outOfOrder}`);
}

export function tellWayBack(view: View, tail: Tail, failback: Failback): void {
  view.say(`tail of a: ${tail.reported} records by the report, ${tail.records} by an independent reader`);
  view.say(
    `failback: ${seconds(failback.durationMs)} in all, producers waited ${seconds(failback.pausedMs)}; of ${failback.acknowledged} orders since the failover ` +
      `lost ${failback.lost.length}, skipped ${failback.skipped.length}, duplicated ${failback.duplicated}, read again ${failback.readAgain}`,
  );
}

export function tellEnd(view: View, { alerts, rssMb, leftovers, failures, ok }: DemoResult): void {
  view.say(`alerts ${alerts.received}, wrong signatures ${alerts.signatureFailures}`);
  view.say(`peak memory in MB: controllers ${rssMb.controllers.join(', ')}; agents ${rssMb.agents.join(', ')}`);
  view.say(leftovers.length === 0 ? 'nothing was left behind' : `left behind: ${leftovers.join(', ')}`);
  for (const failure of failures) view.bad(failure);
  if (ok) view.good('the demo holds');
}
