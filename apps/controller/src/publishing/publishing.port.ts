import type { ClientReport, ConfigCenter, Pointer, PublishResult } from '#config-center';

/** Claims, publications and the write canary over the config centers of a group; the first is authoritative. */
export interface Publishing {
  authoritative(group: string): ConfigCenter;
  /** The leader's claim on a group, once per term; throws if a higher term has claimed it. */
  claim(group: string, term: number): Promise<void>;
  publish(pointer: Pointer, guard: Readonly<{ expectedEpoch: number; term: number }>): Promise<PublishResult>;
  read(group: string): Promise<Pointer | null>;
  /** Writes a canary to the authoritative center now and remembers the outcome for {@link writable}; throws if it fails. */
  prove(group: string): Promise<void>;
  /** Age of the last good write canary (each 10 s on every controller) and the last error. */
  writable(group: string): Readonly<{ ageMs: number | null; error: string | null }>;
  /** What living clients of the wrapper said last; each follows the pointer of the authoritative center. */
  adoptions(group: string): Promise<readonly ClientReport[]>;
  /** Followers (not authoritative) that are behind the pointer. */
  behind(group: string): readonly string[];
}

export const PUBLISHING = Symbol('Publishing');

/** Another leader has claimed the group with a higher term: nothing was published, nothing may be. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';
  constructor(
    readonly group: string,
    readonly term: number,
    readonly claimedTerm: number,
  ) {
    super(`group ${group} is claimed by term ${claimedTerm}, which is above ${term}: another controller leads`);
  }
}
