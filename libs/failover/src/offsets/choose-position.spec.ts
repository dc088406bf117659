import { describe, expect, it } from 'vitest';
import { choosePosition, type PositionKnowledge } from './choose-position.js';

const knowing = (over: Partial<PositionKnowledge>): PositionKnowledge => ({
  upstream: 500,
  translation: null,
  checkpoint: null,
  held: null,
  logStart: 10,
  logEnd: 1_000,
  ...over,
});
const safe = (offset: number, rereadAtMost: number) => ({ confidence: 'SAFE', offset, rereadAtMost }) as const;

describe('where a group resumes', () => {
  it('is where the syncs say, even below what it holds: MirrorMaker never moves a group back', () => {
    const translation = { confidence: 'EXACT', offset: 480, rereadAtMost: 0 } as const;
    expect(choosePosition(knowing({ translation, held: 700, checkpoint: { upstream: 720, downstream: 700 } }))).toEqual(
      {
        offset: 480,
        by: 'syncs',
        confidence: 'EXACT',
        rereadAtMost: 0,
      },
    );
  });

  it('is MirrorMaker’s where that is closer and the syncs do not contradict it', () => {
    const translation = safe(400, 90);
    expect(choosePosition(knowing({ translation, checkpoint: { upstream: 495, downstream: 470 } }))).toMatchObject({
      offset: 470,
      by: 'mm2',
      rereadAtMost: 20,
    });
    // Beyond what the syncs allow: a checkpoint of a topic that was made anew since.
    expect(choosePosition(knowing({ translation, checkpoint: { upstream: 495, downstream: 900 } }))).toMatchObject({
      offset: 400,
    });
    // Made when the group had read further than now.
    expect(choosePosition(knowing({ translation, checkpoint: { upstream: 501, downstream: 470 } }))).toMatchObject({
      offset: 400,
    });
  });

  it('falls to the checkpoint, to what it holds, to the time, to earliest', () => {
    const none = { confidence: 'NONE', offset: null, rereadAtMost: null } as const;
    const checkpoint = { upstream: 500, downstream: 450 };
    const timed = { confidence: 'TIMESTAMP', offset: 440, rereadAtMost: null } as const;
    expect(choosePosition(knowing({ translation: none, checkpoint, held: 450 }))).toMatchObject({
      offset: 450,
      by: 'mm2',
    });
    expect(choosePosition(knowing({ translation: none, held: 450 }))).toMatchObject({ offset: 450, by: 'held' });
    expect(choosePosition(knowing({ translation: timed }))).toMatchObject({
      offset: 440,
      by: 'time',
      confidence: 'TIMESTAMP',
    });
    expect(choosePosition(knowing({ translation: none, upstream: null }))).toEqual({
      offset: 10,
      by: 'earliest',
      confidence: 'NONE',
      rereadAtMost: 990,
    });
  });

  it('stays inside the log', () => {
    expect(choosePosition(knowing({ held: 1_001 }))).toMatchObject({ offset: 1_000, by: 'held', confidence: 'NONE' });
    expect(choosePosition(knowing({ held: 3, checkpoint: { upstream: 1, downstream: 2 } }))).toMatchObject({
      offset: 10,
      by: 'held',
    });
    expect(choosePosition(knowing({ translation: safe(1_400, 3) }))).toMatchObject({ offset: 1_000 });
  });
});
