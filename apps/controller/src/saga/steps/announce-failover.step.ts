import type { Alert } from '../../persistence/authority-store.port.js';
import { rfc3339 } from '#platform';
import { alertId } from '../../alerting/alerting.port.js';
import { StepFailure, type Step, type StepContext, type StepResult } from './step.js';

/** The alert leaves before the act; it is written with this step's evidence, so it is sent exactly once per saga. */
export const announceFailover: Step = {
  name: 'announce',
  async run(ctx, signal): Promise<StepResult> {
    const hooks = ctx.plan.needsSource ? await askHooks(ctx, signal) : [];
    const alert = sagaAlert(
      ctx,
      'acting',
      `${ctx.saga.kind} of ${ctx.saga.group} from ${ctx.saga.source} to ${ctx.saga.target} begins`,
    );
    const asked = hooks.length === 0 ? '' : `; ${hooks.length} pre-hooks agreed`;
    return {
      evidence: { summary: `alert queued${asked}`, alert: alert.id, hooks },
      commit: (tx) => tx.enqueueAlert(alert),
    };
  },
};

/** One after the other, before anything is touched and before anybody is told. The first veto ends the saga. */
async function askHooks(ctx: StepContext, signal: AbortSignal): Promise<{ name: string; said: string }[]> {
  const { id, kind, group, source, target } = ctx.saga;
  const about = { saga: id, kind, group, source, target, reason: ctx.request?.reason ?? '', by: ctx.request?.by ?? '' };
  const agreed: { name: string; said: string }[] = [];
  for (const hook of ctx.group.preSwitchover ?? []) {
    const { go, said } = await ctx.runHook(hook, about, signal);
    if (!go) throw new StepFailure('ABORTED', `pre-hook ${hook.name} vetoes: ${said}`, { hook: hook.name, agreed });
    agreed.push({ name: hook.name, said });
  }
  return agreed;
}

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
