import { Agent, fetch } from 'undici';
import type { Response } from 'undici';
import { ConfigCenterError, messageOf } from '../errors.js';

export type EtcdGatewayOptions = Readonly<{
  endpoints: readonly string[]; // http(s)://host:port, tried in turn
  deadlineMs?: number; // of every call to one endpoint (default 2000)
  username?: string;
  password?: string;
  tls?: Readonly<{ ca?: string; cert?: string; key?: string }>; // PEM
}>;

export type KeyValue = Readonly<{ key: string; value: string; modRevision: string }>;

/** What etcd says about one key after or at a revision. */
export type WatchMessage =
  | Readonly<{ kind: 'created' }>
  | Readonly<{ kind: 'events'; revision: string; values: readonly KeyValue[] }>
  | Readonly<{ kind: 'canceled'; reason: string }>;

type Json = Readonly<Record<string, unknown>>;
type Stream = Readonly<{ endpoint: string; end(why: Error): void }>;

const KEEP_IDLE_MS = 60_000;
// Tokens expire, a restarted server has forgotten them, and signed ones (JWT) are refused after any change of a role.
const TOKEN_IS_STALE = /invalid auth token|etcdserver: user name is empty|revision of auth store is old/;

const encode = (text: string) => Buffer.from(text, 'utf8').toString('base64');
const decode = (base64: unknown) => Buffer.from(text(base64, ''), 'base64').toString('utf8');
/** A string or number of a reply as text; etcd leaves out what is empty or zero, then `absent` stands for it. */
const text = (value: unknown, absent: string) =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : absent;

/**
 * etcd's v3 JSON gateway: plain HTTP, so no native or stale client library. Keys and values are base64, numbers come
 * as strings, and what is false or zero is left out of a reply. Every call has a deadline and goes to the next
 * endpoint when one does not answer; a call may therefore be carried out twice, so only repeatable ones are offered.
 */
export class EtcdGateway {
  private readonly endpoints: readonly string[];
  private readonly deadlineMs: number;
  private readonly credentials: Readonly<{ name: string; password: string }> | null;
  private readonly dispatcher: Agent;
  private readonly streams = new Set<Stream>();
  private preferred = 0;
  private token: string | null = null;

  constructor(options: EtcdGatewayOptions) {
    if (options.endpoints.length === 0) throw new RangeError('etcd needs at least one endpoint');
    this.endpoints = options.endpoints.map((e) => e.replace(/\/+$/, ''));
    this.deadlineMs = options.deadlineMs ?? 2_000;
    this.credentials =
      options.username === undefined ? null : { name: options.username, password: options.password ?? '' };
    // Bodies of watches are silent for hours; their own idle deadline is in the caller's hands. An idle connection is kept
    // for longer than a client's polls are apart: else a thousand clients that report a switch connect anew all at once.
    this.dispatcher = new Agent({
      connect: { timeout: this.deadlineMs, ...options.tls },
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_IDLE_MS,
    });
  }

  /** Reads several keys in one linearizable transaction: what is seen was true at one revision. */
  async getAll(keys: readonly string[]): Promise<{ revision: string; values: readonly (KeyValue | null)[] }> {
    const reply = await this.call('/v3/kv/txn', {
      success: keys.map((key) => ({ request_range: { key: encode(key) } })),
    });
    const responses = arrayOf(reply['responses']);
    return {
      revision: revisionOf(reply),
      values: keys.map((_, i) => {
        const kv = arrayOf(jsonOf(responses[i]?.['response_range'])['kvs'])[0];
        return kv === undefined ? null : keyValue(kv);
      }),
    };
  }

  /**
   * Writes `key` if every listed key still has the given modification revision ("0": is absent) or value.
   * True if it was written.
   */
  async putIf(
    key: string,
    value: string,
    conditions: readonly Readonly<{ key: string; modRevision?: string; value?: string }>[],
  ): Promise<boolean> {
    const reply = await this.call('/v3/kv/txn', {
      compare: conditions.map((c) =>
        c.value === undefined
          ? { key: encode(c.key), target: 'MOD', result: 'EQUAL', mod_revision: c.modRevision ?? '0' }
          : { key: encode(c.key), target: 'VALUE', result: 'EQUAL', value: encode(c.value) },
      ),
      success: [{ request_put: { key: encode(key), value: encode(value) } }],
    });
    return reply['succeeded'] === true; // absent, not false, when it lost
  }

