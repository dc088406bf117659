import { describe, expect, it } from 'vitest';
import type { GoalStatus } from '#failover';
import { GoalTurns } from './goal-turns.js';

const KEY = 'orders/cluster/a';
const status = (observed: GoalStatus['observed']): GoalStatus => ({
  ...{ key: KEY, wanted: 'fenced', observed, reached: observed === 'fenced', epoch: 8, term: 3, ageMs: 0 },
  ...{ detail: 'read', previous: {} },
});
const read = (observed: GoalStatus['observed'] = 'fenced') => Promise.resolve(status(observed));

describe('GoalTurns', () => {
  it('says the status at once, and lets the next effect begin only when the record is written', async () => {
    const turns = new GoalTurns();
    const notes: string[] = [];
    let written: () => void = () => undefined;
    const record = async (): Promise<void> => {
      await new Promise<void>((resolve) => (written = resolve));
      notes.push('recorded');
    };
    expect(await turns.apply(KEY, () => read(), record)).toMatchObject({ reached: true, detail: 'read' });
    const next = turns.apply(
      KEY,
      () => {
        notes.push('next effect');
        return read();
      },
      () => Promise.resolve(),
    );
    written();
    await next;
    expect(notes).toEqual(['recorded', 'next effect']);
  });

  it('says with the next status why the record failed, until it does not', async () => {
    const turns = new GoalTurns();
    const fails = (): Promise<void> => Promise.reject(new Error('no leader'));
    const works = (): Promise<void> => Promise.resolve();
    expect((await turns.apply(KEY, () => read(), fails)).detail).toBe('read');
    expect((await turns.apply(KEY, () => read(), works)).detail).toBe('read; epoch not recorded: no leader');
    expect((await turns.apply(KEY, () => read(), works)).detail).toBe('read');
  });

  it('records nothing behind a subject that could not be read, and throws what the effect threw', async () => {
    const turns = new GoalTurns();
    const never = (): Promise<void> => Promise.reject(new Error('recorded'));
    await turns.apply(KEY, () => read('unknown'), never);
    expect((await turns.apply(KEY, () => read('unknown'), never)).detail).toBe('read');
    await expect(turns.apply(KEY, () => Promise.reject(new Error('a defect')), never)).rejects.toThrow('a defect');
  });
});
