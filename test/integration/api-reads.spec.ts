import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sampleGroup, sampleVotes } from '#failover';
import { waitFor } from '#lab';
import { SagaWatch } from '../../apps/controller/src/metrics/saga-watch.service.js';
import { aSaga, anEntry } from '../../apps/controller/src/persistence/conformance/builders.js';
import type { ApiApp } from './api-app.js';
import { ApiRig } from './api-rig.js';

let rig: ApiRig;
let api: ApiApp;

beforeEach(async () => {
  rig = new ApiRig();
  api = await rig.start('ctl-a');
  await api.lead();
});
afterEach(() => rig.close());

const PAUSE = { owner: 'kim', reason: 'upgrade', expiresIn: '2h' };

describe('who may ask', () => {
  it('answers 401 without a token and with a wrong one, and says which it was', async () => {
    const none = await request(api.url)
      .get('/v1/groups')
      .expect(401)
      .expect('content-type', /problem\+json/);
    expect(none.body).toMatchObject({ code: 'token_missing', status: 401 });
    const wrong = await request(api.url).get('/v1/groups').set('authorization', 'Bearer nonsense').expect(401);
    expect(wrong.body.code).toBe('token_wrong');
    expect(wrong.headers['www-authenticate']).toContain('invalid_token');
    for (const path of ['/v1/events', '/v1/audit', '/v1/agents', '/v1/controllers', '/v1/groups/orders/explain']) {
      await request(api.url).get(path).expect(401);
    }
    await request(api.url).post('/v1/groups/orders/pause').send(PAUSE).expect(401);
    await waitFor('the attempts are audited', () => (rig.database.tables.audit.length >= 8 ? true : undefined), {
      timeoutMs: 10_000,
    });
    expect(new Set(rig.database.tables.audit.map((row) => `${row.actor} ${row.action}`))).toEqual(
      new Set(['unknown denied']),
    );
  });

  it('without a configured token serves this machine, but 403 to a page that got here under another name', async () => {
    const open = await rig.start('ctl-open', { token: null });
    await request(open.url).get('/v1/groups').expect(200);
    const rebound = await request(open.url).get('/v1/groups').set('host', 'evil.example').expect(403);
    expect(rebound.body.code).toBe('loopback_only');
  });

  it('asks for no token where monitors look', async () => {
    await request(api.url).get('/healthz').expect(200);
    await request(api.url).get('/readyz').expect(200);
    await request(api.url).get('/metrics').expect(200);
  });
});

describe('GET groups', () => {
  it('shows a steady group whole', async () => {
    const { body } = await api.get('/v1/groups').expect(200);
    expect(body.groups).toHaveLength(1);
    expect(body.groups[0]).toMatchObject({
      group: 'orders',
      active: 'a',
      standby: 'b',
      mode: 'auto',
      row: 800,
      name: 'Steady',
      window: null,
      blockers: [],
      lag: { records: 12, ms: 400, budget: { records: 10_000, ms: 30_000 } },
      consumerGroups: [{ cluster: 'a', consumerGroup: 'billing', lagRecords: 40 }],
      epoch: 7,
      leader: { id: 'ctl-a', term: 1 },
      pause: null,
      frozen: null,
      saga: null,
    });
    expect(body.groups[0].observers[0]).toMatchObject({ agent: 'agent-a', idc: 'a', votes: { a: 'UP', b: 'UP' } });
    expect((await api.get('/v1/groups/orders').expect(200)).body).toEqual(body.groups[0]);
  });

  it('shows window, deadline and blockers of a dying one', async () => {
    const { snapshot } = api.decisions.see({
      votes: {
        a: sampleVotes({ a: 'refused', b: 'silent', c: 'silent' }, 6_400),
        b: sampleVotes({ a: 'up', b: 'up', c: 'up' }),
      },
      configCenter: { writableAgeMs: null, error: 'refused' },
    });
    const { body } = await api.get('/v1/groups/orders').expect(200);
    expect(body).toMatchObject({ row: 400, name: 'AttestedDeath', wouldDo: 'failover' });
    expect(body.window).toMatchObject({ fillMs: 7_400, lengthMs: 20_000, complete: false });
    expect(Date.parse(body.window.actsAt)).toBe(snapshot.wallNow + 12_600);
    expect(body.blockers.map((b: { name: string }) => b.name)).toContain('NOT_PUBLISHABLE');
    expect(body.target).toMatchObject({ cluster: 'b', fit: true });
  });

  it('goes on from memory while the store is down', async () => {
    api.decisions.see({ group: sampleGroup({ epoch: 7, frozen: 'foreign content' }) });
    rig.database.stop();
    const { body } = await api.get('/v1/groups').expect(200);
    expect(body.groups[0]).toMatchObject({ row: 800, epoch: 7, frozen: 'foreign content' });
    await request(api.url).get('/healthz').expect(200);
    await request(api.url).get('/readyz').expect(503);
    const down = await api.get('/v1/controllers').expect(503);
    expect(down.body).toMatchObject({ code: 'store_unavailable' });
  });

  it('names the groups there are when asked for another', async () => {
    const { body } = await api
      .get('/v1/groups/nope')
      .expect(404)
      .expect('content-type', /problem\+json/);
    expect(body).toMatchObject({ code: 'not_found', blockedBy: [], errors: [], leader: api.url });
    expect(body.detail).toContain('orders');
    expect(body.requestId).toMatch(/^[0-9a-f-]{36}$/);
    await api
      .get('/v1/nothing')
      .expect(404)
      .expect('content-type', /problem\+json/);
  });
});

