import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor } from '#lab';
import { type ApiApp, TOKEN } from './api-app.js';
import { ApiRig } from './api-rig.js';

let rig: ApiRig;
let api: ApiApp;

beforeEach(async () => {
  rig = new ApiRig();
  api = await rig.start('ctl-a');
  await api.lead();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rig.close();
});

/** Reads a stream until `enough` says so; the text so far. */
async function stream(
  of: ApiApp,
  headers: Record<string, string>,
  enough: (text: string) => boolean,
  { query = '', token = TOKEN } = {},
) {
  const closed = new AbortController();
  const res = await fetch(`${of.url}/v1/events${query}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...headers },
    signal: closed.signal,
  });
  expect(res.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  for await (const chunk of res.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (enough(text)) break;
  }
  closed.abort();
  return text;
}

const idsIn = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map((m) => Number(m[1]));

describe('the event stream', () => {
  it('resumes after Last-Event-ID, at any controller, without gap or repeat', async () => {
    await api.addEvents(...Array.from({ length: 5 }, (_, i) => ({ summary: `event ${i + 1}` })));
    const first = await stream(api, { 'last-event-id': '1' }, (t) => idsIn(t).length >= 2);
    expect(idsIn(first).slice(0, 2)).toEqual([2, 3]);
    const b = await rig.start('ctl-b');
    const reading = stream(b, { 'last-event-id': '3' }, (t) => idsIn(t).length >= 4);
    await api.addEvents({ summary: 'event 6' }, { summary: 'event 7' });
    expect(idsIn(await reading)).toEqual([4, 5, 6, 7]);
  });

  it('starts with what happens from now on, and comments while nothing does', async () => {
    await api.addEvents({ summary: 'old' });
    let sawHeartbeat = (): void => undefined;
    const heartbeat = new Promise<void>((resolve) => (sawHeartbeat = resolve));
    const reading = stream(api, {}, (t) => {
      if (t.includes(': heartbeat')) sawHeartbeat();
      return idsIn(t).length > 0;
    });
    await heartbeat;
    await api.addEvents({ summary: 'new' });
    const text = await reading;
    expect(idsIn(text)).toEqual([2]);
    expect(text).toMatch(/^event: saga\ndata: \{.*"summary":"new".*\}$/m);
  });

  it('is limited to a group when asked, and shows decisions without their explanation', async () => {
    await api.addEvents({ group: null, summary: 'of nobody' });
    await api.addDecision();
    const text = await stream(api, {}, (t) => idsIn(t).length > 0, { query: '?after=0&group=orders' });
    expect(idsIn(text)).toEqual([2]);
    expect(text).toContain('"explain":"/v1/groups/orders/explain?event=2"');
    expect(text).not.toContain('rowsAbove');
  });

  it('outlives the store, and ends when the controller stops', async () => {
    const other = await rig.start('ctl-b');
    const text = { now: '' };
    const reading = stream(other, { 'last-event-id': '0' }, (t) => {
      text.now = t;
      return false;
    });
    const seen = (what: string) =>
      waitFor(what, () => text.now.includes(what) || undefined, { timeoutMs: 5_000, pollMs: 5 });
    await seen(': connected');
    rig.database.partition('ctl-b');
    await api.addEvents({ summary: 'meanwhile' });
    await seen(': heartbeat');
    rig.database.heal('ctl-b');
    await seen('meanwhile');
    await rig.stop(other);
    expect(idsIn(await reading)).toEqual([1]);
  });

  it.each<[string, (id: string) => Promise<void>]>([
    ['is revoked', async (id) => void (await api.post(`/v1/tokens/${id}/revoke`, {}, { epoch: null }).expect(200))],
    ['comes to its end', async () => void vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 2 * 86_400_000)],
  ])('ends when its token %s', async (_, happens) => {
    const { body } = await api.post('/v1/tokens', { name: 'wall', role: 'viewer', expiresIn: '1d' }, { epoch: null });
    const { id, token } = body as { id: string; token: string };
    let sawHeartbeat = (): void => undefined;
    const heartbeat = new Promise<void>((resolve) => (sawHeartbeat = resolve));
    const reading = stream(
      api,
      {},
      (text) => {
        if (text.includes(': heartbeat')) sawHeartbeat();
        return false;
      },
      { token },
    );
    await heartbeat;
    await happens(id);
    const text = await reading; // it has an end of its own
    expect(text).toMatch(/: not authorised any more\n\n$/);
    await api.get('/v1/events', token).expect(401);
  });

  it('a closed reader frees its place', async () => {
    for (let i = 0; i < 40; i += 1) await stream(api, {}, (t) => t.includes(': connected'));
    await api.get('/healthz').expect(200);
  });
});