  /** Writes `key` under a lease: it goes when the lease ends. */
  async putLeased(key: string, value: string, lease: string): Promise<void> {
    await this.call('/v3/kv/put', { key: encode(key), value: encode(value), lease });
  }

  async delete(key: string): Promise<void> {
    await this.call('/v3/kv/deleterange', { key: encode(key) });
  }

  /** All keys that begin with `prefix` (ASCII), in order, at most `limit`. */
  async getPrefix(prefix: string, limit: number): Promise<readonly KeyValue[]> {
    const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
    const reply = await this.call('/v3/kv/range', {
      key: encode(prefix),
      range_end: encode(end),
      limit,
      sort_order: 'ASCEND',
      sort_target: 'KEY',
    });
    return arrayOf(reply['kvs']).map(keyValue);
  }

  /** A lease of so many seconds. One that nobody uses (a call carried out twice) ends by itself. */
  async grantLease(ttlSeconds: number): Promise<string> {
    return text((await this.call('/v3/lease/grant', { TTL: ttlSeconds }))['ID'], '0');
  }

  /** Renews a lease to its full time; false if it had ended. */
  async keepLease(lease: string): Promise<boolean> {
    const reply = await this.call('/v3/lease/keepalive', { ID: lease });
    return Number(text(jsonOf(reply['result'])['TTL'], '0')) > 0;
  }

  /**
   * Streams changes of one key from `startRevision` on until the stream ends (returns) or breaks (throws), or until
   * another call had to go to another endpoint: the stream's own may have lost its power, and then nothing ends the
   * silence. `signal` ends it.
   */
  async *watch(key: string, startRevision: string, signal: AbortSignal): AsyncGenerator<WatchMessage> {
    const body = { create_request: { key: encode(key), start_revision: startRevision, progress_notify: true } };
    const left = new AbortController();
    let endpoint = '';
    const response = await this.anyEndpoint((url) => {
      endpoint = url;
      return this.open(`${url}/v3/watch`, body, AbortSignal.any([signal, left.signal]));
    });
    const stream: Stream = { endpoint, end: (why) => left.abort(why) };
    this.streams.add(stream);
    try {
      this.endStreamsElsewhere(); // a call may have gone elsewhere since this one was opened
      yield* this.messages(response);
    } catch (e) {
      throw left.signal.aborted ? left.signal.reason : e;
    } finally {
      this.streams.delete(stream);
    }
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }

  private async *messages(response: Response): AsyncGenerator<WatchMessage> {
    if (response.body === null) throw new Error('etcd sent no body for a watch');
    const lines = new TextDecoder();
    let rest = '';
    for await (const chunk of response.body) {
      rest += lines.decode(chunk as Uint8Array, { stream: true });
      const complete = rest.split('\n');
      rest = complete.pop() ?? '';
      for (const line of complete) if (line.trim() !== '') yield watchMessage(JSON.parse(line) as Json);
    }
  }

  private endStreamsElsewhere(): void {
    const answering = this.endpoints[this.preferred] ?? '';
    for (const { endpoint, end } of this.streams)
      if (endpoint !== answering) end(new Error(`etcd ${endpoint} does not answer any more, ${answering} does`));
  }

  private async call(path: string, body: Json): Promise<Json> {
    return this.anyEndpoint(async (url) => {
      const response = await this.open(`${url}${path}`, body, AbortSignal.timeout(this.deadlineMs));
      return (await response.json()) as Json;
    });
  }

