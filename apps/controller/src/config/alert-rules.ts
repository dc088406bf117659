import { refusedUrl } from '../alerting/receivers/address-rules.js';
import type { RawAlerts } from './alerts.schema.js';

type Broken = Readonly<{ path: readonly PropertyKey[]; message: string }>;

const KINDS = ['webhooks', 'pagerduty', 'alertmanager', 'slack'] as const;

/** Rules over all of `alerts`: names are unique, routes lead somewhere, no address is private unless that was said. */
export function alertRules(alerts: RawAlerts): readonly Broken[] {
  const declared = KINDS.flatMap((kind) => alerts[kind].map((r, i) => ({ name: r.name, path: ['alerts', kind, i] })));
  const names = declared.map((r) => r.name);
  return [
    ...declared.flatMap(({ name, path }, i) =>
      names.indexOf(name) === i ? [] : [{ path: [...path, 'name'], message: `"${name}" is named twice` }],
    ),
    ...alerts.routes.flatMap((route, i) =>
      (['to', 'second'] as const).flatMap((key) =>
        route[key].flatMap((name, j) =>
          names.includes(name)
            ? []
            : [
                {
                  path: ['alerts', 'routes', i, key, j],
                  message: `"${name}" is no receiver; declared: ${names.join(', ') || 'none'}`,
                },
              ],
        ),
      ),
    ),
    ...(['webhooks', 'pagerduty', 'alertmanager'] as const).flatMap((kind) =>
      alerts[kind].flatMap(({ url }, i) => {
        const message = refusedUrl(url, alerts.allowPrivate);
        return message === null ? [] : [{ path: ['alerts', kind, i, 'url'], message }];
      }),
    ),
  ];
}
