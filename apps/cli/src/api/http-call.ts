import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';

export type Call = Readonly<{
  method: 'GET' | 'POST';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  signal: AbortSignal;
}>;

/**
 * One request over node:http. Not fetch: that repeats a request answered 421 by itself, with a body it has already used
 * up, and 421 is how a standby names the leader. Follows no redirects; rejects as node:http does.
 */
export const httpCall = async (url: URL, call: Call): Promise<IncomingMessage> => {
  const send = url.protocol === 'https:' ? (await import('node:https')).request : httpRequest;
  const headers: Record<string, string> = { ...call.headers };
  if (call.body !== undefined) headers['content-length'] = String(Buffer.byteLength(call.body));
  return new Promise((resolve, reject) => {
    const req = send(url, { method: call.method, headers, signal: call.signal }, resolve);
    req.once('error', reject);
    req.end(call.body);
  });
};

/** The whole body; rejects if it breaks off. */
export const textOf = async (res: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};
