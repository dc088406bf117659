import type { ValueTransformer } from 'typeorm';

/**
 * bigint columns come back as strings from both drivers. Terms, epochs, offsets and counters are far below 2^53;
 * a value above it would silently lose digits, so it is an error instead.
 */
export function toSafeNumber(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError(`the store holds ${String(value)}, which is no safe integer`);
  return number;
}

export const bigintAsNumber: ValueTransformer = {
  from: (value: unknown) => (value === null || value === undefined ? null : toSafeNumber(value)),
  to: (value: unknown) => value,
};

/** JSON kept as text: the same on every database, and byte for byte what was written. */
export const jsonAsText: ValueTransformer = {
  from: (value: unknown) => (typeof value === 'string' ? (JSON.parse(value) as unknown) : null),
  to: (value: unknown) => (value === undefined ? null : JSON.stringify(value)),
};