  /** Each endpoint once, beginning with the one that answered last. A refusal ends it: all members say the same. */
  private async anyEndpoint<T>(ask: (url: string) => Promise<T>): Promise<T> {
    const failures: unknown[] = [];
    for (let i = 0; i < this.endpoints.length; i++) {
      const at = (this.preferred + i) % this.endpoints.length;
      try {
        const answer = await ask(this.endpoints[at] ?? '');
        const moved = at !== this.preferred;
        this.preferred = at;
        if (moved) this.endStreamsElsewhere();
        return answer;
      } catch (e) {
        if (e instanceof ConfigCenterError && e.code === 'CENTER_REFUSED') throw e;
        failures.push(e);
      }
    }
    throw new ConfigCenterError(
      'CENTER_UNREACHABLE',
      `etcd ${this.endpoints.join(', ')}: ${failures.map(describe).join('; ')}`,
      'it is retried; check the servers, their quorum and the network',
      failures.at(-1),
    );
  }

  /** Sends one request; the deadline covers the wait for its head, `signal` the whole. */
  private async open(url: string, body: Json, signal: AbortSignal, retried = false): Promise<Response> {
    if (this.credentials !== null && this.token === null) await this.authenticate(new URL(url).origin);
    const token = this.token;
    const head = new AbortController();
    const timer = setTimeout(() => head.abort(new Error(`no answer in ${this.deadlineMs} ms`)), this.deadlineMs);
    try {
      const response = await fetch(url, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: token }) },
        signal: AbortSignal.any([signal, head.signal]),
        dispatcher: this.dispatcher,
      });
      if (response.ok) return response;
      const text = (await response.text()).slice(0, 300);
      if (this.credentials !== null && !retried && TOKEN_IS_STALE.test(text)) {
        if (this.token === token) this.token = null; // else another call has fetched a new one already
        return await this.open(url, body, signal, true);
      }
      throw refusal(response.status, text);
    } finally {
      clearTimeout(timer);
    }
  }

  private async authenticate(origin: string): Promise<void> {
    const response = await fetch(`${origin}/v3/auth/authenticate`, {
      method: 'POST',
      body: JSON.stringify(this.credentials),
      signal: AbortSignal.timeout(this.deadlineMs),
      dispatcher: this.dispatcher,
    });
    const body = await response.text();
    if (!response.ok) throw refusal(response.status, body.slice(0, 300));
    this.token = text((JSON.parse(body) as Json)['token'], '');
  }
}

/** 503, 504 and etcd's own words for "no leader" pass by themselves; everything else wants a person. */
function refusal(status: number, text: string): Error {
  if (status >= 502 || /no leader|timed out|unavailable|leader changed|too many requests/i.test(text))
    return new Error(`HTTP ${status} ${text}`);
  return new ConfigCenterError(
    'CENTER_REFUSED',
    `etcd answered HTTP ${status}: ${text}`,
    'check user, role and endpoint',
  );
}

function describe(e: unknown): string {
  const cause = e instanceof Error ? e.cause : undefined;
  return cause === undefined ? messageOf(e) : `${messageOf(e)} (${messageOf(cause)})`;
}

function watchMessage(line: Json): WatchMessage {
  if (line['error'] !== undefined) return { kind: 'canceled', reason: JSON.stringify(line['error']) };
  const result = jsonOf(line['result']);
  if (result['canceled'] === true)
    return {
      kind: 'canceled',
      reason: text(result['cancel_reason'], `compacted at ${text(result['compact_revision'], '?')}`),
    };
  if (result['created'] === true) return { kind: 'created' };
  const values = arrayOf(result['events'])
    .filter((e) => e['type'] !== 'DELETE') // a deleted pointer is no pointer: clients keep the last one (I30)
    .map((e) => keyValue(jsonOf(e['kv'])));
  return { kind: 'events', revision: revisionOf(result), values };
}

function keyValue(kv: Json): KeyValue {
  return { key: decode(kv['key']), value: decode(kv['value']), modRevision: text(kv['mod_revision'], '0') };
}

function revisionOf(reply: Json): string {
  return text(jsonOf(reply['header'])['revision'], '0');
}

function jsonOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function arrayOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as Json[]) : [];
}
