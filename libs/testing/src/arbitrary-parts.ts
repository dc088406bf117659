import fc from 'fast-check';

/** What arbitrary values of everything that travels are made of. */
export const name = fc.string({ maxLength: 8 });
export const names = fc.array(name, { maxLength: 3 });
export const age = fc.nat(); // whole milliseconds: a receiver rounds
export const count = fc.nat();
export const big = fc.maxSafeNat();
export const offset = fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER });
export const orNull = <T>(a: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(a, { nil: null });

/** What is absent when it is not known. */
export const withOptional = <R extends object, O extends object>(
  required: { [K in keyof R]: fc.Arbitrary<R[K]> },
  optional: { [K in keyof O]: fc.Arbitrary<O[K]> },
): fc.Arbitrary<R & Partial<O>> =>
  fc
    .tuple(fc.record(required), fc.record(optional, { requiredKeys: [] }))
    .map(([r, o]) => ({ ...r, ...(o as Partial<O>) }));
