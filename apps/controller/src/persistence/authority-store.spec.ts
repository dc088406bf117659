import { describe, expect, it } from 'vitest';
import { MemoryAuthorityDatabase } from '../../../../test/fakes/memory-authority-database.js';
import { FIRST_PREVIOUS_HASH, auditHash, canonicalJson, verifyAuditChain } from './audit-chain.js';
import { authorityStoreConformance } from './authority-store.conformance.js';
import type { AuditRow } from './authority-store.port.js';
import { A, aGroup, anAudit, anEvent, lead } from './conformance/builders.js';

authorityStoreConformance('in memory', async () => {
  const database = new MemoryAuthorityDatabase();
  let clients = 0;
  return { open: async () => database.connect(`client-${++clients}`), dispose: async () => undefined };
});

describe('faults of the store in memory', () => {
  const leading = async () => {
    const database = new MemoryAuthorityDatabase();
    const store = database.connect('ctl-a');
    const term = await lead(store, A);
    const write = () => store.transact(term, A.id, (tx) => tx.appendEvent(anEvent('x')));
    return { database, store, term, write };
  };

  it('breaks before the commit: nothing is written', async () => {
    const { database, store, write } = await leading();
    database.failNext('commit-before');
    await expect(write()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', outcomeUnknown: true });
    expect(await store.events(0, 9)).toEqual([]);
    await write();
    expect(database.commits).toBe(1);
  });

  it('breaks after the commit: everything is written, the caller does not know', async () => {
    const { database, store, write } = await leading();
    database.failNext('commit-after', 'ctl-a');
    await expect(write()).rejects.toMatchObject({ outcomeUnknown: true });
    expect(await store.events(0, 9)).toHaveLength(1);
  });

  it('cuts a controller off in the middle of its transaction, and others go on', async () => {
    const { database, store, term } = await leading();
    const other = database.connect('ctl-b');
    const stuck = store.transact(term, A.id, async (tx) => {
      await tx.saveGroup(aGroup());
      await new Promise(() => undefined);
    });
    const refused = stuck.catch((error: unknown) => error);
    await store.readLease();
    database.partition('ctl-a');
    expect(await refused).toMatchObject({ code: 'STORE_UNAVAILABLE', outcomeUnknown: false });
    expect(await other.groups()).toEqual([]);
    expect(await lead(other, { id: 'ctl-b', advertise: 'http://b' })).toBe(term + 1);
    await expect(store.ping()).rejects.toThrow('no connection');
    database.heal('ctl-a');
    await store.ping();
  });
});

describe('the audit chain', () => {
  const row = (seq: number, previousHash: string): AuditRow => {
    const bare = { ...anAudit(`act ${seq}`), seq, previousHash };
    return { ...bare, hash: auditHash(bare) };
  };
  const first = row(1, FIRST_PREVIOUS_HASH);
  const second = row(2, first.hash);
  const third = row(3, second.hash);

  it('holds for what was written', () => {
    expect(verifyAuditChain([])).toEqual({ ok: true });
    expect(verifyAuditChain([first, second, third])).toEqual({ ok: true });
    expect(verifyAuditChain([second, third])).toEqual({ ok: true });
  });

  it('breaks where a row was changed, dropped, forged or put first', () => {
    expect(verifyAuditChain([first, { ...second, reason: 'nicer' }, third])).toMatchObject({ ok: false, seq: 2 });
    expect(verifyAuditChain([first, third])).toMatchObject({
      ok: false,
      seq: 3,
      reason: expect.stringContaining('missing'),
    });
    const forged = row(2, third.hash);
    expect(verifyAuditChain([first, forged])).toMatchObject({ ok: false, seq: 2 });
    expect(verifyAuditChain([row(1, second.hash)])).toMatchObject({ ok: false, seq: 1 });
  });

  it('hashes values, not their spelling', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'ä' }], a: true })).toBe('{"a":true,"b":[1,{"c":"ä","d":null}]}');
    const other: AuditRow = {
      ...first,
      detail: { after: { active: 'b' }, before: { active: 'a' }, votes: { 'agent-b': 'DOWN' } },
    };
    expect(auditHash(other)).toBe(first.hash);
  });
});
