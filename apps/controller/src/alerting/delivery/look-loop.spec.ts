import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LookLoop } from './look-loop.js';

const EVERY_MS = 1_000;

let begun: number[];
let tookMs: number;
let loop: LookLoop;
let began: number;

beforeEach(() => {
  vi.useFakeTimers();
  began = performance.now();
  begun = [];
  tookMs = 10;
  loop = new LookLoop(async () => {
    begun.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, tookMs));
  }, EVERY_MS);
});
afterEach(async () => {
  const closed = loop.close();
  await vi.runAllTimersAsync();
  await closed;
  vi.useRealTimers();
});

it('looks at its interval, and at once when something new is there', async () => {
  loop.now();
  await vi.advanceTimersByTimeAsync(1_500);
  expect(begun).toEqual([0, 1_010]);
  loop.now();
  expect(begun).toEqual([0, 1_010, 1_500]);
});

it('never runs twice at a time: what is asked for meanwhile comes right after', async () => {
  loop.now();
  for (let asked = 0; asked < 3; asked += 1) loop.now();
  await vi.advanceTimersByTimeAsync(15);
  expect(begun).toEqual([0, 10]);
});

it('rests after a long look, however often it is asked to look soon, and still heeds what is new', async () => {
  tookMs = 100;
  loop.now();
  loop.soon();
  await vi.advanceTimersByTimeAsync(150);
  for (let asked = 0; asked < 3; asked += 1) loop.soon();
  await vi.advanceTimersByTimeAsync(349);
  expect(begun).toEqual([0]);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual([0, 500]);
  await vi.advanceTimersByTimeAsync(150);
  loop.now();
  expect(begun).toEqual([0, 500, 650]);
});

it('begins nothing once it is closed', async () => {
  loop.now();
  const closed = loop.close();
  await vi.advanceTimersByTimeAsync(5_000);
  await closed;
  loop.now();
  loop.soon();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(begun).toEqual([0]);
});
