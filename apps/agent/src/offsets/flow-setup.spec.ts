import { describe, expect, it } from 'vitest';
import type { WatchGroup } from '#failover';
import { followedFlows, isWayBack } from './flow-setup.js';

const group = (name: string): WatchGroup => ({
  ...{ name, clusters: ['a', 'b'], topics: [], consumerGroups: [], principals: [], active: 'a', epoch: 1 },
  flows: [
    { from: 'a', to: 'b', naming: 'identity', connectors: connectors(`${name}-there`) },
    { from: 'b', to: 'a', naming: 'identity', connectors: connectors(`${name}-back`) },
  ],
});
const connectors = (source: string) => ({ source, checkpoint: `${source}-cp`, heartbeat: `${source}-hb` });

describe('the way back of a flow', () => {
  it('is the same group’s, where another has flows between the same clusters too', () => {
    const flows = followedFlows([group('bills'), group('orders')]);
    const back = (source: string): string[] => {
      const of = flows.find((f) => f.source === source)!;
      return flows.filter((f) => isWayBack(f, of)).map((f) => f.source);
    };
    expect(back('orders-there')).toEqual(['orders-back']);
    expect(back('bills-back')).toEqual(['bills-there']);
  });
});
