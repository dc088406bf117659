import { describe, expect, it } from 'vitest';
import { A, B, holder, lead } from './builders.js';
import type { OpenStore } from './builders.js';

export function leaseCases(open: OpenStore): void {
  describe('the lease', () => {
    it('starts with nobody at term 0', async () => {
      const store = await open();
      expect(await store.readLease()).toEqual({ term: 0, holder: null, advertise: null, renewals: 0 });
      await store.ping();
    });

    it('is taken only while the row is as it was seen, and the term rises by one', async () => {
      const [one, two] = [await open(), await open()];
      const seen = await one.readLease();
      const taken = await one.acquireLease(seen, A);
      expect(taken).toEqual({ term: 1, holder: 'ctl-a', advertise: 'http://ctl-a:8080', renewals: 1 });
      expect(await two.readLease()).toEqual(taken);
      expect(await two.acquireLease(seen, B)).toBeNull();
      expect(await two.acquireLease({ ...seen, term: 1 }, B)).toBeNull();
    });

    it('goes to exactly one of ten candidates, round after round', async () => {
      const stores = await Promise.all(Array.from({ length: 10 }, () => open()));
      for (let round = 1; round <= 5; round += 1) {
        const results = await Promise.all(
          stores.map(async (store, i) => store.acquireLease(await store.readLease(), holder(`ctl-${i}`))),
        );
        const row = await stores[0]!.readLease();
        // Who reads late may take it from the one before; each term is still given once.
        const terms = results.flatMap((r) => (r ? [r.term] : []));
        expect(new Set(terms).size).toBe(terms.length);
        expect(Math.max(...terms)).toBe(row.term);
        const seen = row;
        const second = await Promise.all(stores.map((store, i) => store.acquireLease(seen, holder(`ctl-${i}`))));
        expect(second.filter((r) => r !== null)).toEqual([await stores[0]!.readLease()]);
      }
    });

    it('is renewed by its holder at its term only, and every renewal changes the row', async () => {
      const store = await open();
      const term = await lead(store, A);
      const before = await store.readLease();
      const renewed = await store.renewLease(term, A);
      expect(renewed).toEqual({ ...before, renewals: before.renewals + 1 });
      expect(await store.renewLease(term, B)).toBeNull();
      expect(await store.renewLease(term - 1, A)).toBeNull();
      expect(await store.readLease()).toEqual(renewed);
    });

    it('cannot be taken with a row that was renewed since', async () => {
      const store = await open();
      const term = await lead(store, A);
      const seen = await store.readLease();
      await store.renewLease(term, A);
      expect(await store.acquireLease(seen, B)).toBeNull();
    });

    it('is given up by its holder only, and keeps its term', async () => {
      const store = await open();
      const term = await lead(store, A);
      await store.releaseLease(term, B);
      await store.releaseLease(term - 1, A);
      expect((await store.readLease()).holder).toBe('ctl-a');
      await store.releaseLease(term, A);
      expect(await store.readLease()).toMatchObject({ term, holder: null, advertise: null });
      expect(await store.renewLease(term, A)).toBeNull();
      expect(await lead(store, B)).toBe(term + 1);
    });

    it('is raised to a heard term, never lowered; nobody leads the raised term', async () => {
      const store = await open();
      const term = await lead(store, A);
      const raised = await store.raiseTerm(41);
      expect(raised).toMatchObject({ term: 41, holder: null, advertise: 'http://ctl-a:8080' });
      expect(await store.renewLease(term, A)).toBeNull();
      expect(await store.renewLease(41, A)).toBeNull();
      expect(await store.raiseTerm(41)).toEqual(raised);
      expect(await store.raiseTerm(7)).toEqual(raised);
      expect(await lead(store, B)).toBe(42);
      expect(await store.raiseTerm(42)).toMatchObject({ term: 42, holder: 'ctl-b' });
      await expect(store.raiseTerm(-1)).rejects.toThrow(RangeError);
    });
  });
}
