import { randomUUID } from 'node:crypto';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { INITIAL_MEMORY, type Proposal, sampleFlow, sampleGroup, sampleVotes } from '#failover';
import { aProposal } from '../../apps/controller/src/persistence/conformance/builders.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, everythingIn, names, TOKEN, type CallOptions } from './api-app.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;

const P = 'proposal-1';
const DEAD = {
  a: sampleVotes({ a: 'refused', b: 'refused', c: 'refused' }, 90_000),
  b: sampleVotes({ a: 'up', b: 'up', c: 'up' }),
};
const FLOWS = [sampleFlow({ observedAgeMs: 95_000 })]; // read before the outage
const MEMORY = { ...INITIAL_MEMORY, active: 'a', term: 1, leading: true, freshSinceMs: 0 };

beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  api = await ApiApp.start('ctl-a', database);
  await api.lead();
  dead();
});
afterEach(() => api.close());

const dead = () =>
  api.decisions.see({ votes: DEAD, flows: FLOWS, memory: MEMORY, group: sampleGroup({ mode: 'approve' }) });
const well = () => api.decisions.see({ group: sampleGroup({ mode: 'approve' }) });

async function propose(more: Partial<Proposal> = {}): Promise<void> {
  const { term, me } = api.leadership.current();
  await api.store.transact(term, me, async (tx) => {
    const row = await tx.group('orders');
    if (row !== null) await tx.saveGroup({ ...row, proposal: aProposal(P, { epoch: 7, ...more }) });
  });
}

const proposalNow = async (): Promise<Proposal | null> => (await api.store.groups())[0]?.proposal ?? null;

const post = (verb: string, body: object, more: CallOptions = {}) => api.act(verb, body, more);

const YES = { reason: 'INC-1', by: 'ann' };

describe('POST approve', () => {
  it('opens the saga and closes the proposal in one transaction; a repeat of the key gets the same answer', async () => {
    await propose();
    const key = randomUUID();
    const { body, headers } = await post('approve', YES, { key }).expect(202);
    expect(body).toMatchObject({ action: 'failover', changed: true, source: 'a', target: 'b' });
    expect(headers['location']).toBe(`/v1/operations/${body.saga}`);
    expect(await proposalNow()).toMatchObject({
      state: 'approved',
      approvals: [{ identity: 'file-token', by: 'operator:ann', reason: 'INC-1' }],
      closed: { by: 'operator:ann', saga: body.saga },
    });
    expect((await post('approve', YES, { key }).expect(202)).body).toEqual(body);
    expect(api.sagas.asked).toHaveLength(1);
    expect((await api.store.audit(0, 10)).map((row) => [row.actor, row.action])).toEqual([
      ['operator:ann', 'failover asked for'],
      ['operator:ann', 'approve'],
    ]);
  });

  it('with approvals: 2 wants two identities; the first yes moves nothing', async () => {
    await propose({ needed: 2 });
    const first = await post('approve', YES).expect(202);
    expect(first.body).toMatchObject({ action: 'approve', changed: true, saga: null });
    expect(first.body.summary).toMatch(/^1 of 2 persons/);
    expect(database.tables.sagas.size).toBe(0);
    const again = await post('approve', { ...YES, by: 'somebody else' }).expect(409);
    expect(names(again.body)).toEqual(['SAME_PERSON']);
    const kim = await api.tokenOf('kim');
    const second = await post('approve', { reason: 'seen it too', by: 'kim' }, { token: kim }).expect(202);
    expect(second.body.saga).toEqual(expect.any(String));
    expect((await proposalNow())?.approvals.map((a) => a.identity)).toEqual(['file-token', 'token:kim']);
  });

  it('the same person does not count twice, however fast: the planner may not have seen the first yes yet', async () => {
    await propose({ needed: 2 });
    api.sagas.staleRow = (await api.store.groups())[0] ?? null;
    await post('approve', YES).expect(202);
    for (const dryRun of [true, false]) {
      const { body } = await post('approve', { ...YES, dryRun }).expect(409);
      expect(names(body)).toEqual(['SAME_PERSON']);
    }
    expect(database.tables.sagas.size).toBe(0);
    expect((await proposalNow())?.approvals).toHaveLength(1);
  });

  it('two persons who approve at the same instant: the one whose yes was judged without the other says it again', async () => {
    await propose({ needed: 2 });
    const kim = await api.tokenOf('kim');
    const kims = { reason: 'seen it too', by: 'kim' };
    const unread = await api.store.groups(); // as kim's request read it, before ann's yes was written
    await post('approve', YES).expect(202);
    vi.spyOn(api.store, 'groups').mockResolvedValueOnce(unread);
    const { body } = await post('approve', kims, { token: kim }).expect(409);
    expect(names(body)).toEqual(['PROPOSAL_MOVED']);
    expect(await proposalNow()).toMatchObject({ state: 'open', approvals: [{ by: 'operator:ann' }] });
    const again = await post('approve', kims, { token: kim }).expect(202);
    expect(again.body.saga).toEqual(expect.any(String));
    expect(await proposalNow()).toMatchObject({ state: 'approved', approvals: [{}, {}] });
  });

  it('a dry run and the act ask the same questions; a dry run writes nothing', async () => {
    await propose({ needed: 2 });
    const before = everythingIn(database);
    expect((await post('approve', { ...YES, dryRun: true }).expect(202)).body).toMatchObject({
      changed: false,
      saga: null,
    });
    well();
    for (const dryRun of [true, false]) {
      const { body } = await post('approve', { ...YES, dryRun: dryRun }).expect(409);
      expect(names(body)).toEqual(['NOT_CONFIRMED']);
      if (dryRun) {
        const now = everythingIn(database);
        expect(now).toBe(before);
      }
    }
    expect((await proposalNow())?.approvals).toEqual([]);
  });

  it('without an open proposal, or with another one than was read, says so', async () => {
    expect(names((await post('approve', YES).expect(409)).body)).toContain('NO_PROPOSAL');
    await propose();
    expect(names((await post('approve', { ...YES, proposal: 'p-0' }).expect(409)).body)).toEqual(['NO_PROPOSAL']);
    await post('approve', YES, { epoch: 6 }).expect(412);
  });
});

