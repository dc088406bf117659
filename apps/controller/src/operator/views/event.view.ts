import type { EventRow } from '../../persistence/authority-store.port.js';

/** An event as streams and lists show it. A decision's detail is its whole explanation, so only the way to it is shown. */
export const eventView = ({ detail, ...event }: EventRow) =>
  event.type === 'decision' && event.group !== null
    ? { ...event, detail: null, explain: `/v1/groups/${encodeURIComponent(event.group)}/explain?event=${event.seq}` }
    : { ...event, detail, explain: null };
