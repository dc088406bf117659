import { z } from 'zod';
import type { Pointer, PointerMode } from './pointer.js';

/**
 * What one client of a process says of itself: which pointer it follows, and how far it has come with it.
 * `following`: reads or writes on that cluster. `moving`: on the way. `drained`: a producer in DRAIN or HOLD with nothing in
 * flight. `held`: a consumer that has committed and left its group.
 */
export type ClientReport = Readonly<{
  version: 1;
  group: string;
  instance: string; // one per client and process, never used again
  kind: 'producer' | 'consumer';
  name: string; // consumer group or transactional id, else what the service calls itself; for people
  cluster: string;
  epoch: number;
  mode: PointerMode;
  state: 'following' | 'moving' | 'drained' | 'held';
  warnings: readonly string[]; // settings that risk records, in words
}>;

/** Reports that live on until their ttl passes; a client that died is forgotten by itself. */
export interface AdoptionLog {
  /** Says it anew, and lives for `ttlMs` from now (whole seconds, at least 5). */
  report(report: ClientReport, ttlMs: number): Promise<void>;
  /** Takes it back: this client has ended on purpose. */
  withdraw(group: string, instance: string): Promise<void>;
  /** What living clients of the group said last, by instance; at most MAX_ADOPTIONS. */
  adoptions(group: string): Promise<readonly ClientReport[]>;
}

export const MAX_ADOPTIONS = 10_000;
const MAX_WARNINGS = 20;

const reportSchema = z.object({
  version: z.literal(1),
  group: z.string().min(1),
  instance: z.string().min(1).max(100),
  kind: z.enum(['producer', 'consumer']),
  name: z.string(),
  cluster: z.string().min(1),
  epoch: z.int().positive(),
  mode: z.enum(['ACTIVE', 'DRAIN', 'HOLD']),
  state: z.enum(['following', 'moving', 'drained', 'held']),
  warnings: z.array(z.string()),
});

/** Refuses what no adapter may write. Throws RangeError. */
export function checkReport(report: ClientReport, ttlMs: number): void {
  const parsed = reportSchema.safeParse(report);
  if (!parsed.success) throw new RangeError(`client report: ${z.prettifyError(parsed.error)}`);
  if (/[/!]/.test(report.group) || report.instance.includes('/'))
    throw new RangeError(`group ${report.group}, instance ${report.instance}: no "/" or "!"`);
  if (!(ttlMs >= 5_000)) throw new RangeError(`ttlMs ${ttlMs} is below 5000`);
}

export function formatReport(report: ClientReport): string {
  return JSON.stringify({ ...report, warnings: report.warnings.slice(0, MAX_WARNINGS) });
}

/** Null for what this version does not understand: reports are advice, so a strange one must not hide the others. */
export function parseReport(text: string): ClientReport | null {
  try {
    const parsed = reportSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** The same epoch, and come as far as that pointer asks: the one rule for "has adopted". */
export function hasAdopted(report: ClientReport, pointer: Pick<Pointer, 'epoch' | 'mode'>): boolean {
  if (report.epoch < pointer.epoch) return false;
  if (report.epoch > pointer.epoch) return true; // a later pointer is in force there: this one was passed through
  if (pointer.mode === 'ACTIVE') return report.state === 'following';
  if (report.kind === 'producer') return report.state === 'drained';
  return pointer.mode === 'DRAIN' || report.state === 'held';
}

export type AdoptionShare = Readonly<{
  known: number;
  adopted: number;
  share: number;
  stragglers: readonly ClientReport[];
}>;

/** How many of the living clients have adopted a pointer. No clients at all: share 1, for nobody is waited for. */
export function adoptionShare(
  reports: readonly ClientReport[],
  pointer: Pick<Pointer, 'epoch' | 'mode'>,
): AdoptionShare {
  const stragglers = reports.filter((r) => !hasAdopted(r, pointer));
  const adopted = reports.length - stragglers.length;
  return { known: reports.length, adopted, share: reports.length === 0 ? 1 : adopted / reports.length, stragglers };
}
