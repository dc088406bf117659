import { describe, expect, it } from 'vitest';
import { type GroupRow, NEW_FLEET, newGroupRow } from '../persistence/authority-store.port.js';
import { HandWatch } from './hand-watch.js';

const HOUR_MS = 3_600_000;
const WALL = Date.parse('2026-11-21T10:00:00Z');
const at = (ms: number): string => new Date(ms).toISOString();

const row = (change: Partial<GroupRow>): GroupRow => ({ ...BLANK, ...change });
const BLANK: GroupRow = {
  ...newGroupRow({ name: 'orders', active: 'a', mode: 'auto' }),
  epoch: 4,
  reservedEpoch: 4,
};

describe('the ages that windows rest on (I4, I12)', () => {
  it('know a reload, and not the file that the process began with', () => {
    const watch = new HandWatch();
    const [first, second] = [{}, {}];
    expect(watch.reloadedMs('orders', first, 1_000)).toBeNull();
    expect(watch.reloadedMs('orders', first, 2_000)).toBeNull();
    expect(watch.reloadedMs('orders', second, 3_000)).toBe(0);
    expect(watch.reloadedMs('orders', second, 7_000)).toBe(4_000);
    expect(watch.reloadedMs('pay', first, 7_000)).toBeNull();
  });

  it('are null for what never happened', () => {
    const none = { modeChangedMs: null, unpausedMs: null, publishedSagaMs: null };
    expect(new HandWatch().ages(BLANK, NEW_FLEET, 5_000, WALL)).toEqual(none);
    expect(new HandWatch().ages(null, NEW_FLEET, 5_000, WALL)).toEqual(none);
  });

  it.each([-HOUR_MS, HOUR_MS])('do not change when the wall clock jumps by %d ms', (jumpMs) => {
    const watch = new HandWatch();
    const changed = row({ modeChangedAt: at(WALL), unpausedAt: at(WALL), lastPublishedSagaAt: at(WALL) });
    watch.ages(BLANK, NEW_FLEET, 1_000, WALL);
    watch.ages(changed, NEW_FLEET, 2_000, WALL);
    const ages = watch.ages(changed, NEW_FLEET, 5_000, WALL + jumpMs);
    expect(ages).toEqual({ modeChangedMs: 3_000, unpausedMs: 3_000, publishedSagaMs: 3_000 });
  });

  it('do not come from the wall clock of the controller that wrote the row', () => {
    const watch = new HandWatch();
    watch.ages(BLANK, NEW_FLEET, 1_000, WALL);
    expect(watch.ages(row({ unpausedAt: at(WALL - HOUR_MS) }), NEW_FLEET, 2_000, WALL).unpausedMs).toBe(0);
  });

  it('count from the first reading in a process that has just started: longer, never shorter', () => {
    const old = row({ modeChangedAt: at(WALL - HOUR_MS) });
    const watch = new HandWatch();
    expect(watch.ages(old, NEW_FLEET, 50_000, WALL).modeChangedMs).toBe(0);
    expect(watch.ages(old, NEW_FLEET, 70_000, WALL).modeChangedMs).toBe(20_000);
  });

  it('know for how long no saga was open, from the first reading on, and anew after each', () => {
    const watch = new HandWatch();
    const readings = [false, false, true, true, false, false];
    const ages = readings.map((open, i) => watch.noSagaMs('orders', open, 1_000 * i));
    expect(ages).toEqual([0, 1_000, null, null, 0, 1_000]);
    expect(watch.noSagaMs('pay', false, 9_000)).toBe(0);
  });

  it('start anew with each change', () => {
    const watch = new HandWatch();
    watch.ages(row({ unpausedAt: at(WALL) }), NEW_FLEET, 1_000, WALL);
    watch.ages(row({ unpausedAt: at(WALL + 1) }), NEW_FLEET, 9_000, WALL);
    expect(watch.ages(row({ unpausedAt: at(WALL + 1) }), NEW_FLEET, 9_500, WALL).unpausedMs).toBe(500);
  });

  it('begin with the reading that finds a pause over, however far the clock jumped past its end', () => {
    const watch = new HandWatch();
    const paused = row({ pause: { owner: 'kim', reason: 'work', at: at(WALL), expiresAt: at(WALL + 60_000) } });
    expect(watch.ages(paused, NEW_FLEET, 1_000, WALL).unpausedMs).toBeNull();
    expect(watch.ages(paused, NEW_FLEET, 2_000, WALL + HOUR_MS).unpausedMs).toBe(0);
    expect(watch.ages(paused, NEW_FLEET, 5_000, WALL + HOUR_MS).unpausedMs).toBe(3_000);
  });

  it('begin with the end of a pause of everything, by a person or by itself', () => {
    const watch = new HandWatch();
    const pause = { owner: 'kim', reason: 'work', at: at(WALL), expiresAt: at(WALL + 60_000) };
    expect(watch.ages(BLANK, { pause, unpausedAt: null }, 1_000, WALL).unpausedMs).toBeNull();
    expect(watch.ages(BLANK, { pause, unpausedAt: null }, 2_000, WALL + HOUR_MS).unpausedMs).toBe(0);
    expect(watch.ages(BLANK, { pause: null, unpausedAt: at(WALL) }, 9_000, WALL).unpausedMs).toBe(0);
    expect(watch.ages(BLANK, { pause: null, unpausedAt: at(WALL) }, 9_500, WALL).unpausedMs).toBe(500);
  });
});
