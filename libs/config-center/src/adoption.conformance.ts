import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AdoptionLog, type ClientReport, MAX_ADOPTIONS } from './adoption.js';

type Closable = AdoptionLog & Readonly<{ close(): Promise<void> }>;

export type AdoptionBench = Readonly<{ open(): Promise<Closable>; dispose(): Promise<void> }>;

let groups = 0;

/** Everything that the client log of a config center must keep. */
export function adoptionConformance(name: string, prepare: () => Promise<AdoptionBench>): void {
  describe(`client reports: ${name}`, () => {
    let bench: AdoptionBench;
    let opened: Closable[] = [];
    let group = '';
    const open = async () => {
      const log = await bench.open();
      opened.push(log);
      return log;
    };
    const report = (instance: string, more: Partial<ClientReport> = {}): ClientReport => ({
      version: 1,
      group,
      instance,
      kind: 'producer',
      name: 'shop',
      cluster: 'a',
      epoch: 1,
      mode: 'ACTIVE',
      state: 'following',
      warnings: [],
      ...more,
    });

    beforeAll(async () => {
      bench = await prepare();
    });
    afterAll(async () => bench?.dispose());
    afterEach(async () => {
      group = '';
      await Promise.all(opened.map((c) => c.close()));
      opened = [];
    });
    const fresh = () => {
      group = `clients-${process.pid}-${++groups}`;
    };

    it('shows to others what clients said last, each once, of this group only', async () => {
      fresh();
      const [one, two, reader] = [await open(), await open(), await open()];
      expect(await reader.adoptions(group)).toEqual([]);
      await one.report(report('i1'), 30_000);
      await two.report(report('i2', { kind: 'consumer', state: 'held', mode: 'HOLD', warnings: ['ÿ'] }), 30_000);
      await one.report(report('i1', { epoch: 7, cluster: 'b' }), 30_000);
      const other = { ...report('i1'), group: `${group}x` };
      await one.report(other, 30_000);
      expect((await reader.adoptions(group)).toSorted((x, y) => x.instance.localeCompare(y.instance))).toEqual([
        report('i1', { epoch: 7, cluster: 'b' }),
        report('i2', { kind: 'consumer', state: 'held', mode: 'HOLD', warnings: ['ÿ'] }),
      ]);
      expect(await reader.adoptions(other.group)).toEqual([other]);
    });

    it('forgets who withdraws, twice without complaint', async () => {
      fresh();
      const log = await open();
      await log.report(report('i1'), 30_000);
      await log.withdraw(group, 'i1');
      await log.withdraw(group, 'i1');
      expect(await log.adoptions(group)).toEqual([]);
    });

    it('forgets who is silent for the ttl, and keeps who goes on', async () => {
      fresh();
      const [dead, alive] = [await open(), await open()];
      await dead.report(report('dead'), 5_000);
      await alive.report(report('alive'), 30_000);
      await dead.close();
      await vi.waitFor(async () => expect((await alive.adoptions(group)).map((r) => r.instance)).toEqual(['alive']), {
        timeout: 20_000,
        interval: 250,
      });
      await alive.report(report('alive', { epoch: 2 }), 30_000);
      expect(await alive.adoptions(group)).toMatchObject([{ epoch: 2 }]);
    }, 30_000);

    it('takes many clients of one process', async () => {
      fresh();
      const log = await open();
      await Promise.all(Array.from({ length: 60 }, (_, i) => log.report(report(`i${i}`), 30_000)));
      const seen = await log.adoptions(group);
      expect(seen).toHaveLength(60);
      expect(seen.length).toBeLessThan(MAX_ADOPTIONS);
    });

    it('refuses what is no report', async () => {
      fresh();
      await expect((await open()).report(report('i1', { epoch: 0 }), 30_000)).rejects.toThrow(RangeError);
    });
  });
}
