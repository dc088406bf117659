import type { Confidence, TranslateCommand, TranslatedOffset, TranslatedOutput } from '#failover';
import * as pb from './generated/pointsman/agent/v1/agent.js';
import { enumCodec, optionalAge, orNull, orUndefined } from './wire.js';

const naming = enumCodec<TranslateCommand['naming']>({
  identity: pb.Naming.NAMING_IDENTITY,
  default: pb.Naming.NAMING_DEFAULT,
});

const upstreamBy = enumCodec<TranslatedOffset['upstreamBy']>({
  committed: pb.UpstreamSource.UPSTREAM_SOURCE_COMMITTED,
  checkpoint: pb.UpstreamSource.UPSTREAM_SOURCE_CHECKPOINT,
});

const confidence = enumCodec<Confidence>({
  EXACT: pb.TranslationConfidence.TRANSLATION_CONFIDENCE_EXACT,
  SAFE: pb.TranslationConfidence.TRANSLATION_CONFIDENCE_SAFE,
  TIMESTAMP: pb.TranslationConfidence.TRANSLATION_CONFIDENCE_TIMESTAMP,
  NONE: pb.TranslationConfidence.TRANSLATION_CONFIDENCE_NONE,
});

export function translateToWire(b: TranslateCommand): pb.TranslateGroupOffsets {
  const { from, to, connectors, consumerGroups, topics, frozen } = b;
  return { from, to, connectors, naming: naming.toWire(b.naming) as pb.Naming, consumerGroups, topics, frozen };
}

export function translateFromWire(b: pb.TranslateGroupOffsets): TranslateCommand | null {
  const { from, to, connectors, consumerGroups, topics, frozen } = b;
  const policy = naming.fromWire(b.naming);
  if (connectors === undefined || policy === null) return null;
  return { kind: 'translate_group_offsets', from, to, connectors, naming: policy, consumerGroups, topics, frozen };
}

export const translatedToWire = ({ offsets, topics, syncs }: TranslatedOutput): pb.TranslatedOffsets => ({
  offsets: offsets.map(({ checkpoint, ...o }) => ({
    ...o,
    upstreamBy: upstreamBy.toWire(o.upstreamBy) as pb.UpstreamSource,
    upstreamAgeMs: orUndefined(o.upstreamAgeMs),
    offset: orUndefined(o.offset),
    confidence: confidence.toWire(o.confidence) as pb.TranslationConfidence,
    rereadAtMost: orUndefined(o.rereadAtMost),
    checkpointUpstream: checkpoint?.upstream,
    checkpointDownstream: checkpoint?.downstream,
  })),
  topics: topics.map((t) => ({ ...t, sourcePartitions: orUndefined(t.sourcePartitions) })),
  syncs: { ...syncs, readAgeMs: orUndefined(syncs.readAgeMs) },
});

/** An offset whose confidence or origin is not understood is left out: the group then resumes where it is, or at earliest. */
export function translatedFromWire({ offsets, topics, syncs }: pb.TranslatedOffsets): TranslatedOutput {
  return {
    kind: 'translated_offsets',
    offsets: offsets.flatMap((o) => offsetFromWire(o) ?? []),
    topics: topics.map((t) => ({ ...t, sourcePartitions: orNull(t.sourcePartitions) })),
    syncs: {
      noted: syncs?.noted ?? 0,
      pairs: syncs?.pairs ?? 0,
      readAgeMs: optionalAge(syncs?.readAgeMs),
      detail: syncs?.detail ?? '',
    },
  };
}

function offsetFromWire(o: pb.TranslatedOffset): TranslatedOffset | null {
  const by = upstreamBy.fromWire(o.upstreamBy);
  const sure = confidence.fromWire(o.confidence);
  if (by === null || sure === null) return null;
  const { checkpointUpstream, checkpointDownstream, ...rest } = o;
  const known = checkpointUpstream !== undefined && checkpointDownstream !== undefined;
  return {
    ...rest,
    upstreamBy: by,
    upstreamAgeMs: optionalAge(o.upstreamAgeMs),
    offset: orNull(o.offset),
    confidence: sure,
    rereadAtMost: orNull(o.rereadAtMost),
    checkpoint: known ? { upstream: checkpointUpstream, downstream: checkpointDownstream } : null,
  };
}
