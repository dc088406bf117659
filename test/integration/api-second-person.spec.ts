import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy, INITIAL_MEMORY, type Proposal, sampleFlow, sampleGroup, sampleVotes } from '#failover';
import { aProposal } from '../../apps/controller/src/persistence/conformance/builders.js';
import { MemoryAuthorityDatabase } from '../fakes/memory-authority-database.js';
import { ApiApp, everythingIn, names, type CallOptions } from './api-app.js';

let database: MemoryAuthorityDatabase;
let api: ApiApp;
let kim: string;

const POLICY = { ...defaultPolicy, secondPersonFor: ['failover', 'switchover', 'failback'] as const };
const GROUP = { name: 'orders', clusters: ['a', 'b'], consumerGroups: ['billing'], principals: [] };

beforeEach(async () => {
  database = new MemoryAuthorityDatabase();
  api = await ApiApp.start('ctl-a', database, { groups: [{ ...GROUP, policy: POLICY, mode: 'observe' }] });
  await api.lead();
  kim = await api.tokenOf('kim');
});
afterEach(() => api.close());

const post = (verb: string, body: object, more: CallOptions = {}) => api.act(verb, body, more);

const proposalNow = async (): Promise<Proposal | null> => (await api.store.groups())[0]?.proposal ?? null;
const everything = (): string => everythingIn(database);

const SWITCH = { reason: 'broker upgrade', by: 'ann', target: 'b' };
const YES = { reason: 'seen it too', by: 'kim' };

describe('an order that needs a second person', () => {
  it.each([
    ['switchover', SWITCH],
    ['failback', SWITCH],
  ])('%s: is written down and moves nothing, until another person accepts it', async (verb, body) => {
    const key = randomUUID();
    const asked = await post(verb, body, { key }).expect(202);
    expect(asked.body).toMatchObject({ action: verb, changed: true, saga: null, source: 'a', target: 'b' });
    expect(asked.body.proposal).toMatchObject({ origin: 'person', act: verb, needed: 2, state: 'open' });
    expect(asked.headers['location']).toBeUndefined();
    expect((await post(verb, body, { key }).expect(202)).body).toEqual(asked.body);
    expect(database.tables.sagas.size).toBe(0);
    const shown = await api.get('/v1/groups/orders').expect(200);
    expect(shown.body.proposal.approvals).toMatchObject([{ identity: 'file-token', by: 'operator:ann' }]);

    const same = await post('approve', { ...YES, by: 'somebody else' }).expect(409);
    expect(same.body.blockedBy).toMatchObject([
      { name: 'SAME_PERSON', detail: 'file-token is one of its two persons already' },
    ]);
    const accepted = await post('approve', YES, { token: kim }).expect(202);
    expect(accepted.body).toMatchObject({ action: verb, changed: true, saga: expect.any(String) });
    expect(await proposalNow()).toMatchObject({
      state: 'approved',
      approvals: [{ identity: 'file-token' }, { identity: 'token:kim', by: 'operator:kim' }],
      closed: { saga: accepted.body.saga },
    });
    expect(api.sagas.asked.at(-1)).toMatchObject({
      kind: verb,
      request: {
        by: 'operator:ann',
        reason: 'broker upgrade',
        approval: { persons: ['operator:ann', 'operator:kim'] },
      },
    });
    const acts = (await api.store.audit(0, 20)).filter((row) => row.group === 'orders' && row.action !== 'denied');
    expect(acts.map((row) => [row.actor, row.action])).toEqual([
      ['operator:ann', `${verb} proposed`],
      ['operator:ann', `${verb} asked for`],
      ['operator:kim', 'approve'],
    ]);
    expect(acts[0]?.detail).toMatchObject({ authenticated: 'file-token', from: '127.0.0.1' });
  });

  it('failover: the limit of loss and what is set aside are part of what the second person accepts', async () => {
    api.decisions.see({
      votes: {
        a: sampleVotes({ a: 'refused', b: 'refused', c: 'refused' }, 90_000),
        b: sampleVotes({ a: 'up', b: 'up', c: 'up' }),
      },
      flows: [sampleFlow({ observedAgeMs: 95_000 })],
      memory: { ...INITIAL_MEMORY, active: 'a', term: 1, leading: true, freshSinceMs: 0 },
      group: sampleGroup(),
    });
    const order = { ...SWITCH, acceptLoss: { maxRecords: 100 }, override: ['COOLDOWN'] };
    const { body } = await post('failover', order).expect(202);
    const force = { acceptLoss: { maxRecords: 100, maxMs: null }, override: ['COOLDOWN'] };
    expect(body.proposal).toMatchObject({ act: 'failover', request: { force }, seen: { loss: { knownRecords: 12 } } });
    await post('approve', YES, { token: kim }).expect(202);
    expect(api.sagas.asked.at(-1)?.request).toMatchObject({ force });
    api.decisions.see();
    const late = await post('failover', order).expect(409);
    expect(names(late.body)).toEqual(['SOURCE_ANSWERS']);
  });

  it('is judged when it is asked for and again when it is accepted; a dry run writes nothing', async () => {
    const before = everything();
    const rehearsed = await post('switchover', { ...SWITCH, dryRun: true }).expect(202);
    expect(rehearsed.body).toMatchObject({ changed: false, saga: null, summary: expect.stringMatching(/another one/) });
    expect((await post('switchover', { ...SWITCH, dryRun: true }).expect(202)).body).toEqual(rehearsed.body);
    expect(everything()).toBe(before);
    await post('switchover', SWITCH).expect(202);
    api.sagas.refusals = [{ name: 'LINK_CUT', detail: 'b cannot reach a', liftedBy: 'the link is mended' }];
    expect(names((await post('approve', YES, { token: kim }).expect(409)).body)).toEqual(['LINK_CUT']);
    expect((await proposalNow())?.approvals).toHaveLength(1);
    await post('reject', { reason: 'not tonight', by: 'kim' }, { token: kim }).expect(202);
    expect(await proposalNow()).toMatchObject({ state: 'rejected' });
    expect(names((await post('switchover', SWITCH).expect(409)).body)).toEqual(['LINK_CUT']);
  });

  it('a group has one open proposal: the next one waits for it', async () => {
    const { term, me } = api.leadership.current();
    await api.store.transact(term, me, async (tx) => {
      const row = await tx.group('orders');
      if (row !== null) await tx.saveGroup({ ...row, proposal: aProposal('p-1', { epoch: 7 }) });
    });
    expect(names((await post('switchover', SWITCH).expect(409)).body)).toEqual(['PROPOSAL_OPEN']);
  });

  it('a rejoin moves no traffic and needs nobody else', async () => {
    const { body } = await post('rejoin', { reason: 'a is back', by: 'ann', target: 'b', choice: 'accept' }).expect(
      202,
    );
    expect(body.saga).toEqual(expect.any(String));
  });
});
