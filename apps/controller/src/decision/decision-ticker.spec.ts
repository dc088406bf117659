import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decide, defaultPolicy, sampleSnapshot } from '#failover';
import { DecisionTicker } from './decision-ticker.js';

type Parts = ConstructorParameters<typeof DecisionTicker>;

const TICK_MS = 250;

/** Only what a tick of one calm group asks of its neighbours. */
function tickerOf(leading: boolean) {
  const asked: string[] = [];
  const closed = vi.fn<() => void>();
  const snapshot = sampleSnapshot();
  const decision = decide(snapshot, defaultPolicy);
  const group = { name: snapshot.group.name, policy: defaultPolicy };
  const parts = {
    config: { tickMs: TICK_MS, groups: [group] },
    evaluator: { tick: () => ({ snapshot, decision }) },
    recorder: { idle: async () => undefined },
    leadership: { current: () => ({ leading }) },
    sagas: {
      open: () => null,
      fenceStandbys: async () => undefined,
      dropReached: async (name: string) => void asked.push(name),
    },
    keeper: { carryOut: async () => undefined },
    incidents: { closeRemoved: async () => closed() },
    leases: { issue: () => undefined },
    logger: { error: (of: object) => expect(of).toBeUndefined() },
  };
  const { config, evaluator, recorder, leadership, sagas, keeper, incidents, leases, logger } = parts;
  const all = [config, evaluator, recorder, leadership, sagas, keeper, keeper, incidents, leases, logger];
  return { asked, closed, group: group.name, ticker: new DecisionTicker(...(all as unknown as Parts)) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('each tick of a calm group', () => {
  it.each([
    ['of the leader ends goals that hold only until they are reached', true, 2],
    ['of any other controller acts on nothing', false, 0],
  ])('%s', async (_name, leading, times) => {
    const { ticker, asked, group } = tickerOf(leading);
    ticker.onApplicationBootstrap();
    await vi.advanceTimersByTimeAsync(2 * TICK_MS);
    await ticker.onApplicationShutdown();
    expect(asked).toEqual(Array.from({ length: times }, () => group));
  });
});

describe('each tick of a fleet', () => {
  it.each([
    ['of the leader ends the stories of groups that were removed', true, 2],
    ['of any other controller ends none', false, 0],
  ])('%s', async (_name, leading, times) => {
    const { ticker, closed } = tickerOf(leading);
    ticker.onApplicationBootstrap();
    await vi.advanceTimersByTimeAsync(2 * TICK_MS);
    await ticker.onApplicationShutdown();
    expect(closed).toHaveBeenCalledTimes(times);
  });
});
