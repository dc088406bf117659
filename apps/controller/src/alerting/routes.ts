import type { Alert, DeliveryRow } from '../persistence/alerts.port.js';
import { routedSeverity, storyOf } from './alert-table.js';
import type { CompiledAlertingOptions, Receiver, Route } from './alerting.options.js';
import { FORMATS } from './receivers/formats.js';

type Rules = Pick<CompiledAlertingOptions, 'receivers' | 'routes'>;
/** What is known of earlier attempts; empty when nothing is. */
type Known = readonly Pick<DeliveryRow, 'receiver' | 'attempts' | 'deliveredAt' | 'deadAt'>[];

/**
 * The receivers that an alert is owed to now: those of its routes, and the second channel of those that failed too often.
 * A test goes to all, whatever they want: it is the receivers that are tried.
 */
export function receiversFor(alert: Alert, rules: Rules, known: Known = []): readonly Receiver[] {
  if (isTest(alert)) return rules.receivers;
  const matching = rules.routes.filter((route) => matches(route, alert));
  if (matching.length === 0) return rules.receivers.filter((receiver) => wants(receiver, alert));
  const names = new Set<string>();
  for (const route of matching) {
    for (const name of route.to) names.add(name);
    if (route.to.some((name) => failedOften(name, route, known))) for (const name of route.second) names.add(name);
  }
  return rules.receivers.filter((receiver) => names.has(receiver.name) && wants(receiver, alert));
}

const isTest = ({ type, of = [] }: Alert): boolean => type === 'test' || of.includes('test');

function matches(route: Route, alert: Alert): boolean {
  if (route.severities !== null && !route.severities.includes(routedSeverity(alert))) return false;
  return route.events === null || storyOf(alert).some((kind) => route.events?.includes(kind));
}

/** A receiver that keeps incidents is told the end of what it was told the beginning of. */
function wants({ kind, events }: Receiver, alert: Alert): boolean {
  if (events === null || events.includes(alert.type)) return true;
  return FORMATS[kind].keepsIncidents && storyOf(alert).some((each) => events.includes(each));
}

function failedOften(name: string, { after }: Route, known: Known): boolean {
  const row = known.find((each) => each.receiver === name);
  return row !== undefined && row.deliveredAt === null && (row.attempts >= after || row.deadAt !== null);
}
