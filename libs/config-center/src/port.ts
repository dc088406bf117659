import type { AdoptionLog } from './adoption.js';
import type { Pointer } from './pointer.js';

/** The config center: where clients learn which cluster is active. Several adapters, one conformance suite. */

export type { Pointer, PointerMode } from './pointer.js';

export type PublishResult =
  | Readonly<{ ok: true }>
  | Readonly<{
      ok: false;
      reason: 'stale-epoch' | 'stale-term' | 'foreign-content';
      current: Pointer | null;
      claimedTerm: number;
    }>;

/** What clients need: the reading half. */
export interface PointerSource {
  /** The current pointer, or null if the group has none. Rejects when the center cannot be reached. */
  read(group: string): Promise<Pointer | null>;
  /**
   * Calls `onPointer` with the present pointer and every later one (epochs never fall), until the returned stop is
   * called. Survives restarts of the center by itself; `onError` is told of each interruption.
   */
  watch(group: string, onPointer: (p: Pointer) => void, onError?: (e: Error) => void): () => Promise<void>;
  close(): Promise<void>;
}

/** The writing half, for controllers. */
export interface ConfigCenter extends PointerSource, AdoptionLog {
  /** Makes what the center needs (a table, say) if it is absent. Idempotent; several may call it at once. */
  prepare(): Promise<void>;
  /** Raises the claimed term of a group to `term`. False if a higher one is claimed already. Idempotent. */
  claim(group: string, term: number): Promise<boolean>;
  /** The term claimed for the group; 0 if none. */
  claimedTerm(group: string): Promise<number>;
  /**
   * One transaction: the epoch in the center is `expectedEpoch` (0: absent) AND the claimed term is `term`.
   * Publishing the same pointer twice is ok (idempotent); the same epoch with another content is 'foreign-content'.
   */
  publish(pointer: Pointer, guard: Readonly<{ expectedEpoch: number; term: number }>): Promise<PublishResult>;
  /** Writes and reads back a harmless value; rejects if the center does not take writes. */
  canary(): Promise<void>;
}
