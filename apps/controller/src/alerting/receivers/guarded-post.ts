import { lookup as resolve } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { mayConnect, refusedUrl } from './address-rules.js';
import type { Answer, OutgoingRequest } from './format.js';

/** More of an answer than this is not read. */
const MAX_ANSWER = 4_096;

export type PostAnswer = Answer & Readonly<{ retryAfterMs: number | null }>;

/**
 * HTTP POST for addresses that come from a configuration file. Redirects are not followed: a signed body must not travel
 * to an address nobody configured. The address that a name resolves to is checked, and is the one connected to, so a name
 * cannot mean another place the second time it is asked.
 */
export class GuardedPost {
  private readonly agent: Agent;

  constructor(
    private readonly allowPrivate: readonly string[],
    private readonly timeoutMs: number,
  ) {
    this.agent = new Agent({ connect: { lookup: guardedLookup(allowPrivate) }, keepAliveTimeout: 10_000 });
  }

  /** Rejects when there is no answer in time, or none may be asked for. */
  async send({ url, headers, body }: OutgoingRequest, signal: AbortSignal): Promise<PostAnswer> {
    const refused = refusedUrl(url, this.allowPrivate);
    if (refused !== null) throw new Error(refused);
    const answer = await request(url, {
      method: 'POST',
      dispatcher: this.agent,
      headers,
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(this.timeoutMs)]),
    });
    const text = await readSome(answer.body);
    return { status: answer.statusCode, body: text, retryAfterMs: retryAfter(answer.headers['retry-after']) };
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

async function readSome(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_ANSWER) break;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_ANSWER);
}

/** Seconds or a date, by RFC 9110; null when absent or unreadable. */
function retryAfter(value: string | string[] | undefined): number | null {
  if (typeof value !== 'string') return null;
  const ms = /^\d{1,6}$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

const guardedLookup =
  (allowed: readonly string[]): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, '', 0);
      const bad = addresses.find(({ address }) => !mayConnect(hostname, address, allowed));
      const [first] = addresses;
      if (bad !== undefined || first === undefined) {
        const why = `${hostname} resolves to ${bad?.address ?? 'nothing'}: name it in alerts.allowPrivate if that is meant`;
        return callback(Object.assign(new Error(why), { code: 'ADDRESS_REFUSED' }), '', 0);
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
