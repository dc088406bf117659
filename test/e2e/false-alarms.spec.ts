import { describe, expect, it } from 'vitest';
import type { LabIdc } from '#lab';
import { LONGER_THAN_EVERY_WINDOW_MS, staysFor } from './support/hold.js';
import { type Stage, TOPIC, useStage } from './support/stage.js';
import { flowStates, isFenced } from './support/world.js';

const SETTLED_MS = 45_000;

/** One installation under which Kafka is well all the time: whatever happens round it, traffic stays. */
describe('nothing moves', () => {
  const stage = useStage();

  /** Longer than every window: the pointer stays, no saga opens, nothing is fenced, no flow changes. */
  async function nothingMoves(
    check: () => Promise<string | undefined> = () => Promise.resolve(undefined),
  ): Promise<void> {
    await staysFor(
      'nothing moves',
      LONGER_THAN_EVERY_WINDOW_MS,
      async () => (await stage().moved()) ?? (await check()),
    );
  }

  async function nothingMoved(): Promise<void> {
    const { lab } = stage();
    await stage().installation.waitForSteady(SETTLED_MS);
    expect(await stage().moved()).toBeUndefined();
    expect(await stage().sagas('c')).toEqual([]);
    expect(await isFenced(lab, 'a', TOPIC)).toBe(false);
    expect(await flowStates(lab, 'a', 'b')).toEqual(['RUNNING', 'RUNNING']);
    expect(await flowStates(lab, 'b', 'a')).toEqual(['STOPPED', 'STOPPED']);
    expect(
      stage()
        .alertTypes()
        .filter((type) => ACTS.includes(type)),
    ).toEqual([]);
  }

  it('when the link between a and b is cut: 300 on b and c, 610 or 700 on the leader in a', async () => {
    const { lab, installation } = stage();
    await lab.cut('a', 'b');
    await installation.waitForGroup(
      'row 300 on b and c, 610 or 700 on a',
      (group, idc) => rowsUnderCut[idc].includes(group.row ?? 0),
      { timeoutMs: 20_000 },
    );
    await nothingMoves(() => unexpectedRows(stage(), rowsUnderCut));
    await lab.heal('a', 'b');
    await nothingMoved();
  });

  it('when the agent beside the active cluster is killed', async () => {
    const { lab } = stage();
    await lab.kill({ process: 'agent-a' });
    await nothingMoves();
    await lab.start({ process: 'agent-a' });
    await nothingMoved();
  });

  it('when the agent beside the active cluster is frozen', async () => {
    const { lab } = stage();
    await lab.freeze({ process: 'agent-a' });
    await nothingMoves();
    await lab.thaw({ process: 'agent-a' });
    await nothingMoved();
  });

  it('when two of three observers are silent: blind', async () => {
    const { lab, installation } = stage();
    await Promise.all([lab.freeze({ process: 'agent-a' }), lab.freeze({ process: 'agent-c' })]);
    await installation.waitForGroup('row 120', (group) => group.row === 120, { timeoutMs: 20_000 });
    await nothingMoves(() => unexpectedRows(stage(), { a: [120], b: [120], c: [120] }));
    await Promise.all([lab.thaw({ process: 'agent-a' }), lab.thaw({ process: 'agent-c' })]);
    await nothingMoved();
    expect(stage().alertTypes()).toContain('blind');
  });
});

/** Alerts of a group that believes that it must move. */
const ACTS: readonly string[] = ['suspected', 'acting', 'completed', 'compensated'];

/** The leader stands in a and sees b through the cut only: for it b is the one in doubt. */
const rowsUnderCut: Readonly<Record<LabIdc, readonly number[]>> = { a: [610, 700], b: [300], c: [300] };

async function unexpectedRows(
  stage: Stage,
  expected: Readonly<Record<LabIdc, readonly number[]>>,
): Promise<string | undefined> {
  const rows = await stage.rows();
  const wrong = (['a', 'b', 'c'] as const).filter((idc) => !expected[idc].includes(rows[idc] ?? 0));
  return wrong.length === 0 ? undefined : `rows ${JSON.stringify(rows)}`;
}
