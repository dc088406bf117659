import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ConfigCenter, Pointer } from './port.js';

/** One real or pretended server. Each `open` is a further, independent connection to the same content. */
export type ConfigCenterBench = Readonly<{
  open(): Promise<ConfigCenter>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends everything that was begun for the bench. */
  dispose(): Promise<void>;
}>;

let groups = 0;
const newGroup = () => `orders-${process.pid}-${++groups}`;

export function aPointer(group: string, epoch: number, term: number, more: Partial<Pointer> = {}): Pointer {
  return {
    version: 1,
    group,
    activeCluster: 'a',
    mode: 'ACTIVE',
    epoch,
    term,
    sagaId: epoch === 1 ? null : `saga-${epoch}`,
    bootstrapServers: ['127.0.0.1:9092'],
    publishedAt: '2026-11-20T14:02:31Z',
    ...more,
  };
}

/** Everything that an adapter must keep, whatever lies underneath. `restartable`: stop and start keep the content. */
export function configCenterConformance(name: string, prepare: () => Promise<ConfigCenterBench>): void {
  describe(`config center: ${name}`, () => {
    let bench: ConfigCenterBench;
    let opened: ConfigCenter[] = [];
    const open = async () => {
      const center = await bench.open();
      opened.push(center);
      return center;
    };

    beforeAll(async () => {
      bench = await prepare();
    });
    afterAll(async () => bench?.dispose());
    afterEach(async () => {
      await Promise.all(opened.map((c) => c.close()));
      opened = [];
    });

    describe('publishing', () => {
      it('publishes the first pointer with expected epoch 0 and reads it back', async () => {
        const center = await open();
        const group = newGroup();
        expect(await center.read(group)).toBeNull();
        expect(await center.claim(group, 3)).toBe(true);
        expect(await center.read(group)).toBeNull();
        expect(await center.publish(aPointer(group, 1, 3), { expectedEpoch: 0, term: 3 })).toEqual({ ok: true });
        expect(await (await open()).read(group)).toEqual(aPointer(group, 1, 3));
      });

      it('carries mode, maxMs and every other field', async () => {
        const center = await open();
        const group = newGroup();
        const pointer = aPointer(group, 4, 1, { mode: 'DRAIN', maxMs: 5_000, bootstrapServers: ['x:1', 'ÿ:2'] });
        await center.claim(group, 1);
        await center.publish(pointer, { expectedEpoch: 0, term: 1 });
        expect(await center.read(group)).toEqual(pointer);
      });

      it('lets one of two writers with the same expected epoch win', async () => {
        const [one, two] = [await open(), await open()];
        const group = newGroup();
        await one.claim(group, 1);
        await one.publish(aPointer(group, 1, 1), { expectedEpoch: 0, term: 1 });
        const guard = { expectedEpoch: 1, term: 1 };
        const results = await Promise.all([
          one.publish(aPointer(group, 2, 1, { activeCluster: 'a' }), guard),
          two.publish(aPointer(group, 3, 1, { activeCluster: 'b' }), guard),
        ]);
        expect(results.filter((r) => r.ok)).toHaveLength(1);
        expect(results.filter((r) => !r.ok)).toEqual([
          { ok: false, reason: 'stale-epoch', current: await one.read(group), claimedTerm: 1 },
        ]);
      });

      it('lets one of ten racers win, in each of five rounds', async () => {
        const racers = await Promise.all(Array.from({ length: 10 }, open));
        const group = newGroup();
        await racers[0]!.claim(group, 1);
        for (let epoch = 1; epoch <= 5; epoch++) {
          const results = await Promise.all(
            racers.map((c, i) =>
              c.publish(aPointer(group, epoch, 1, { sagaId: `racer-${i}` }), { expectedEpoch: epoch - 1, term: 1 }),
            ),
          );
          const winners = results.flatMap((r, i) => (r.ok ? [`racer-${i}`] : []));
          expect(winners).toHaveLength(1);
          expect((await racers[0]!.read(group))?.sagaId).toBe(winners[0]);
          expect(results.every((r) => r.ok || r.reason === 'foreign-content')).toBe(true);
        }
      });

      it('takes the same publication twice as one, also with a later clock', async () => {
        const center = await open();
        const group = newGroup();
        const guard = { expectedEpoch: 0, term: 1 };
        await center.claim(group, 1);
        await center.publish(aPointer(group, 1, 1), guard);
        expect(await center.publish(aPointer(group, 1, 1), guard)).toEqual({ ok: true });
        const later = aPointer(group, 1, 1, { publishedAt: '2026-11-20T15:00:00Z' });
        expect(await center.publish(later, guard)).toEqual({ ok: true });
        expect((await center.read(group))?.publishedAt).toBe('2026-11-20T14:02:31Z');
      });

      it('calls another content under the same epoch foreign and leaves it alone', async () => {
        const center = await open();
        const group = newGroup();
        await center.claim(group, 1);
        await center.publish(aPointer(group, 5, 1), { expectedEpoch: 0, term: 1 });
        const result = await center.publish(aPointer(group, 5, 1, { activeCluster: 'b' }), {
          expectedEpoch: 4,
          term: 1,
        });
        expect(result).toEqual({
          ok: false,
          reason: 'foreign-content',
          current: aPointer(group, 5, 1),
          claimedTerm: 1,
        });
        expect(await center.read(group)).toEqual(aPointer(group, 5, 1));
      });

      it('refuses an expected epoch that has passed, or has not come', async () => {
        const center = await open();
        const group = newGroup();
        await center.claim(group, 1);
        await center.publish(aPointer(group, 2, 1), { expectedEpoch: 0, term: 1 });
        for (const expectedEpoch of [0, 1, 3]) {
          const result = await center.publish(aPointer(group, 9, 1), { expectedEpoch, term: 1 });
          expect(result).toMatchObject({ ok: false, reason: 'stale-epoch' });
        }
      });

      it('throws on what may never be written: an epoch that does not rise, a term beside the guard, no pointer', async () => {
        const center = await open();
        const group = newGroup();
        await expect(center.publish(aPointer(group, 2, 1), { expectedEpoch: 2, term: 1 })).rejects.toThrow(/above/);
        await expect(center.publish(aPointer(group, 2, 1), { expectedEpoch: 1, term: 2 })).rejects.toThrow(/term/);
        const broken = aPointer(group, 2, 1, { bootstrapServers: [] });
        await expect(center.publish(broken, { expectedEpoch: 1, term: 1 })).rejects.toThrow(/bootstrapServers/);
      });
    });

    describe('claims', () => {
      it('rise only, are idempotent and are seen by others', async () => {
        const [one, two] = [await open(), await open()];
        const group = newGroup();
        expect(await one.claimedTerm(group)).toBe(0);
        expect(await one.claim(group, 5)).toBe(true);
        expect(await one.claim(group, 5)).toBe(true);
        expect(await two.claim(group, 4)).toBe(false);
        expect(await two.claimedTerm(group)).toBe(5);
        expect(await two.claim(group, 6)).toBe(true);
        expect(await one.claimedTerm(group)).toBe(6);
      });

      it('end at the highest of ten that claim at once', async () => {
        const racers = await Promise.all(Array.from({ length: 10 }, open));
        const group = newGroup();
        const results = await Promise.all(racers.map((c, i) => c.claim(group, i + 1)));
        expect(results[9]).toBe(true);
        expect(await racers[0]!.claimedTerm(group)).toBe(10);
      });

      it('stop the late publication of a frozen leader (I2), and do not touch the pointer', async () => {
        const [frozen, successor] = [await open(), await open()];
        const group = newGroup();
        await frozen.claim(group, 1);
        await frozen.publish(aPointer(group, 1, 1), { expectedEpoch: 0, term: 1 });
        await successor.claim(group, 2);
        const late = await frozen.publish(aPointer(group, 2, 1, { activeCluster: 'b' }), { expectedEpoch: 1, term: 1 });
        expect(late).toEqual({ ok: false, reason: 'stale-term', current: aPointer(group, 1, 1), claimedTerm: 2 });
        expect(await successor.publish(aPointer(group, 3, 2), { expectedEpoch: 1, term: 2 })).toEqual({ ok: true });
        const later = await frozen.publish(aPointer(group, 4, 1), { expectedEpoch: 3, term: 1 });
        expect(later).toMatchObject({ ok: false, reason: 'stale-term', claimedTerm: 2 });
        expect(await frozen.read(group)).toEqual(aPointer(group, 3, 2));
      });

      it('are needed: a term that nobody claimed publishes nothing', async () => {
        const center = await open();
        const group = newGroup();
        const unclaimed = await center.publish(aPointer(group, 1, 1), { expectedEpoch: 0, term: 1 });
        expect(unclaimed).toEqual({ ok: false, reason: 'stale-term', current: null, claimedTerm: 0 });
        await center.claim(group, 1);
        const ahead = await center.publish(aPointer(group, 1, 2), { expectedEpoch: 0, term: 2 });
        expect(ahead).toEqual({ ok: false, reason: 'stale-term', current: null, claimedTerm: 1 });
        expect(await center.read(group)).toBeNull();
      });

      it('of one group say nothing about another', async () => {
        const center = await open();
        const [orders, payments] = [newGroup(), newGroup()];
        await center.claim(orders, 9);
        expect(await center.claimedTerm(payments)).toBe(0);
        expect(await center.claim(payments, 1)).toBe(true);
      });
    });

    describe('watching', () => {
      it('gives the present pointer to a reader that connects late, then every later one in order', async () => {
        const center = await open();
        const group = newGroup();
        await center.claim(group, 1);
        await center.publish(aPointer(group, 1, 1), { expectedEpoch: 0, term: 1 });
        const epochs: number[] = [];
        const stop = (await open()).watch(group, (p) => epochs.push(p.epoch));
        await vi.waitFor(() => expect(epochs).toEqual([1]), 5_000);
        for (const epoch of [2, 3]) {
          await center.publish(aPointer(group, epoch, 1), { expectedEpoch: epoch - 1, term: 1 });
          await vi.waitFor(() => expect(epochs.at(-1)).toBe(epoch), 5_000);
        }
        await stop();
        await center.publish(aPointer(group, 4, 1), { expectedEpoch: 3, term: 1 });
        expect(epochs).toEqual([1, 2, 3]);
      });

      it('waits for the first pointer of a group that has none', async () => {
        const center = await open();
        const group = newGroup();
        const epochs: number[] = [];
        const stop = center.watch(group, (p) => epochs.push(p.epoch));
        await center.claim(group, 1);
        await center.publish(aPointer(group, 1, 1), { expectedEpoch: 0, term: 1 });
        await vi.waitFor(() => expect(epochs).toEqual([1]), 5_000);
        await stop();
      });

      it('survives a restart of the server, telling one error and then what was published after it', async () => {
        const center = await open();
        const group = newGroup();
        await center.claim(group, 1);
        await center.publish(aPointer(group, 1, 1), { expectedEpoch: 0, term: 1 });
        const epochs: number[] = [];
        const errors: Error[] = [];
        const stop = (await open()).watch(
          group,
          (p) => epochs.push(p.epoch),
          (e) => errors.push(e),
        );
        await vi.waitFor(() => expect(epochs).toEqual([1]), 5_000);
        await bench.stop();
        await vi.waitFor(() => expect(errors).toHaveLength(1), 10_000);
        await expect(center.read(group)).rejects.toMatchObject({ code: 'CENTER_UNREACHABLE' });
        await expect(center.canary()).rejects.toMatchObject({ code: 'CENTER_UNREACHABLE' });
        await bench.start();
        const published = await vi.waitFor(() => center.publish(aPointer(group, 2, 1), { expectedEpoch: 1, term: 1 }), {
          timeout: 10_000,
          interval: 100,
        });
        expect(published).toEqual({ ok: true });
        await vi.waitFor(() => expect(epochs).toEqual([1, 2]), 10_000);
        await stop();
      });
    });

    it('takes its canary, also from five controllers at once, and shows no pointer for it', async () => {
      const centers = await Promise.all(Array.from({ length: 5 }, open));
      await Promise.all(centers.map((c) => c.canary()));
      await Promise.all(centers.map((c) => c.canary()));
    });
  });
}
