import { describe, expect, it } from 'vitest';
import { isInternalTopic, matchesPattern, topicMatcher } from './topic-pattern.js';

describe('topic patterns', () => {
  it.each([
    ['orders', 'orders', true],
    ['orders', 'orders-2', false],
    ['pay-*', 'pay-eu', true],
    ['pay-*', 'pay-', true],
    ['pay-*', 'repay-eu', false],
    ['*', 'anything', true],
    ['a.b', 'axb', false], // a literal, never a regular expression
  ])('%s on %s: %s', (pattern, topic, matches) => {
    expect(matchesPattern(pattern, topic)).toBe(matches);
    expect(topicMatcher([pattern])(topic)).toBe(matches);
  });

  it('knows topics that no group may hold', () => {
    expect(['__consumer_offsets', 'pointsman-canary', 'mm2-offset-syncs.a.internal', 'x'].map(isInternalTopic)).toEqual(
      [true, true, true, false],
    );
  });
});
