import { describe, expect, it } from 'vitest';
import { hasFailed, TaskRestarts } from './task-restarts.js';

const MINUTE_MS = 60_000;
const task = (id: number, state: string) => ({ id, state, trace: null });
const status = (state: string, tasks: readonly ReturnType<typeof task>[]) => ({
  name: 'src',
  state,
  worker: 'w',
  trace: null,
  tasks,
});

describe('restarts of failed tasks', () => {
  it('come after pauses that double, and end', () => {
    const restarts = new TaskRestarts();
    const atMs: number[] = [];
    for (let now = 0; now <= 60 * MINUTE_MS; now += 1_000) if (restarts.take('src', now) === null) atMs.push(now);
    expect(atMs).toEqual([0, 10, 30, 70, 150, 310, 610, 910].map((s) => s * 1_000));
  });

  it('say how many they were, and at last that a person must look', () => {
    const restarts = new TaskRestarts();
    expect(restarts.take('src', 0)).toBeNull();
    expect(restarts.take('src', 5_000)).toBe('restarted 1 of 8 times');
    for (let now = 10_000; now <= 910_000; now += 1_000) restarts.take('src', now);
    expect(restarts.take('src', 911_000)).toContain('by hand');
    expect(restarts.take('other', 911_000)).toBeNull();
  });

  it('count anew for a connector that ran well for ten minutes', () => {
    const restarts = new TaskRestarts();
    restarts.take('src', 0);
    expect(restarts.take('src', 10 * MINUTE_MS)).toBeNull();
    expect(restarts.take('src', 10 * MINUTE_MS + 10_000)).toBeNull(); // the first pause again
  });
});

describe('what failed', () => {
  it('is a task of a running connector, or the connector itself; a stopped one has nothing to restart', () => {
    expect(hasFailed(status('RUNNING', [task(0, 'RUNNING')]))).toBe(false);
    expect(hasFailed(status('RUNNING', [task(0, 'RUNNING'), task(1, 'FAILED')]))).toBe(true);
    expect(hasFailed(status('FAILED', []))).toBe(true);
    expect(hasFailed(status('STOPPED', [task(0, 'FAILED')]))).toBe(false);
  });
});