describe('POST reject', () => {
  it('closes it with who and why', async () => {
    await propose();
    const { body } = await post('reject', { reason: 'power test', by: 'ann', proposal: P }).expect(202);
    expect(body).toMatchObject({ action: 'reject', summary: 'rejected: failover a → b' });
    expect(await proposalNow()).toMatchObject({
      state: 'rejected',
      closed: { by: 'operator:ann', reason: 'power test' },
    });
    expect(names((await post('approve', YES).expect(409)).body)).toContain('NO_PROPOSAL');
    expect(names((await post('reject', { reason: 'again' }).expect(409)).body)).toEqual(['NO_PROPOSAL']);
  });
});

describe('POST mode', () => {
  it('sets it with who and why, and the group shows it', async () => {
    const { body } = await post('mode', { mode: 'approve', reason: 'watched for a month', by: 'ann' }).expect(202);
    expect(body).toMatchObject({ action: 'mode', summary: 'mode observe → approve', mode: 'approve' });
    expect((await api.store.groups())[0]).toMatchObject({
      mode: 'approve',
      modeChangedAt: expect.any(String),
      modeSet: { by: 'operator:ann', reason: 'watched for a month' },
    });
    const shown = await request(api.url).get('/v1/groups/orders').set('authorization', `Bearer ${TOKEN}`).expect(200);
    expect(shown.body.modeSet).toMatchObject({ by: 'operator:ann' });
  });

  it('the mode that is in force already starts no window anew', async () => {
    await post('mode', { mode: 'auto', reason: 'x' }).expect(202);
    const [first] = await api.store.groups();
    const { body } = await post('mode', { mode: 'auto', reason: 'again' }).expect(202);
    expect(body.summary).toBe('mode is auto already');
    expect((await api.store.groups())[0]?.modeChangedAt).toBe(first?.modeChangedAt);
  });

  it('auto is refused where the file would refuse it', async () => {
    await api.close();
    api = await ApiApp.start('ctl-a', new MemoryAuthorityDatabase(), { observerIdcs: ['a', 'b'] });
    await api.lead();
    const { body } = await post('mode', { mode: 'auto', reason: 'x' }).expect(409);
    expect(body.blockedBy).toMatchObject([{ name: 'MODE_NOT_ALLOWED' }]);
    expect(body.blockedBy[0].detail).toMatch(/add a probe-only witness/);
    await post('mode', { mode: 'approve', reason: 'x' }).expect(202);
  });
});
