import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLab, waitFor, type Lab } from '#lab';
import { createAuthorityStore } from '../../apps/controller/src/persistence/create-authority-store.js';
import { ApiApp, TOKEN } from './api-app.js';

// One act per Idempotency-Key, whoever asks how often, at whichever controller: on a real store.
const REPLAYS = 20;
const PAUSE = { owner: 'kim', reason: 'upgrade', expiresIn: '2h' };
const SWITCHOVER = { reason: 'upgrade', target: 'b' };

let lab: Lab;
let mainUrl: string;
let leader: ApiApp;
let standby: ApiApp;

beforeAll(async () => {
  lab = await startLab({ clusters: {}, connect: false });
  mainUrl = await lab.postgresUrl('c');
  await waitFor('the way to PostgreSQL is open', () => sql('select 1'), { timeoutMs: 30_000 });
});
afterAll(() => lab.close());

async function sql(statement: string): Promise<true> {
  const client = new pg.Client({ connectionString: mainUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
  return true;
}

beforeEach(async () => {
  const name = `t${randomBytes(6).toString('hex')}`;
  await sql(`create database ${name}`);
  const database = { connect: () => createAuthorityStore({ url: mainUrl.replace(/[^/]+$/, name) }) };
  leader = await ApiApp.start('ctl-a', database);
  standby = await ApiApp.start('ctl-b', database);
  await leader.lead();
  standby.leadership.follow(leader.leadership.me);
});
afterEach(async () => {
  await Promise.all([leader, standby].map((app) => app.close()));
  await Promise.all([leader, standby].map((app) => app.store.close()));
});

const post = (url: string, act: string, key: string, body: object) =>
  request(url)
    .post(`/v1/groups/orders/${act}`)
    .set({ authorization: `Bearer ${TOKEN}`, 'idempotency-key': key, 'if-match': '"7"' })
    .send(body);

/** As a client should: to the leader when a standby names it, again while the first one is in flight. */
const insist = (url: string, act: string, key: string, body: object): Promise<object> =>
  waitFor(
    `${act} is answered`,
    async () => {
      const answer = await post(url, act, key, body);
      if (answer.status === 421) return insist((answer.body as { leader: string }).leader, act, key, body);
      if (answer.status === 409 && (answer.body as { code: string }).code === 'in_flight') return undefined;
      expect(answer.status).toBe(202);
      return answer.body as object;
    },
    { timeoutMs: 30_000 },
  );

const together = (act: string, key: string, body: object): Promise<readonly object[]> =>
  Promise.all(Array.from({ length: REPLAYS }, (_, i) => insist((i % 2 === 0 ? leader : standby).url, act, key, body)));

const audited = async (action: string): Promise<number> =>
  (await leader.store.audit(0, 500)).filter((row) => row.action === action).length;

describe(`${REPLAYS} concurrent replays of one key, at two controllers`, () => {
  it('pause once: one change, one audit row, one event, and all of them get the same answer', async () => {
    const answers = await together('pause', randomUUID(), PAUSE);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await audited('pause')).toBe(1);
    const events = await leader.store.events(0, 500, 'orders');
    expect(events.filter(({ type }) => type === 'operator')).toHaveLength(1);
  });

  it('open one saga', async () => {
    const answers = await together('switchover', randomUUID(), SWITCHOVER);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await leader.store.sagas('orders', 10)).toHaveLength(1);
    expect(leader.sagas.asked).toHaveLength(1);
  });

  it('another body under the key is refused', async () => {
    const key = randomUUID();
    await insist(leader.url, 'pause', key, PAUSE);
    const { body } = await post(leader.url, 'pause', key, { ...PAUSE, reason: 'another' }).expect(422);
    expect(body).toMatchObject({ code: 'idempotency_key_reused' });
    expect(await audited('pause')).toBe(1);
  });

  it('the next leader gives the same answer', async () => {
    const key = randomUUID();
    const first = await insist(leader.url, 'pause', key, PAUSE);
    await leader.store.releaseLease(leader.leadership.current().term, leader.leadership.me);
    leader.leadership.follow(null);
    await standby.lead();
    expect(await insist(standby.url, 'pause', key, PAUSE)).toEqual(first);
    expect(await audited('pause')).toBe(1);
  });
});
