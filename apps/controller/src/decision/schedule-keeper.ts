import { Inject, Injectable } from '@nestjs/common';
import { gateRefusals, type Json, type Refusal, type ScheduledSwitch, type ScheduleStep } from '#failover';
import { CLOCK, type Clock, rfc3339 } from '#platform';
import { ALERTING, alertId, type Alerting } from '../alerting/alerting.port.js';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import {
  AUTHORITY_STORE,
  type AuthorityStore,
  type AuthorityTx,
  OpenSagaExistsError,
} from '../persistence/authority-store.port.js';
import { SAGA_DRIVER, type PlannedAsk, type SagaDriver, StaleGroupError } from '../saga/saga.port.js';
import type { Evaluation } from './decision.port.js';

/**
 * Carries out what a person scheduled, or says why not. All questions are asked again at that time; whatever refuses it then
 * is told with all reasons, and nothing moves. It is taken off the group's row in the transaction that opens its saga, so
 * that no leader begins it twice.
 */
@Injectable()
export class ScheduleKeeper {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(SAGA_DRIVER) private readonly sagas: SagaDriver,
    @Inject(ALERTING) private readonly alerting: Alerting,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Throws LostLeadershipError and StoreUnavailableError; the next tick asks again. */
  async carryOut(step: ScheduleStep, seen: Evaluation): Promise<void> {
    const { name } = seen.snapshot.group;
    const scheduled = (await this.store.groups()).find((row) => row.name === name)?.scheduled ?? null;
    if (scheduled === null || scheduled.id !== seen.snapshot.group.scheduled?.id) return;
    if (step.do === 'drop') return await this.giveUp(scheduled, seen, step, []);
    // A person who is not there must not move what somebody else has paused since.
    const paused = gateRefusals(
      seen.decision.gate.filter((gate) => gate === 'PAUSED'),
      seen.snapshot,
    );
    const refusals = paused.length > 0 ? paused : await this.begin(name, scheduled);
    if (refusals === null || refusals.length === 0) return;
    await this.giveUp(scheduled, seen, { ...step, reason: 'it was refused at its time' }, refusals);
  }

  /** What stands in its way; empty: begun. Null: this process does not drive sagas yet, the next tick asks again. */
  private async begin(
    group: string,
    { id, act: kind, target, request }: ScheduledSwitch,
  ): Promise<readonly Refusal[] | null> {
    const ask: PlannedAsk = { kind, group, target, request, scheduled: true };
    try {
      const begun = await this.sagas.request(ask, async (tx, saga) => {
        // Taken back between the look and the act: then nothing is opened.
        if (!(await takeOff(tx, group, id))) throw new StaleGroupError(group);
        const at = rfc3339(this.clock.wallMs());
        const { by, reason } = request;
        const detail = { scheduled: id, saga: saga.id };
        const { term, fromEpoch: epoch } = saga;
        await tx.appendAudit({
          at,
          actor: by,
          action: 'scheduled switchover begun',
          group,
          reason,
          detail,
          term,
          epoch,
        });
      });
      return begun && begun.rehearsal.refusals;
    } catch (error) {
      if (error instanceof StaleGroupError) return null;
      if (!(error instanceof OpenSagaExistsError)) throw error;
      return [{ name: 'SAGA_OPEN', detail: error.message, liftedBy: 'its end, or pointsman abort' }];
    }
  }

  private async giveUp(
    { id, act, target, at: dueAt, request }: ScheduledSwitch,
    { snapshot, decision }: Evaluation,
    { page, reason: why }: Pick<ScheduleStep, 'page' | 'reason'>,
    refusals: readonly Refusal[],
  ): Promise<void> {
    const { term, me } = this.leadership.current();
    const { name: group, epoch } = snapshot.group;
    const at = rfc3339(this.clock.wallMs());
    const said = refusals.map((r) => `${r.name}: ${r.detail}`).join(' · ');
    const reason = `the ${act} to ${target} scheduled for ${dueAt} by ${request.by} was not begun: ${why}${said === '' ? '' : ` · ${said}`}`;
    const detail: Json = { scheduled: id, blockedBy: refusals.map((r) => ({ ...r })) };
    const common = { at, group, term, epoch };
    const incident = `${group}-${epoch}-scheduled-${id}`;
    const type = 'needs_operator' as const;
    await this.store.transact(term, me, async (tx) => {
      if (!(await takeOff(tx, group, id))) return;
      await tx.appendEvent({ ...common, type: 'operator', row: decision.row, summary: reason, detail });
      await tx.appendAudit({
        ...common,
        actor: `controller:${me}`,
        action: 'scheduled switchover not begun',
        reason,
        detail,
      });
      if (!page) return;
      const blockers = refusals.map(({ name, liftedBy }) => ({ name, liftedBy }));
      const alert = { incident, type, group, row: decision.row, reason, blockers, term, epoch, at };
      await tx.enqueueAlert({ ...alert, id: alertId({ group, incident, type, epoch }) });
    });
    this.alerting.nudge();
  }
}

/** False: it is not there any more; a person was faster. */
async function takeOff(tx: AuthorityTx, group: string, id: string): Promise<boolean> {
  const row = await tx.group(group);
  if (row?.scheduled?.id !== id) return false;
  await tx.saveGroup({ ...row, scheduled: null });
  return true;
}
