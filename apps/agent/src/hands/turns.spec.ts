import { describe, expect, it } from 'vitest';
import { Turns } from './turns.js';

describe('Turns', () => {
  it('starts the next only when the one before has ended, also badly; other keys do not wait', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const first = turns.take('x', async () => {
      await new Promise<void>((done) => (release = done));
      seen.push('first');
      throw new Error('ended badly');
    });
    const second = turns.take('x', () => Promise.resolve(seen.push('second')));
    await turns.take('y', () => Promise.resolve(seen.push('other')));
    release();
    await expect(first).rejects.toThrow('ended badly');
    await second;
    expect(seen).toEqual(['other', 'first', 'second']);
  });
});
