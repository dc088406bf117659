import { parsePointer, samePointer } from './pointer-schema.js';
import type { Pointer, PublishResult } from './port.js';

export type PublishGuard = Readonly<{ expectedEpoch: number; term: number }>;

/** Refuses what no adapter may ever write, before anything is sent. */
export function checkPublication(pointer: Pointer, guard: PublishGuard): void {
  parsePointer(pointer, `the pointer to publish for group ${pointer.group}`);
  if (pointer.group.startsWith('!')) throw new RangeError(`group names may not start with "!": ${pointer.group}`);
  if (!Number.isSafeInteger(guard.expectedEpoch) || guard.expectedEpoch < 0)
    throw new RangeError(`expectedEpoch ${guard.expectedEpoch} is not a whole number >= 0`);
  if (pointer.epoch <= guard.expectedEpoch)
    throw new RangeError(`epoch ${pointer.epoch} must be above the expected epoch ${guard.expectedEpoch}`);
  if (pointer.term !== guard.term)
    throw new RangeError(`the pointer carries term ${pointer.term}, the guard says ${guard.term}`);
}

export function checkTerm(term: number): void {
  if (!Number.isSafeInteger(term) || term < 1) throw new RangeError(`term ${term} is not a whole number >= 1`);
}

/**
 * Why a guarded publication did not happen, from what lies there now; null when nothing stands in its way (so the
 * state changed under our feet, and trying again is right). One rule for all adapters.
 */
export function explainRefusal(
  pointer: Pointer,
  guard: PublishGuard,
  seen: Readonly<{ current: Pointer | null; claimedTerm: number }>,
): PublishResult | null {
  const { current, claimedTerm } = seen;
  if (current !== null && samePointer(current, pointer)) return { ok: true };
  if (claimedTerm !== guard.term) return { ok: false, reason: 'stale-term', current, claimedTerm };
  if (current?.epoch === pointer.epoch) return { ok: false, reason: 'foreign-content', current, claimedTerm };
  if ((current?.epoch ?? 0) !== guard.expectedEpoch) return { ok: false, reason: 'stale-epoch', current, claimedTerm };
  return null;
}
