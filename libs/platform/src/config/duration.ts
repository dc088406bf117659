import { z } from 'zod';

const EXPECTED = 'expected a duration above zero such as 500ms, 30s, 5m or 1h';

/** The same for documents made from schemas. */
const PATTERN = String.raw`^\s*\d+(\.\d+)?(ms|s|m|h|d)\s*$`;

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses `500ms`, `30s`, `5m`, `1h`, `2d` into milliseconds; null if the text is not a duration. */
export function parseDurationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (match?.[1] === undefined || match[2] === undefined) return null;
  const unitMs = UNIT_MS[match[2]];
  return unitMs === undefined ? null : Number(match[1]) * unitMs;
}

const asText = () => z.string({ error: EXPECTED }).meta({ pattern: PATTERN, examples: ['30s'] });

/** A duration in a configuration file; the parsed value is in milliseconds. */
export const duration = () => {
  const schema = asText().transform((text, context) => {
    const ms = parseDurationMs(text);
    if (ms !== null && ms > 0) return ms;
    context.addIssue({
      code: 'custom',
      message: `${EXPECTED}, got "${text}"`,
    });
    return z.NEVER;
  });
  TRANSFORMS.add(schema.def.out);
  return schema;
};

/** What `duration()` made keeps its transform through `refine` and the like, which metadata would not survive. */
const TRANSFORMS = new WeakSet<object>();

/** True for a schema of {@link duration}, with or without more rules on it. */
export const isDuration = (schema: z.core.$ZodType): boolean => {
  const { def } = schema._zod as Readonly<{ def: z.core.$ZodTypes['_zod']['def'] }>;
  return def.type === 'pipe' && TRANSFORMS.has(def.out);
};

/** Renders milliseconds as people write them: `1.5 s` becomes `1500ms`, `60000` becomes `60s`. */
export function formatDuration(ms: number): string {
  if (ms >= 86_400_000 && ms % 86_400_000 === 0) return `${ms / 86_400_000}d`;
  if (ms >= 3_600_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  return ms >= 1000 && ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
