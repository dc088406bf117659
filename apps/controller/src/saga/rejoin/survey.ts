import { flowKey, type Json, type Snapshot } from '#failover';
import { rfc3339 } from '#platform';
import { alertId } from '../../alerting/alerting.port.js';
import type { LedgerRow } from '../../persistence/authority-store.port.js';
import type { Asking } from '../agent-calls.js';
import { presentSwitch, type Switch } from '../present-switch.js';
import type { SagaRunnerDeps } from '../saga-fleet.js';
import { rebuildBegunBefore } from './rebuild-begun.js';
import {
  proofEvidence,
  proveReturned,
  readReturned,
  reportReturned,
  tailEvidence,
  type Proof,
  type Tail,
} from './returned.js';
import { isSurveyed, SURVEY_ACT } from './told-survey.js';

type Lead = Readonly<{ term: number; holder: string; leading: AbortSignal }>;

/** A log of any size is counted by the agent meanwhile; the next try joins its work. */
const LONGEST_MS = 240_000;
const AGAIN_MS = 10_000;
const HISTORY = 50;

/**
 * The old side answers again and is closed: what it alone holds is counted once, without anybody asking, so that a person finds
 * the seam, the tail and the choices when the page arrives. Changes nothing on any cluster; runs beside everything else.
 */
export class RejoinSurveys {
  private readonly running = new Map<string, Promise<void>>();
  private readonly notBefore = new Map<string, number>();
  private readonly done = new Set<string>();

  constructor(private readonly deps: SagaRunnerDeps) {}

  /** Returns at once. */
  begin(lead: Lead, snapshot: Snapshot): void {
    const { name: group, active, rejoin } = snapshot.group;
    for (const old of rejoin) {
      const key = `${lead.term}/${flowKey(group, old, active)}/${snapshot.group.epoch}`;
      if (this.done.has(key) || this.running.has(key)) continue;
      if (this.deps.time.monotonicMs() < (this.notBefore.get(key) ?? 0)) continue;
      const work = this.survey(lead, snapshot, old)
        .then((settled) => void (settled ? this.done.add(key) : this.later(key)))
        .catch((error: unknown) => {
          this.later(key);
          if (!lead.leading.aborted) this.deps.log.warn({ group, cluster: old, error }, 'the survey is tried again');
        })
        .finally(() => this.running.delete(key));
      this.running.set(key, work);
    }
  }

  async idle(): Promise<void> {
    await Promise.all(this.running.values());
  }

  private later(key: string): void {
    this.notBefore.set(key, this.deps.time.monotonicMs() + AGAIN_MS);
  }

  /** False: not yet. */
  private async survey(lead: Lead, snapshot: Snapshot, old: string): Promise<boolean> {
    const { store, gateway, time, times } = this.deps;
    const { name: group, active, epoch: at } = snapshot.group;
    const of = await presentSwitch(store, { group, active, epoch: at }, old);
    if (of === null || (await isSurveyed(store, group, of.epoch))) return true;
    if (gateway.goalStatus(`${group}/cluster/${old}`)?.observed !== 'fenced') return false;
    const history = await store.sagas(group, HISTORY);
    if (rebuildBegunBefore(history, of)) return true; // told before its topics went; what is there now are copies
    const row = (await store.groups()).find((g) => g.name === group);
    const epoch = row?.reservedEpoch ?? snapshot.group.epoch;
    const ctx: Asking = { gateway, term: lead.term, epoch, times, time, saga: { group } };
    const deadline = time.deadline(LONGEST_MS);
    try {
      const signal = AbortSignal.any([deadline.signal, lead.leading]);
      const proof = await proveReturned(ctx, await readReturned(ctx, of, signal), signal);
      const countable = proof.findings.length > 0 && proof.offered.choices.includes('accept');
      const tail = countable ? await reportReturned(ctx, proof.of, history, signal) : null;
      await this.tell(lead, of, proof, tail, epoch);
      return true;
    } finally {
      deadline.stop();
    }
  }

  private async tell(lead: Lead, of: Switch, proof: Proof, tail: Tail | null, epoch: number): Promise<void> {
    const { store, time, alerting, decisions } = this.deps;
    const group = groupOf(of.rows);
    const at = rfc3339(time.wallMs());
    const { term, holder } = lead;
    const summary = said(of, proof, tail);
    const survey: Json = {
      state: 'awaiting-choice',
      cluster: of.from,
      active: of.to,
      switchEpoch: of.epoch,
      at,
      seam: proofEvidence(proof),
      tail: tail === null ? null : tailEvidence(tail),
    };
    const type = 'old_primary_back' as const;
    const incident = decisions.returnIncident(group);
    // Beside what the matrix told in the same story, and once per switch.
    const id = alertId({ group, incident: `${incident}/survey-${of.from}-${of.epoch}`, type, epoch });
    await store.transact(term, holder, async (tx) => {
      const common = { at, group, term, epoch, detail: { survey } };
      await tx.appendEvent({ ...common, type: 'saga', row: null, summary });
      await tx.appendAudit({ ...common, actor: `controller:${holder}`, action: SURVEY_ACT, reason: summary });
      await tx.enqueueAlert({
        ...{ id, incident, type, group, row: null, reason: summary, blockers: [], term, epoch, at },
      });
    });
    alerting.nudge();
  }
}

const groupOf = (rows: readonly LedgerRow[]): string => rows[0]?.group ?? '';

function said(of: Switch, proof: Proof, tail: Tail | null): string {
  const choices = `choices: ${proof.offered.choices.join(', ')}`;
  if (tail === null)
    return `rejoin of ${of.from}: the seam is not proved (${proof.offered.reasons[0] ?? ''}); ${choices}`;
  return `rejoin of ${of.from}: awaiting choice; only it holds ${tail.loss.says}; ${choices}`;
}
