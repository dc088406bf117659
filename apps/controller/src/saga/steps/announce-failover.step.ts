import type { Alert } from '../../persistence/authority-store.port.js';
import { rfc3339 } from '#platform';
import { alertId } from '../../alerting/alerting.port.js';
import type { Step, StepContext, StepResult } from './step.js';

/** The alert leaves before the act; it is written with this step's evidence, so it is sent exactly once per saga. */
export const announceFailover: Step = {
  name: 'announce',
  async run(ctx): Promise<StepResult> {
    const alert = sagaAlert(
      ctx,
      'acting',
      `${ctx.saga.kind} of ${ctx.saga.group} from ${ctx.saga.source} to ${ctx.saga.target} begins`,
    );
    return { evidence: { summary: 'alert queued', alert: alert.id }, commit: (tx) => tx.enqueueAlert(alert) };
  },
};

type AlertContext = Pick<StepContext, 'saga' | 'term' | 'incident' | 'time'>;

export function sagaAlert(ctx: AlertContext, type: Alert['type'], reason: string): Alert {
  const { group, epoch, row } = ctx.saga;
  return {
    id: alertId({ group, incident: ctx.incident, type, epoch }),
    incident: ctx.incident,
    type,
    group,
    row,
    reason,
    blockers: [],
    term: ctx.term,
    epoch,
    at: rfc3339(ctx.time.wallMs()),
  };
}
