import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AdoptionReporter } from './adoption-reporter.js';
import { pointerTo } from './scripted-stage.spec-helper.js';

const CLIENTS = 10; // more than are reported at once

/** Virtual time: what is bounded must end within its bound, on any machine. */
describe('the adoption reporter, closed while the center swallows everything', () => {
  let reporter: AdoptionReporter;
  let answer: () => void;
  let reported: string[];
  let withdrawn: string[];
  let failures: Error[];

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    [reported, withdrawn, failures] = [[], [], []];
    const answered = new Promise<void>((resolve) => (answer = resolve));
    reporter = new AdoptionReporter({
      log: {
        report: async ({ instance }) => {
          reported.push(instance);
          await answered;
        },
        withdraw: async (_group, instance) => void withdrawn.push(instance),
        adoptions: async () => [],
      },
      group: 'orders',
      ttlMs: 30_000,
      current: () => pointerTo('a', 4),
      mode: () => 'ACTIVE',
      failed: (e) => failures.push(e),
    });
    const gone = Array.from({ length: CLIENTS }, (_, i) =>
      reporter.add('producer', `shop-${i}`, [], () => ({ cluster: 'a', epoch: 4, state: 'following' })),
    );
    await vi.advanceTimersByTimeAsync(1_000);
    for (const leave of gone) leave();
  });
  afterEach(() => vi.useRealTimers());

  const closing = () => {
    const state = { ended: false };
    void reporter.close().then(() => (state.ended = true));
    return state;
  };

  it('ends after two seconds, and begins nothing afterwards', async () => {
    const close = closing();
    await vi.advanceTimersByTimeAsync(1_900);
    expect(close.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(close.ended).toBe(true);
    answer();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reported).toHaveLength(8);
    expect(withdrawn).toEqual([]);
    expect(failures).toEqual([]);
  });

  it('does not go on with its round, and takes back what the center has taken', async () => {
    const close = closing();
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(close.ended).toBe(true);
    expect(reported).toHaveLength(8);
    expect(withdrawn.toSorted()).toEqual(reported.toSorted());
  });
});
