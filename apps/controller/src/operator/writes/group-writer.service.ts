import { Inject, Injectable } from '@nestjs/common';
import type { Json } from '#failover';
import { alertId } from '../../alerting/alerting.port.js';
import { DECISIONS } from '../../decision/decision.port.js';
import type { Decisions } from '../../decision/decision.port.js';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore, AuthorityTx, GroupRow } from '../../persistence/authority-store.port.js';
import { Groups } from '../groups.service.js';
import { noLeader, staleEpoch } from '../http/write.guard.js';
import type { Caller, WriteHeaders } from '../http/write.guard.js';
import { toJson } from '../views/json.js';
import type { Act } from './acts.js';
import { KeptAnswers } from './kept-answers.js';
import type { WriteAnswer } from './kept-answers.js';

const ACCEPTED = 202;

/**
 * Carries out one operator act: the change, its audit row, its event and the answer kept for its key in one transaction
 * guarded by the lease. A repeat with the same key gets the kept answer, also from the next leader.
 */
@Injectable()
export class GroupWriter {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(Groups) private readonly groups: Groups,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
  ) {}

  async write(group: string, act: Act, headers: WriteHeaders, body: unknown): Promise<WriteAnswer> {
    this.groups.config(group);
    if (act.dryRun) return this.rehearse(group, act, headers.epoch);
    const what = [group, act.name, body];
    return this.answers.once(headers.key, what, (bodyHash) => this.commit(group, act, headers, bodyHash));
  }

  /** The same checks and the same change on the same row, and nothing written anywhere. */
  private async rehearse(group: string, act: Act, epoch: number): Promise<WriteAnswer> {
    const row = existing(group, (await this.store.groups()).find((r) => r.name === group) ?? null);
    const { row: after, summary } = changed(row, act, epoch);
    return { status: ACCEPTED, body: answerBody(group, act, summary, after) };
  }

  private async commit(group: string, act: Act, headers: WriteHeaders, bodyHash: string): Promise<WriteAnswer> {
    const { leading, term, me } = this.leadership.current();
    if (!leading) throw noLeader('Leadership was lost while writing; nothing was changed.');
    return this.store.transact(term, me, async (tx) => {
      const before = existing(group, await tx.group(group));
      const { row: after, summary } = changed(before, act, headers.epoch);
      const at = new Date().toISOString();
      const answer = { status: ACCEPTED, body: answerBody(group, act, summary, after) };
      await tx.saveGroup(after);
      await this.record(tx, act, { before, after, at, summary, term, caller: headers.caller });
      if (act.name === 'acknowledge') await acknowledgeIncidents(tx, act, { group, at, term, epoch: before.epoch });
      await tx.rememberAnswer(headers.key, { bodyHash, at, ...answer });
      return answer;
    });
  }

  private async record(
    tx: AuthorityTx,
    act: Act,
    seen: Readonly<{ before: GroupRow; after: GroupRow; at: string; summary: string; term: number; caller: Caller }>,
  ): Promise<void> {
    const { before, after, at, summary, term, caller } = seen;
    const latest = this.decisions.latest(before.name);
    const common = { at, group: before.name, term, epoch: before.epoch };
    const votes = latest?.snapshot.votes ?? null;
    await tx.appendAudit({
      ...common,
      actor: act.actor,
      action: act.name,
      reason: act.reason,
      detail: toJson({ ...caller, ...act.detail, before, after, row: latest?.decision.row ?? null, votes }),
    });
    await tx.appendEvent({
      ...common,
      type: 'operator',
      row: latest?.decision.row ?? null,
      summary: `${act.actor}: ${summary}`,
      detail: toJson({ action: act.name, actor: act.actor, reason: act.reason }),
    });
  }
}

/** Whoever was paged sees that somebody has it. */
const acknowledgeIncidents = async (
  tx: AuthorityTx,
  act: Act,
  { group, at, term, epoch }: Readonly<{ group: string; at: string; term: number; epoch: number }>,
): Promise<void> => {
  for (const { incident, types, last } of await tx.openIncidents(group)) {
    const type = 'acknowledged';
    await tx.enqueueAlert({
      id: alertId({ group, incident: `${incident}/${at}`, type, epoch }),
      ...{ incident, type, group, row: last.row, blockers: [], term, epoch, at, of: types },
      reason: `${act.actor}: ${act.reason}`,
    });
  }
};

const existing = (group: string, row: GroupRow | null): GroupRow => {
  if (row) return row;
  throw noLeader(`Group ${group} is not in the store yet: the leader is still starting.`);
};

const changed = (row: GroupRow, act: Act, epoch: number): ReturnType<Act['change']> => {
  if (row.epoch !== epoch) {
    throw staleEpoch(`Group ${row.name} is at epoch ${row.epoch}, not ${epoch}: look again before you act.`);
  }
  return act.change(row);
};

const answerBody = (group: string, act: Act, summary: string, after: GroupRow): Json =>
  toJson({
    group,
    action: act.name,
    dryRun: act.dryRun,
    changed: !act.dryRun,
    summary,
    epoch: after.epoch,
    pause: after.pause,
    frozen: after.frozen,
    acknowledgedAt: after.acknowledgedAt,
    lossAcceptance: after.lossAcceptance,
    mode: after.mode,
    proposal: after.proposal,
  });
