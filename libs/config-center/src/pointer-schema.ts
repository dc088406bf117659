import { z } from 'zod';
import { ConfigCenterError } from './errors.js';
import type { Pointer } from './port.js';

/** Unknown fields are dropped, not refused: an older client must survive a newer controller that adds one. */
export const pointerSchema = z
  .object({
    version: z.literal(1),
    group: z.string().min(1),
    activeCluster: z.string().min(1),
    mode: z.enum(['ACTIVE', 'DRAIN', 'HOLD']),
    maxMs: z.int().positive().optional(),
    epoch: z.int().positive(),
    term: z.int().positive(),
    sagaId: z.string().min(1).nullable(),
    bootstrapServers: z.array(z.string().min(1)).min(1),
    publishedAt: z.iso.datetime(),
  })
  .refine((p) => p.mode === 'ACTIVE' || p.maxMs !== undefined, {
    path: ['maxMs'],
    error: 'DRAIN and HOLD need maxMs, or a client would wait for ever when the controllers die',
  });

/**
 * Checks a value of unknown origin.
 * @param from where it was read, for the message
 * @throws ConfigCenterError POINTER_INVALID naming every wrong field
 */
export function parsePointer(value: unknown, from: string): Pointer {
  const result = pointerSchema.safeParse(value);
  if (result.success) {
    const { maxMs, ...rest } = result.data;
    return Object.freeze(maxMs === undefined ? rest : { ...rest, maxMs });
  }
  const faults = result.error.issues.map((i) => `${i.path.join('.') || '(whole value)'}: ${i.message}`);
  throw new ConfigCenterError(
    'POINTER_INVALID',
    `what lies at ${from} is not a pointer: ${faults.join('; ')}`,
    'find out who wrote it; only the controllers of this installation may write there',
    result.error,
  );
}

/** As `parsePointer`, from JSON text. */
export function parsePointerText(text: string, from: string): Pointer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ConfigCenterError(
      'POINTER_INVALID',
      `what lies at ${from} is not JSON: ${text.slice(0, 60)}`,
      'find out who wrote it; only the controllers of this installation may write there',
      cause,
    );
  }
  return parsePointer(value, from);
}

/** The one written form of a pointer. */
export function formatPointer(p: Pointer): string {
  return JSON.stringify({
    version: p.version,
    group: p.group,
    activeCluster: p.activeCluster,
    mode: p.mode,
    ...(p.maxMs === undefined ? {} : { maxMs: p.maxMs }),
    epoch: p.epoch,
    term: p.term,
    sagaId: p.sagaId,
    bootstrapServers: p.bootstrapServers,
    publishedAt: p.publishedAt,
  });
}

/**
 * Whether two pointers say the same. `publishedAt` is left out: a publication that is repeated after a time-out is
 * the same publication, though the clock went on in between.
 */
export function samePointer(a: Pointer, b: Pointer): boolean {
  return formatPointer({ ...a, publishedAt: '' }) === formatPointer({ ...b, publishedAt: '' });
}
