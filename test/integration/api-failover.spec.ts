import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INITIAL_MEMORY, sampleFlow, sampleGroup, sampleVotes, type GroupFacts } from '#failover';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, everythingIn, names, type CallOptions } from './api-app.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;

const DEAD = {
  a: sampleVotes({ a: 'refused', b: 'refused', c: 'refused' }, 90_000),
  b: sampleVotes({ a: 'up', b: 'up', c: 'up' }),
};
const FLOWS = [sampleFlow({ observedAgeMs: 95_000 })]; // 12 records behind, read before the outage
const MEMORY = { ...INITIAL_MEMORY, active: 'a', term: 1, leading: true, freshSinceMs: 0 };

beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  api = await ApiApp.start('ctl-a', database);
  await api.lead();
  dead();
});
afterEach(() => api.close());

const dead = (group: Partial<GroupFacts> = {}) =>
  api.decisions.see({ votes: DEAD, flows: FLOWS, memory: MEMORY, group: sampleGroup(group) });

const post = (body: object, more: CallOptions = {}) => api.act('failover', body, more);

const everything = (): string => everythingIn(database);

const ORDER = { reason: 'INC-1', by: 'ann', target: 'b', acceptLoss: { maxRecords: 100 } };

describe('POST failover', () => {
  it('opens the saga, with who, from where, how known, what was accepted; a repeat of the key gets the same answer', async () => {
    const key = randomUUID();
    const { body, headers } = await post({ ...ORDER, override: ['COOLDOWN'] }, { key }).expect(202);
    expect(body).toMatchObject({ action: 'failover', changed: true, source: 'a', target: 'b', epoch: 7 });
    expect(body.loss).toMatchObject({ knownRecords: 12, atLeast: true });
    expect(headers['location']).toBe(`/v1/operations/${body.saga}`);
    expect((await post({ ...ORDER, override: ['COOLDOWN'] }, { key }).expect(202)).body).toEqual(body);
    expect(api.sagas.asked).toHaveLength(1);
    const force = { acceptLoss: { maxRecords: 100, maxMs: null }, override: ['COOLDOWN'] };
    expect(api.sagas.asked[0]?.request).toMatchObject({ by: 'operator:ann', reason: 'INC-1', force });
    const [row] = await api.store.audit(0, 10);
    expect(row).toMatchObject({
      ...{ actor: 'operator:ann', action: 'failover asked for', group: 'orders', reason: 'INC-1', epoch: 7 },
      detail: { authenticated: 'file-token', from: '127.0.0.1', requestId: expect.any(String), saga: body.saga, force },
    });
  });

  it('two dry runs and the act agree on one snapshot, and a dry run writes nothing', async () => {
    const before = everything();
    const [one, two] = [await post({ ...ORDER, dryRun: true }), await post({ ...ORDER, dryRun: true })];
    expect(one.status).toBe(202);
    expect(two.body).toEqual(one.body);
    expect(everything()).toBe(before);
    expect(api.sagas.asked).toEqual([]);
    const { body } = await post(ORDER).expect(202);
    expect({ ...body, saga: null, dryRun: true, changed: false }).toEqual(one.body);
  });

  it('a refusal names every reason with what lifts it; dry run and act refuse alike', async () => {
    dead({ frozen: 'epoch 9', lastPublishedAuto: { ageMs: 60_000, acknowledged: false } });
    const order = { ...ORDER, acceptLoss: { maxRecords: 3 } };
    const before = everything();
    const rehearsed = (await post({ ...order, dryRun: true }).expect(409)).body;
    expect(everything()).toBe(before);
    const refused = (await post(order).expect(409)).body;
    expect(names(rehearsed)).toEqual(['FROZEN', 'LAG_OVER_BUDGET', 'COOLDOWN']);
    expect(refused.blockedBy).toEqual(rehearsed.blockedBy);
    expect(refused.code).toBe('refused');
    expect(names((await post({ ...ORDER, override: ['COOLDOWN'] }).expect(409)).body)).toEqual(['FROZEN']);
    expect(database.tables.sagas.size).toBe(0);
  });

  it('a source that serves is refused with the call to make', async () => {
    api.decisions.see();
    const { body } = await post(ORDER).expect(409);
    expect(body.blockedBy).toMatchObject([
      { name: 'SOURCE_ANSWERS', liftedBy: 'pointsman switchover orders --to b --reason "…"' },
    ]);
  });

  it('wants a person, a target, a limit, the epoch, and only names that may be set aside', async () => {
    for (const missing of ['by', 'target', 'acceptLoss', 'reason']) {
      const { body } = await post({ ...ORDER, [missing]: undefined }).expect(400);
      expect(body.errors[0].pointer).toBe(`/${missing}`);
    }
    expect((await post({ ...ORDER, acceptLoss: {} }).expect(400)).body.errors[0].pointer).toBe('/acceptLoss');
    const never = await post({ ...ORDER, override: ['NOT_PUBLISHABLE'] }).expect(400);
    expect(never.body.errors[0]).toMatchObject({ pointer: '/override/0' });
    await post(ORDER, { epoch: 6 }).expect(412);
    await post({ ...ORDER, target: 'z' }).expect(409);
    expect(api.sagas.asked.map((a) => a.target)).toEqual(['b', 'z']);
    expect(database.tables.sagas.size).toBe(0);
  });

  it('is an operator’s', async () => {
    await post(ORDER, { token: await api.tokenOf('a viewer', 'viewer') }).expect(403);
    await post(ORDER, { token: await api.tokenOf('a operator', 'operator') }).expect(202);
  });
});
