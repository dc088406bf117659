import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TailCommand, TailOutput } from '#failover';
import { monotonicMs } from '#kafka';
import { TailJobs, type TailWork } from './tail-job.js';

const LEASE_MS = 600;
const BODY: TailCommand = {
  ...{ kind: 'replay_tail', from: 'a', to: 'b', ranges: [], since: [], strategy: 'last-write-wins', priority: [] },
};
const OTHER: TailCommand = { ...BODY, strategy: 'source-priority', priority: ['a'] };
const EXPORT: TailCommand = { kind: 'export_tail', from: 'a', to: 'b', ranges: [], destination: 'topic' };
const LEFT_MS = 0; // answers at once

/** Writes whenever the test says so. */
class Writing {
  written = 0;
  begun = 0;
  #next: () => void = () => undefined;
  make = (): TailWork => {
    this.begun += 1;
    return {
      progress: (): TailOutput => ({
        kind: 'tail_replay',
        progress: { finished: false, done: this.written, total: 9 },
        ...{ written: this.written, merged: 0, kept: 0, present: 0 },
      }),
      run: async (signal, mustBeAsked) => {
        for (;;) {
          await new Promise<void>((resolve, reject) => {
            this.#next = resolve;
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          });
          mustBeAsked();
          this.written += 1;
        }
      },
    };
  };
  async write(): Promise<void> {
    this.#next();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The first one fails when the test says so, the others run on. */
class Failing {
  begun = 0;
  fail: () => void = () => undefined;
  make = (): TailWork => {
    this.begun += 1;
    const first = this.begun === 1;
    const run = (): Promise<void> =>
      new Promise((_, reject) => {
        if (first) this.fail = () => reject(new Error('no room'));
      });
    return { ...new Writing().make(), run };
  };
}
const passed = async (ms: number): Promise<void> => {
  const untilMs = monotonicMs() + ms;
  await vi.waitFor(() => expect(monotonicMs()).toBeGreaterThan(untilMs), { timeout: 5_000, interval: 10 });
};

describe('work that nobody asks about any more', () => {
  it('writes nothing more, tells the next who asks, and is begun anew by the one after', async () => {
    const jobs = new TailJobs({ leaseMs: LEASE_MS });
    const writing = new Writing();
    const ask = () => jobs.ask('orders', BODY, () => LEFT_MS, writing.make);
    await ask();
    await writing.write();
    expect(writing.written).toBe(1);
    await passed(LEASE_MS);
    expect(await ask()).toMatchObject({ progress: { done: 1 } }); // too late to renew: it has not ended yet
    await writing.write();
    expect(writing.written).toBe(1);
    await expect(ask()).rejects.toThrow('nobody asked');
    await ask();
    expect(writing.begun).toBe(2);
    jobs.close();
  });

  it('that failed is begun anew once, however many waited for it', async () => {
    const jobs = new TailJobs({ leaseMs: LEASE_MS });
    const failing = new Failing();
    const ask = (leftMs: number) => jobs.ask('orders', BODY, () => leftMs, failing.make);
    const begunAnew = async (): Promise<void> => {
      await expect(ask(60_000)).rejects.toThrow('no room');
      await ask(LEFT_MS);
    };
    const both = [begunAnew(), begunAnew()];
    failing.fail();
    await Promise.all(both);
    expect(failing.begun).toBe(2);
    jobs.close();
  });

  it('goes on for as long as it is asked about', async () => {
    const jobs = new TailJobs({ leaseMs: LEASE_MS });
    const writing = new Writing();
    for (let i = 1; i <= 4; i++) {
      await jobs.ask('orders', BODY, () => LEFT_MS, writing.make);
      await passed(LEASE_MS / 2);
      await writing.write();
      expect(writing.written).toBe(i);
    }
    jobs.close();
  });
});

describe('work that writes where other work is writing', () => {
  let jobs: TailJobs;
  let first: Writing;
  let second: Writing;
  const ask = (body: TailCommand, of: Writing, group = 'orders') => jobs.ask(group, body, () => LEFT_MS, of.make);
  beforeEach(async () => {
    jobs = new TailJobs({ leaseMs: LEASE_MS });
    [first, second] = [new Writing(), new Writing()];
    await ask(BODY, first);
  });
  afterEach(() => jobs.close());

  it('is refused and says until when, and the work that was there goes on', async () => {
    await expect(ask(OTHER, second)).rejects.toThrow(/another replay_tail to b for orders is at work.*abort.*wait/);
    expect(second.begun).toBe(0);
    await first.write();
    expect(await ask(BODY, second)).toMatchObject({ written: 1 }); // an equal question joins it
    expect(second.begun).toBe(0);
  });

  it('is refused also where it comes from another cluster', async () => {
    await expect(ask({ ...OTHER, from: 'c' }, second)).rejects.toThrow('another replay_tail');
  });

  it.each([
    ['for another group', BODY, 'billing'],
    ['to another cluster', { ...OTHER, to: 'c' }, 'orders'],
    ['to the quarantine topic', EXPORT, 'orders'],
    ['to a file', { ...EXPORT, destination: 'file' }, 'orders'],
  ] as const)('begins at once %s', async (_, body, group) => {
    await ask(body, second, group);
    expect(second.begun).toBe(1);
  });

  it('begins once the work that was there has ended', async () => {
    await passed(LEASE_MS);
    await first.write(); // finds out that nobody asks any more
    await ask(OTHER, second);
    expect(second.begun).toBe(1);
  });

  it('ends what nobody asks about any more, and begins with a later question', async () => {
    await passed(LEASE_MS);
    await expect(ask(OTHER, second)).rejects.toThrow('another replay_tail'); // it has been told to stop only now
    await ask(OTHER, second);
    expect(second.begun).toBe(1);
    await first.write();
    expect(first.written).toBe(0);
  });
});
