/**
 * Small helpers of the mapping. All are total: whatever a peer one version apart (or a broken one) sends becomes a
 * harmless domain value, never an exception and never something that could count as "down".
 */

/** Longer than any staleness rule: an age that cannot be true makes its value unusable, not fresh. */
export const UNUSABLE_AGE_MS = Number.MAX_SAFE_INTEGER;

/**
 * An age as received, in whole milliseconds (stores and people want no fractions), never younger than it was sent; a
 * negative or non-finite one is unusable.
 */
export const ageFromWire = (ageMs: number): number =>
  Number.isFinite(ageMs) && ageMs >= 0 ? Math.ceil(ageMs) : UNUSABLE_AGE_MS;

/** A duration that argues *for* an action (how long a failure has lasted): nonsense counts as none. */
export const durationFromWire = (ms: number): number => (Number.isFinite(ms) && ms >= 0 ? Math.floor(ms) : 0);

export const optionalAge = (ageMs: number | undefined): number | null =>
  ageMs === undefined ? null : ageFromWire(ageMs);

/** protobuf `optional` ↔ the domain's null. */
export const orNull = <T>(value: T | undefined): T | null => value ?? null;
export const orUndefined = <T>(value: T | null): T | undefined => value ?? undefined;

export type EnumCodec<Name extends string> = Readonly<{
  toWire(name: Name): number;
  /** Null: the peer sent a value that this version does not know, or none. */
  fromWire(value: number | undefined): Name | null;
}>;

/** Names are the source of truth; the table is total by its type. */
export function enumCodec<Name extends string>(table: Readonly<Record<Name, number>>): EnumCodec<Name> {
  const names = new Map<number, Name>((Object.keys(table) as Name[]).map((name) => [table[name], name]));
  return {
    toWire: (name) => table[name],
    fromWire: (value) => (value === undefined ? null : (names.get(value) ?? null)),
  };
}
