import type { Json } from '#failover';

/** The id of the saga that an answer tells of; null: none began. */
export function sagaOf(body: Json): string | null {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return null;
  const id = Object.entries(body).find(([key]) => key === 'saga')?.[1];
  return typeof id === 'string' ? id : null;
}
