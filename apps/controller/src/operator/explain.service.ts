import { Inject, Injectable } from '@nestjs/common';
import type { Explanation } from '#failover';
import { explain, renderExplanation } from '#failover';
import { DECISIONS } from '../decision/decision.port.js';
import type { Decisions } from '../decision/decision.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { Groups } from './groups.service.js';
import { notFound } from './http/problem.js';
import { isRecord } from './views/json.js';

/** An explanation with the event it belongs to (null: now), and the same in words for a terminal. */
export type ExplainView = Explanation & Readonly<{ event: number | null; text: string }>;

/** Why a group was judged as it was: now, or at a past decision as it was recorded by the code that decided. */
@Injectable()
export class Explain {
  constructor(
    @Inject(DECISIONS) private readonly decisions: Decisions,
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(Groups) private readonly groups: Groups,
  ) {}

  now(group: string): ExplainView {
    const { policy } = this.groups.config(group);
    const { snapshot, decision } = this.decisions.evaluate(group);
    return view(null, explain(snapshot, policy, decision));
  }

  async past(group: string, seq: number): Promise<ExplainView> {
    this.groups.config(group);
    const [event] = await this.store.events(seq - 1, 1);
    if (event?.seq !== seq || event.group !== group) {
      throw notFound(`Event ${seq} of group ${group}`, 'List them with GET /v1/groups/<group>/history.');
    }
    if (event.type !== 'decision' || !isRecord(event.detail)) {
      throw notFound(
        `An explanation of event ${seq}`,
        `It is of type ${event.type}; only events of type decision have one.`,
      );
    }
    return view(seq, event.detail as unknown as Explanation);
  }
}

const view = (event: number | null, explanation: Explanation): ExplainView => ({
  event,
  ...explanation,
  text: renderExplanation(explanation),
});
