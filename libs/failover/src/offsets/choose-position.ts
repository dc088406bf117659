import type { Confidence, Translation } from './translate.js';

/** What is known of one partition of a group when its place on the target is chosen. */
export type PositionKnowledge = Readonly<{
  upstream: number | null; // what the group would read next on the source
  translation: Translation | null; // of that, by the syncs
  checkpoint: Readonly<{ upstream: number; downstream: number }> | null; // MirrorMaker's last for this group
  held: number | null; // what the group has committed on the target now
  logStart: number;
  logEnd: number;
}>;

/** `syncs`: our translation. `mm2`: MirrorMaker's own checkpoint. `held`: what stood there, of unknown origin. */
export type PositionBy = 'syncs' | 'mm2' | 'held' | 'time' | 'earliest';
export type ChosenPosition = Readonly<{
  offset: number;
  by: PositionBy;
  confidence: Confidence;
  rereadAtMost: number | null; // null: nobody can tell
}>;

/**
 * The closest place that is safe. Ours by the syncs comes first, even below what stands there: MirrorMaker moves a group
 * only forwards, so its value survives a reset of the group, a topic made anew, and an accepted tail. MirrorMaker's is
 * taken where it is closer and ours does not contradict it, and where the syncs cannot tell. Else earliest, never latest.
 */
export function choosePosition(k: PositionKnowledge): ChosenPosition {
  const { translation } = k;
  const sure = translation !== null && (translation.confidence === 'EXACT' || translation.confidence === 'SAFE');
  if (sure) return closest(k, translation);
  const { checkpoint, held } = k;
  if (checkpoint !== null && inLog(k, checkpoint.downstream) && notAhead(k, checkpoint.upstream)) {
    return { offset: checkpoint.downstream, by: 'mm2', confidence: 'SAFE', rereadAtMost: null };
  }
  if (held !== null) {
    const offset = Math.min(Math.max(held, k.logStart), k.logEnd);
    return { offset, by: 'held', confidence: 'NONE', rereadAtMost: null };
  }
  if (translation !== null && translation.confidence === 'TIMESTAMP' && inLog(k, translation.offset)) {
    return { offset: translation.offset, by: 'time', confidence: 'TIMESTAMP', rereadAtMost: translation.rereadAtMost };
  }
  return { offset: k.logStart, by: 'earliest', confidence: 'NONE', rereadAtMost: k.logEnd - k.logStart };
}

function closest(k: PositionKnowledge, ours: Extract<Translation, { offset: number }>): ChosenPosition {
  const offset = Math.min(Math.max(ours.offset, k.logStart), k.logEnd);
  const reread = ours.rereadAtMost;
  const theirs = k.checkpoint;
  const closer = theirs !== null && theirs.downstream > offset && theirs.downstream <= k.logEnd;
  if (closer && notAhead(k, theirs.upstream) && (reread === null || theirs.downstream <= offset + reread)) {
    const left = reread === null ? null : reread - (theirs.downstream - offset);
    return { offset: theirs.downstream, by: 'mm2', confidence: 'SAFE', rereadAtMost: left };
  }
  return { offset, by: 'syncs', confidence: ours.confidence, rereadAtMost: reread };
}

const inLog = (k: PositionKnowledge, offset: number): boolean => offset >= k.logStart && offset <= k.logEnd;
/** A checkpoint made when the group had read further than it has now would skip what is between. */
const notAhead = (k: PositionKnowledge, upstream: number): boolean => k.upstream === null || upstream <= k.upstream;
