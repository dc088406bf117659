import type { SilentGap } from '../matrix/facts.js';
import { gapTexts } from '../matrix/gap-texts.js';
import { bad, some } from './finding.js';
import type { Finding, Sides } from './types.js';

const FIXES: Readonly<Record<SilentGap['kind'], string>> = {
  purged: 'they are missing on the standby for good: bring them there from a backup, or acknowledge it (pointsman ack)',
  recreated: 'delete the copy too, and let MirrorMaker begin anew; or acknowledge it (pointsman ack)',
  recopied:
    'consumers there would read them twice: find out how its offsets were lost, or acknowledge it (pointsman ack)',
};

/** Records that the copy lacks, or holds twice, without anybody having said so. */
export function gapLines({ forward }: Sides): readonly Finding[] {
  const gaps = forward?.gaps ?? [];
  const found = (Object.keys(FIXES) as SilentGap['kind'][]).flatMap((kind) =>
    gapTexts(gaps.filter((g) => g.kind === kind)).flatMap((what) => bad('warn', what, FIXES[kind])),
  );
  return [...aheadOfSource(forward?.perPartition ?? []), ...found];
}

/** The copy can never be ahead of its source: then the source was purged, made anew or cut, and offsets mean nothing. */
function aheadOfSource(lags: NonNullable<Sides['forward']>['perPartition']): readonly Finding[] {
  const gaps = lags.filter((p) => p.sourceEnd !== null && p.replicated !== null && p.replicated > p.sourceEnd);
  if (gaps.length === 0) return [];
  return bad(
    'blocker',
    `${gaps.length} partitions are replicated further than their source goes: ${some(gaps.map((p) => `${p.topic}-${p.partition}`))}`,
    'the source topic was made anew or cut: compare both, then seed the connector anew',
  );
}