describe('the other reads', () => {
  it('explains now, and a past decision as it was recorded', async () => {
    api.decisions.see({ votes: { a: sampleVotes({ a: 'abstain', b: 'stale', c: 'stale' }), b: {} } });
    await api.addDecision();
    await api.addEvents({ type: 'saga' });
    api.decisions.see();
    const now = await api.get('/v1/groups/orders/explain').expect(200);
    expect(now.body).toMatchObject({ event: null, row: { id: 800 } });
    const past = await api.get('/v1/groups/orders/explain?event=1').expect(200);
    expect(past.body).toMatchObject({ event: 1, row: { id: 120, name: 'Blind' } });
    expect(past.body.text).toMatch(/^orders: row 120 Blind/);
    await api.get('/v1/groups/orders/explain?event=2').expect(404);
    await api.get('/v1/groups/orders/explain?event=99').expect(404);
    const bad = await api.get('/v1/groups/orders/explain?event=x').expect(400);
    expect(bad.body.errors[0].pointer).toBe('?event');
  });

  it('lists history, events, sagas, agents, controllers and the audit', async () => {
    await api.addEvents({ summary: 'one' }, { summary: 'of nobody', group: null }, { summary: 'two' });
    await api.act('acknowledge', { reason: 'seen' }).expect(202);
    const history = await api.get('/v1/groups/orders/history?limit=3').expect(200);
    expect(history.body.events.map((e: { summary: string }) => e.summary)).toEqual(['one', 'two', expect.any(String)]);
    const events = await api.get('/v1/events?after=1&limit=2').expect(200);
    expect(events.body.events.map((e: { seq: number }) => e.seq)).toEqual([2, 3]);
    expect((await api.get('/v1/sagas?group=orders').expect(200)).body).toEqual({ group: 'orders', sagas: [] });
    await api.get('/v1/sagas').expect(400);
    await api.get('/v1/sagas/unknown').expect(404);
    expect((await api.get('/v1/agents').expect(200)).body.agents[0].agent).toBe('agent-a');
    const { body: controllers } = await api.get('/v1/controllers').expect(200);
    expect(controllers).toMatchObject({ answeredBy: { id: 'ctl-a', leading: true }, leader: { id: 'ctl-a', term: 1 } });
    const { body: audit } = await api.get('/v1/audit').expect(200);
    expect(audit.audit[0]).toMatchObject({ seq: 1, action: 'acknowledge', reason: 'seen', term: 1, epoch: 7 });
  });

  it('measures with the names of the contract', async () => {
    const { text } = await request(api.url).get('/metrics').expect(200);
    for (const line of [
      'pointsman_leader_info{id="ctl-a"} 1',
      'pointsman_term 1',
      'pointsman_group_epoch{group="orders"} 1',
      'pointsman_group_row_info{group="orders",row="800",name="Steady"} 1',
      'pointsman_vote_info{cluster="a",agent="agent-a",state="UP"} 1',
      'pointsman_replication_lag_records{group="orders",from="a",to="b"} 12',
      'pointsman_replication_lag_seconds{group="orders",from="a",to="b"} 0.4',
      'pointsman_consumer_group_lag_records{group="orders",cluster="a",consumer_group="billing"} 40',
      'pointsman_outbox_pending 0',
    ]) {
      expect(text).toContain(line);
    }
    for (const name of ['report_last_received_timestamp_seconds', 'config_center_last_write_timestamp_seconds']) {
      expect(text).toMatch(new RegExp(`^pointsman_${name}\\{`, 'm'));
    }
  });
});

describe('the count of sagas', () => {
  it('is taken once, by the leader, from the journal', async () => {
    const { term, me } = api.leadership.current();
    await api.store.transact(term, me, async (tx) => {
      await tx.openSaga(aSaga('s-1'));
      const at = (s: number): string => new Date(Date.now() + s * 1_000).toISOString();
      await tx.appendJournal('s-1', [
        { ...anEntry('fence-source', 'intent'), at: at(0) },
        { ...anEntry('fence-source', 'done'), at: at(2) },
      ]);
      await tx.closeSaga('s-1', 'DONE', at(3));
    });
    const b = await rig.start('ctl-b');
    b.leadership.follow(api.leadership.me, term);
    for (const app of [api, b]) {
      await app.app.get(SagaWatch).look();
      await app.app.get(SagaWatch).look();
    }
    const { text } = await request(api.url).get('/metrics');
    expect(text).toContain('pointsman_sagas_total{kind="failover",outcome="DONE"} 1');
    expect(text).toContain('pointsman_saga_step_duration_seconds_sum{step="fence-source"} 2');
    expect((await request(b.url).get('/metrics')).text).not.toMatch(/outcome="DONE"\} [1-9]/);
    expect((await api.get('/v1/sagas/s-1').expect(200)).body).toMatchObject({ id: 's-1', outcome: 'DONE' });
  });
});
