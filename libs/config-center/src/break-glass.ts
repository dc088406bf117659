import type { Pointer } from './pointer.js';

/** How a pointer that a person published past every controller names its act, where others name their saga. */
const PREFIX = 'break-glass:';

/**
 * Epochs left out below a break-glass publication. The store, which alone knows the highest reserved epoch, may be down; no
 * installation reserves so many without publishing one, so the pointer lies above all of them.
 */
const EPOCH_JUMP = 1_000;

export type BreakGlassAct = Readonly<{
  id: string;
  target: string;
  bootstrapServers: readonly string[];
  at: string; // RFC 3339 UTC
}>;

/** The id of the break-glass act that published this pointer; null: a saga, or the act that created the group. */
export const breakGlassId = ({ sagaId }: Pointer): string | null =>
  sagaId?.startsWith(PREFIX) === true ? sagaId.slice(PREFIX.length) : null;

/**
 * What break-glass publishes over `current`. Its term is one above the claimed one, as a new leader's would be: a leader that
 * still lives is refused from the moment of the claim on, and hears that it was overtaken.
 */
export function breakGlassPointer(current: Pointer, claimedTerm: number, act: BreakGlassAct): Pointer {
  return {
    version: 1,
    group: current.group,
    activeCluster: act.target,
    mode: 'ACTIVE',
    epoch: current.epoch + EPOCH_JUMP,
    term: Math.max(current.term, claimedTerm) + 1,
    sagaId: `${PREFIX}${act.id}`,
    bootstrapServers: act.bootstrapServers,
    publishedAt: act.at,
  };
}
