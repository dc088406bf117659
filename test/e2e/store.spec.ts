import { describe, expect, it } from 'vitest';
import { onStand } from './support/stand.js';

const FOLLOW_MS = 60_000;

describe('the store restarts in mid-saga', () => {
  it('the failover completes, published once', async () => {
    await onStand({ installation: { firstLeader: 'c' } }, async (stand) => {
      const { lab, store, trail } = stand;
      await lab.kill({ idc: 'a' });
      const saga = await store.waitForEntry({ step: 'stop-replication', event: 'intent' }, FOLLOW_MS);
      await lab.kill({ postgres: true });
      await lab.start({ postgres: true });

      expect(await store.waitForOutcome(saga.id, FOLLOW_MS)).toBe('DONE');
      expect((await store.sagas()).map((s) => s.id)).toEqual([saga.id]);
      expect(await trail.stepsWith('b@2')).toEqual(['a@1', 'b@2']);
      const journal = await store.journal(saga.id);
      expect(journal.map((e) => e.seq)).toEqual(journal.map((_, i) => i + 1));
      expect(journal.filter((e) => e.direction === 'undo')).toEqual([]);
      expect((await store.ledger()).length).toBe(3);
      await stand.waitForAlert('completed', FOLLOW_MS); // in the outbox over the restart
      expect(stand.receiver.signatureFailures).toBe(0);
      await stand.write('b', 'after the switch');
    });
  });
});
