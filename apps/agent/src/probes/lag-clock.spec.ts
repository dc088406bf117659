import { describe, expect, it } from 'vitest';
import { LagClock } from './lag-clock.js';

describe('LagClock', () => {
  it('is at zero while everything seen is copied', () => {
    const clock = new LagClock();
    expect(clock.note(100, 100, 0)).toBe(0);
    expect(clock.note(100, 100, 10_000)).toBe(0);
  });

  it('says how old the newest end is that the copy has reached, though it never catches up', () => {
    const clock = new LagClock();
    clock.note(100, 90, 0);
    clock.note(200, 150, 2_000); // reached 100, the end as it stood at 0
    expect(clock.note(300, 250, 4_000)).toBe(2_000); // reached 200, as it stood at 2 s
    expect(clock.note(400, 250, 6_000)).toBe(4_000); // stuck: grows with time
  });

  it('counts from the last moment without anything new, not from the last record', () => {
    const clock = new LagClock();
    clock.note(100, 100, 0);
    clock.note(100, 100, 60_000);
    expect(clock.note(101, 100, 61_000)).toBe(1_000);
  });

  it('knows nothing before any end was reached', () => {
    const clock = new LagClock();
    expect(clock.note(100, 10, 0)).toBeNull();
    expect(clock.note(200, 20, 2_000)).toBeNull();
  });

  it('never looks younger than the truth when its memory is full', () => {
    const clock = new LagClock();
    clock.note(0, 0, 0);
    for (let i = 1; i <= 200; i += 1) clock.note(i * 10, 0, i * 1_000);
    const lag = clock.note(2_010, 1_000, 201_000); // the end stood at 1,000 after 100 s
    expect(lag).toBeGreaterThanOrEqual(101_000);
  });

  it('starts anew when the source was made anew', () => {
    const clock = new LagClock();
    clock.note(1_000, 1_000, 0);
    expect(clock.note(5, 5, 2_000)).toBe(0);
  });
});
