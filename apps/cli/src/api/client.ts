import type { IncomingMessage } from 'node:http';
import { CliError, EXIT } from '../exit-codes.js';
import { httpCall, textOf } from './http-call.js';
import type { Call } from './http-call.js';
import { ProblemError, parseProblem } from './problem-error.js';

export type ClientOptions = Readonly<{
  servers: readonly string[];
  token: string | null;
  timeoutMs: number;
  signal: AbortSignal;
}>;

/** `epoch` null: the write is about no group. */
export type WriteRequest = Readonly<{ path: string; body: unknown; epoch: number | null; key?: string }>;
type Answer = Readonly<{ status: number; text: string }>;

/** Talks to the first controller that answers; a write goes on to the leader once when a standby names it. */
export class ApiClient {
  constructor(private readonly options: ClientOptions) {}

  /** Text of the body, so that `-o json` prints it unchanged. */
  async get(path: string): Promise<string> {
    return success(await this.anywhere((server) => this.ask(server, path, { method: 'GET' })));
  }

  async write(request: WriteRequest): Promise<string> {
    const call = {
      method: 'POST' as const,
      body: JSON.stringify(request.body),
      headers: {
        'content-type': 'application/json',
        ...(request.key === undefined ? {} : { 'idempotency-key': request.key }),
        ...(request.epoch === null ? {} : { 'if-match': `"${request.epoch}"` }),
      },
    };
    const first = await this.anywhere((server) => this.ask(server, request.path, call));
    if (first.status !== 421) return success(first);
    const { leader } = parseProblem(421, jsonOf(first.text));
    if (!leader) throw new CliError('The controller does not lead and names no leader: try again.', EXIT.error);
    // The same key: should the first server have led after all, the act is still done once.
    return success(await this.ask(leader, request.path, call));
  }

  /** An open response whose body the caller reads and which has no time limit of its own. */
  async stream(path: string, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
    const { signal } = this.options;
    const call = { method: 'GET' as const, headers: { accept: 'text/event-stream', ...headers } };
    const res = await this.anywhere((server) => this.open(server, path, { ...call, signal }));
    if (res.statusCode === 200) return res;
    throw new ProblemError(parseProblem(res.statusCode ?? 0, jsonOf(await textOf(res))));
  }

  private async anywhere<T>(ask: (server: string) => Promise<T>): Promise<T> {
    const failures: CliError[] = [];
    for (const server of this.options.servers) {
      try {
        return await ask(server);
      } catch (e) {
        if (!(e instanceof CliError) || e.exitCode === EXIT.usage || this.options.signal.aborted) throw e;
        failures.push(e);
      }
    }
    const timedOut = failures.length > 0 && failures.every((f) => f.exitCode === EXIT.timedOut);
    throw new CliError(
      [...failures.map((f) => f.message), 'No controller answered: check --server (or POINTSMAN_SERVER).'].join('\n'),
      timedOut ? EXIT.timedOut : EXIT.error,
    );
  }

  /** Request and whole answer within the time limit. */
  private async ask(server: string, path: string, call: Omit<Call, 'signal'>): Promise<Answer> {
    const deadline = AbortSignal.timeout(this.options.timeoutMs);
    const signal = AbortSignal.any([this.options.signal, deadline]);
    try {
      const res = await this.open(server, path, { ...call, signal });
      return { status: res.statusCode ?? 0, text: await textOf(res) };
    } catch (cause) {
      if (deadline.aborted) {
        throw new CliError(`${server}: no answer within ${this.options.timeoutMs} ms`, EXIT.timedOut, { cause });
      }
      throw cause instanceof CliError ? cause : new CliError(`${server}: ${reasonOf(cause)}`, EXIT.error, { cause });
    }
  }

  private async open(server: string, path: string, call: Call): Promise<IncomingMessage> {
    const url = urlOf(server, path);
    const { token } = this.options;
    const headers = token === null ? call.headers : { ...call.headers, authorization: `Bearer ${token}` };
    try {
      return await httpCall(url, { ...call, headers });
    } catch (cause) {
      throw new CliError(`${server}: ${reasonOf(cause)}`, EXIT.error, { cause });
    }
  }
}

const success = ({ status, text }: Answer): string => {
  if (status >= 200 && status < 300) return text;
  throw new ProblemError(parseProblem(status, jsonOf(text)));
};

const urlOf = (server: string, path: string): URL => {
  try {
    return new URL(path, server);
  } catch (cause) {
    throw new CliError(`--server ${server} is not a URL such as http://127.0.0.1:8080`, EXIT.usage, { cause });
  }
};

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not ours, or cut short: the status alone is reported
  }
};

/** `ECONNREFUSED connect ECONNREFUSED …`; several addresses of one name fail as an aggregate without words of its own. */
const reasonOf = (e: unknown): string => {
  if (e instanceof AggregateError) return e.errors.map(reasonOf).join('; ');
  if (!(e instanceof Error)) return String(e);
  return 'code' in e ? `${String(e.code)} ${e.message}` : e.message;
};
