import type { Json } from '#failover';

/** A member of an evidence object; null when it is not there. */
export const memberOf = (value: Json, key: string): Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (Object.entries(value).find(([name]) => name === key)?.[1] ?? null)
    : null;

/** The same, where it is a text. */
export const textIn = (value: Json, key: string): string | null => {
  const member = memberOf(value, key);
  return typeof member === 'string' ? member : null;
};
