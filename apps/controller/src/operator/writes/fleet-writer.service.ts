import { Inject, Injectable } from '@nestjs/common';
import type { Json } from '#failover';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { AUTHORITY_STORE } from '../../persistence/authority-store.port.js';
import type { AuthorityStore, FleetRow } from '../../persistence/authority-store.port.js';
import { Groups } from '../groups.service.js';
import { type Caller, noLeader } from '../http/write.guard.js';
import { toJson } from '../views/json.js';
import type { FleetAct } from './fleet-acts.js';
import { KeptAnswers } from './kept-answers.js';
import type { WriteAnswer } from './kept-answers.js';

const ACCEPTED = 202;

type Told = Readonly<{ key: string; caller: Caller }>;

/** Carries out one act on all groups: the change, its audit row, its event and the answer kept for its key in one transaction. */
@Injectable()
export class FleetWriter {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(Groups) private readonly groups: Groups,
    @Inject(KeptAnswers) private readonly answers: KeptAnswers,
  ) {}

  async write(act: FleetAct, told: Told, body: unknown): Promise<WriteAnswer> {
    if (act.dryRun) return this.answer(act, act.change(await this.store.fleet()));
    return await this.answers.once(told.key, ['all groups', act.name, body], (hash) => this.commit(act, told, hash));
  }

  private async commit(act: FleetAct, { key, caller }: Told, bodyHash: string): Promise<WriteAnswer> {
    const { leading, term, me } = this.leadership.current();
    if (!leading) throw noLeader('Leadership was lost while writing; nothing was changed.');
    return await this.store.transact(term, me, async (tx) => {
      const before = await tx.fleet();
      const changed = act.change(before);
      const answer = this.answer(act, changed);
      const at = new Date().toISOString();
      const { name: action, actor, reason } = act;
      const common = { at, group: null, term, epoch: null };
      const detail: Json = toJson({ ...caller, before, after: changed.row });
      await tx.saveFleet(changed.row);
      await tx.appendAudit({ ...common, actor, action: `${action} all`, reason, detail });
      const summary = `${actor}: ${changed.summary}`;
      await tx.appendEvent({ ...common, type: 'operator', row: null, summary, detail: { action, actor, reason } });
      await tx.rememberAnswer(key, { bodyHash, at, ...answer });
      return answer;
    });
  }

  private answer({ name, dryRun }: FleetAct, after: Readonly<{ row: FleetRow; summary: string }>): WriteAnswer {
    const { summary, row } = after;
    const groups = this.groups.names();
    const body = { action: name, dryRun, changed: !dryRun, summary, groups, pause: row.pause };
    return { status: ACCEPTED, body: toJson(body) };
  }
}
