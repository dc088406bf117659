import { Inject, Injectable } from '@nestjs/common';
import type { Decision, Snapshot } from '#failover';
import { DECISIONS } from '../decision/decision.port.js';
import type { Decisions } from '../decision/decision.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { Groups } from './groups.service.js';
import { notFound } from './http/problem.js';
import { isRecord } from './views/json.js';

type Decided = Readonly<{ snapshot: Snapshot; decision: Decision }>;

/** Why a group was judged as it was: now, or at a past event from the snapshot stored with it. */
@Injectable()
export class Explain {
  constructor(
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(Groups) private readonly groups: Groups,
  ) {}

  now(group: string) {
    this.groups.config(group);
    return this.view(group, null, this.decisions.evaluate(group));
  }

  async past(group: string, seq: number) {
    this.groups.config(group);
    const [event] = await this.store.events(seq - 1, 1);
    if (event?.seq !== seq || event.group !== group) {
      throw notFound(`Event ${seq} of group ${group}`, 'List them with GET /v1/groups/<group>/history.');
    }
    const decided = storedDecision(event.detail);
    if (!decided) {
      throw notFound(`A snapshot of event ${seq}`, `It is of type ${event.type}; only decision events are explained.`);
    }
    return this.view(group, seq, decided);
  }

  private view(group: string, event: number | null, { snapshot, decision }: Decided) {
    const { nextMemory: _memory, ...shown } = decision;
    return {
      group,
      event,
      at: new Date(snapshot.wallNow).toISOString(),
      term: snapshot.term,
      epoch: snapshot.group.epoch,
      ...shown,
      observers: snapshot.observers,
      votes: snapshot.votes,
      flows: snapshot.flows,
    };
  }
}

/** The decision tick stores `{snapshot, decision}` in the detail of its events. */
const storedDecision = (detail: unknown): Decided | null => {
  if (!isRecord(detail) || !isRecord(detail['snapshot']) || !isRecord(detail['decision'])) return null;
  return { snapshot: detail['snapshot'] as Snapshot, decision: detail['decision'] as Decision };
};
