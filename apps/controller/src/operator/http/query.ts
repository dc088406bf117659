import { Problem } from './problem.js';

/** A whole number from the query string; absent gives the fallback, anything else a 400 that names it. */
export const queryInt = (
  name: string,
  text: string | undefined,
  limits: Readonly<{ min: number; max: number; fallback: number }>,
): number => {
  if (text === undefined) return limits.fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= limits.min && value <= limits.max) return value;
  const detail = `expected a whole number from ${limits.min} to ${limits.max}, got "${text}"`;
  throw new Problem({
    status: 400,
    code: 'invalid_query',
    title: `Query parameter ${name} is not valid`,
    detail,
    errors: [{ pointer: `?${name}`, detail }],
  });
};
