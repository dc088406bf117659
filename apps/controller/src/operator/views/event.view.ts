import type { EventRow } from '../../persistence/authority-store.port.js';
import { isRecord } from './json.js';

/** An event as streams and lists show it: the stored snapshot stays behind (it is what explain reads). */
export const eventView = (event: EventRow) => {
  const { detail, ...rest } = event;
  if (!isRecord(detail)) return { ...rest, detail };
  const { snapshot, policy: _policy, ...shown } = detail;
  return {
    ...rest,
    detail: shown,
    explain: snapshot !== undefined && event.group ? `/v1/groups/${event.group}/explain?event=${event.seq}` : null,
  };
};
