import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock, rfc3339 } from '#platform';
import type { ControllerConfig } from '../config/compile.js';
import { CONTROLLER_CONFIG } from '../config/load.js';
import { ALERTING, alertId, type Alerting } from '../alerting/alerting.port.js';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import type { IncidentRow } from '../persistence/alerts.port.js';
import { type Alert, AUTHORITY_STORE, type AuthorityStore } from '../persistence/authority-store.port.js';
import { alertEvent } from './alert-event.js';
import { StoreView } from './store-view.js';

/**
 * Ends the stories of groups that are not configured any more. Nothing is decided for those, so nothing else would: their
 * pages would fire for ever.
 */
@Injectable()
export class IncidentCloser {
  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(StoreView) private readonly view: Pick<StoreView, 'ageMs' | 'policyDigests' | 'strayIncidents'>,
    @Inject(CONTROLLER_CONFIG) private readonly config: Pick<ControllerConfig, 'lease'>,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(ALERTING) private readonly alerting: Alerting,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Asks the store again inside the transaction, for the reading may be an older one. While controllers differ, a group that
   * is missing here may only just have come; a reading that stands still has forgotten its peers. Throws LostLeadershipError and StoreUnavailableError; the next tick asks again.
   */
  async closeRemoved(): Promise<void> {
    if ((this.view.ageMs() ?? Infinity) > this.config.lease.ttlMs / 2) return;
    const groups = new Set(this.view.strayIncidents().map((row) => row.group));
    if (groups.size === 0 || new Set(Object.values(this.view.policyDigests())).size > 1) return;
    for (const group of groups) await this.close(group);
  }

  private async close(group: string): Promise<void> {
    const { term, me } = this.leadership.current();
    const at = rfc3339(this.clock.wallMs());
    const told = await this.store.transact(term, me, async (tx) => {
      if (await tx.hasOpenSaga(group)) return 0;
      const alerts = (await tx.openIncidents(group)).map((row) => resolved(row, at, term));
      for (const alert of alerts) {
        await tx.enqueueAlert(alert);
        await tx.appendEvent(alertEvent(alert));
      }
      return alerts.length;
    });
    if (told > 0) this.alerting.nudge();
  }
}

function resolved({ incident, group, types, last }: IncidentRow, at: string, term: number): Alert {
  const { epoch } = last;
  const type = 'resolved' as const;
  const reason = `group ${group} is no longer configured: nobody watches what it told of (${types.join(', ')})`;
  const id = alertId({ group, incident: `${incident}/${last.id}`, type, epoch });
  return { id, incident, type, group, row: null, reason, blockers: [], term, epoch, at, of: types };
}
