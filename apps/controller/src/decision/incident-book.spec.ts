import { describe, expect, it } from 'vitest';
import { IncidentBook } from './incident-book.js';

describe('IncidentBook', () => {
  it('keeps suspicion, hold and act of one story under one name', () => {
    const book = new IncidentBook();
    const { incident } = book.assert('orders', 7, 'suspected', 1_000);
    expect(book.assert('orders', 7, 'held', 9_000).incident).toBe(incident);
    expect(book.current('orders', 7, 'completed')).toBe(incident);
  });

  it('opens a new incident only after the family was quiet for 30 s', () => {
    const book = new IncidentBook();
    const first = book.assert('orders', 7, 'suspected', 0);
    expect(book.assert('orders', 7, 'suspected', 30_000)).toEqual({ incident: first.incident, fresh: false });
    const second = book.assert('orders', 7, 'suspected', 60_001);
    expect(second.fresh).toBe(true);
    expect(second.incident).not.toBe(first.incident);
  });

  it('tells families, groups and epochs apart', () => {
    const book = new IncidentBook();
    const names = [
      book.assert('orders', 7, 'suspected', 0),
      book.assert('orders', 7, 'blind', 0),
      book.assert('orders', 8, 'suspected', 0),
      book.assert('pay', 7, 'suspected', 0),
    ].map((a) => a.incident);
    expect(new Set(names).size).toBe(4);
  });

  it('goes on, on another controller, with the story and the numbers that the store holds', () => {
    const leader = new IncidentBook();
    leader.assert('orders', 7, 'suspected', 0);
    const running = leader.assert('orders', 7, 'suspected', 100_000).incident;
    const successor = new IncidentBook();
    successor.seen(running, true, 5_000);
    expect(successor.assert('orders', 7, 'held', 6_000).incident).toBe(running);
    expect(successor.assert('orders', 7, 'suspected', 200_000).incident).not.toBe(running);
  });
});

it('never takes up a story that is over, however soon after a restart it is asserted again', () => {
  const book = new IncidentBook();
  book.seen('orders-7-link_cut-1', false, 1_000);
  expect(book.assert('orders', 7, 'link_cut', 1_500).incident).toBe('orders-7-link_cut-2');
});

it('takes up a story whose row was read after its event', () => {
  const book = new IncidentBook();
  book.seen('orders-7-link_cut-2', false, 1_000);
  book.seen('orders-7-link_cut-2', true, 1_500);
  expect(book.assert('orders', 7, 'link_cut', 2_000).incident).toBe('orders-7-link_cut-2');
});

it('of a controller that only follows: a running story stays warm, and none is opened', () => {
  const book = new IncidentBook();
  book.touch('orders', 7, 'suspected', 0);
  expect(book.current('orders', 7, 'suspected')).toBe('orders-7-failover-1');
  book.seen('orders-7-failover-2', true, 1_000);
  for (let at = 1_000; at <= 120_000; at += 500) book.touch('orders', 7, 'suspected', at);
  expect(book.assert('orders', 7, 'suspected', 121_000).incident).toBe('orders-7-failover-2');
  book.touch('orders', 7, 'suspected', 200_000); // quiet for too long: that story is over
  expect(book.assert('orders', 7, 'suspected', 200_500).incident).toBe('orders-7-failover-3');
});

it('forgets the oldest stories, so that it does not grow for ever', () => {
  const book = new IncidentBook();
  for (let i = 0; i < 3; i++) book.assert('orders', 1, 'suspected', i * 100_000);
  for (let epoch = 2; epoch < 2_500; epoch++) book.assert('orders', epoch, 'suspected', 0);
  expect(book.current('orders', 1, 'suspected')).toBe('orders-1-failover-1');
  expect(book.current('orders', 2_499, 'suspected')).toBe('orders-2499-failover-1');
});
