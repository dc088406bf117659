/**
 * A model of a source log with gaps, and of MirrorMaker copying it: when it writes a sync, and what a task that died does.
 * The truth stands beside, so that an answer can be judged.
 */

export type MirrorStep =
  | Readonly<{ kind: 'record' }>
  | Readonly<{ kind: 'gap'; offsets: number }> // transaction marker, aborted or compacted records
  | Readonly<{ kind: 'commit' }> // MirrorMaker stores its position; delayed syncs go out
  | Readonly<{ kind: 'restart' }>; // it begins again behind the stored position

export type MirrorOptions = Readonly<{
  lagMax: number; // offset.lag.max
  targetMarkers: boolean; // exactly once: a marker on the target behind each commit
}>;

export type Mirrored = Readonly<{
  sourceEnd: number;
  copied: readonly number[]; // downstream offset → source offset; -1: no record there
  syncs: readonly (readonly [upstream: number, downstream: number])[];
  position: number; // N: last source offset copied, by the task that runs last
}>;

/** The whole source log is the steps' records and gaps; each restart copies again what was not stored. */
export function mirror(steps: readonly MirrorStep[], { lagMax, targetMarkers }: MirrorOptions): Mirrored {
  const records: number[] = []; // source offsets that hold data
  let sourceEnd = 0;
  let done = 0; // index into records of the next to copy
  let stored = 0;
  const copied: number[] = [];
  const syncs: [number, number][] = [];
  let lastSyncDown = -1;
  let previousUp = -1;
  let delayed: [number, number] | null = null;
  const copyAll = (): void => {
    while (done < records.length) {
      const up = records[done] ?? 0;
      const down = copied.length;
      copied.push(up);
      if (lastSyncDown === -1 || down - (lastSyncDown + 1) >= lagMax || up - previousUp !== 1) {
        lastSyncDown = down;
        delayed = null;
        syncs.push([up, down]);
      } else delayed = [up, down];
      previousUp = up;
      done += 1;
    }
  };
  let backlog: 'copy' | 'hold' = 'copy';
  for (const [i, step] of steps.entries()) {
    if (step.kind === 'record') records.push(sourceEnd++);
    else if (step.kind === 'gap') sourceEnd += step.offsets;
    else if (step.kind === 'commit') {
      stored = done;
      if (delayed !== null) syncs.push(delayed);
      delayed = null;
      if (targetMarkers && copied.at(-1) !== -1 && copied.length > 0) copied.push(-1);
    } else {
      done = stored;
      lastSyncDown = -1;
      previousUp = -1;
      delayed = null;
      backlog = i % 2 === 0 ? 'copy' : 'hold'; // a source that dies in the middle of the second copy
    }
    if (backlog === 'copy') copyAll();
    else if (done < records.length) {
      const whole = records.splice(done + 1); // one record a step
      copyAll();
      records.push(...whole);
      if (done === records.length) backlog = 'copy';
    }
  }
  return { sourceEnd, copied, syncs, position: done === 0 ? -1 : (records[done - 1] ?? -1) };
}

/** Source offsets at or above `wanted` of which no copy lies at or behind `resumed`. */
export function skipped(copied: readonly number[], wanted: number, resumed: number): readonly number[] {
  const read = new Set(copied.slice(resumed));
  return [...new Set(copied)].filter((source) => source >= wanted && !read.has(source));
}

export const readAgain = (copied: readonly number[], wanted: number, resumed: number): number =>
  copied.slice(resumed).filter((source) => source >= 0 && source < wanted).length;
