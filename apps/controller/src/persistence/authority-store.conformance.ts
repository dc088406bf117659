import { afterEach, beforeEach, describe } from 'vitest';
import type { AuthorityStore } from './authority-store.port.js';
import { alertCases } from './conformance/alerts.conformance.js';
import type { OpenStore } from './conformance/builders.js';
import { guardCases } from './conformance/guard.conformance.js';
import { leaseCases } from './conformance/lease.conformance.js';
import { recordCases } from './conformance/records.conformance.js';
import { retentionCases } from './conformance/retention.conformance.js';
import { sagaCases } from './conformance/sagas.conformance.js';

/** An empty store. Each `open` is one more controller's own connection to it. */
export type AuthorityStoreBench = Readonly<{
  open(): Promise<AuthorityStore>;
  dispose(): Promise<void>;
}>;

/** Everything that an authority store must keep, whatever lies underneath (I1-I3, I19, I31). `prepare` is called per test. */
export function authorityStoreConformance(name: string, prepare: () => Promise<AuthorityStoreBench>): void {
  describe(`authority store: ${name}`, () => {
    let bench: AuthorityStoreBench;
    let opened: AuthorityStore[] = [];
    const open: OpenStore = async () => {
      const store = await bench.open();
      opened.push(store);
      return store;
    };
    beforeEach(async () => {
      bench = await prepare();
    });
    afterEach(async () => {
      await Promise.all(opened.map((store) => store.close()));
      opened = [];
      await bench.dispose();
    });

    leaseCases(open);
    guardCases(open);
    sagaCases(open);
    recordCases(open);
    alertCases(open);
    retentionCases(open);
  });
}
