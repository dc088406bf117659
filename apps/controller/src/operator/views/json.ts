import type { Json } from '#failover';

/** What JSON.stringify would make of it: undefined members vanish, so that a value compares equal after a store round trip. */
export const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null)) as Json;

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
