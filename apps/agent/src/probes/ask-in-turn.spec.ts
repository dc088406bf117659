import { describe, expect, it } from 'vitest';
import type { Answer } from '#kafka';
import { askInTurn } from './ask-in-turn.js';

const good = (value: number): Answer<number> => ({ ok: true, value, latencyMs: 1 });
const bad: Answer<number> = { ok: false, kind: 'refused', errorCode: null, detail: 'no', latencyMs: 1 };
const silence = (deadlineMs: number): Promise<Answer<number>> =>
  new Promise((done) => setTimeout(() => done({ ...bad, kind: 'deadline' }), deadlineMs));

describe('askInTurn', () => {
  it('asks one when one answers', async () => {
    const asked: string[] = [];
    const found = await askInTurn(['x', 'y'], (a) => (asked.push(a), Promise.resolve(good(1))), 300);
    expect(found).toMatchObject({ address: 'x', answer: { value: 1 } });
    expect(asked).toEqual(['x']);
  });

  it('asks the next at once when one fails, and after a third of the deadline when one is silent', async () => {
    const startedAt = performance.now();
    const found = await askInTurn(
      ['refuses', 'silent', 'lives'],
      (a, ms) => (a === 'lives' ? Promise.resolve(good(3)) : a === 'silent' ? silence(ms) : Promise.resolve(bad)),
      3_000,
    );
    expect(found?.address).toBe('lives');
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  it('ends with the deadline when nobody answers, and asks no more than three', async () => {
    const asked: string[] = [];
    const startedAt = performance.now();
    const found = await askInTurn(['a', 'b', 'c', 'd'], (a, ms) => (asked.push(a), silence(ms)), 150);
    expect(found?.answer.ok).toBe(false);
    expect(asked).toEqual(['a', 'b', 'c']);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await askInTurn([], () => silence(1), 10)).toBeNull();
  });
});
