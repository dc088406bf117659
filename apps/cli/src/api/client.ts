import { CliError, EXIT } from '../exit-codes.js';
import { ProblemError, parseProblem } from './problem-error.js';

export type ClientOptions = Readonly<{
  servers: readonly string[];
  token: string | null;
  timeoutMs: number;
  signal: AbortSignal;
}>;

export type WriteRequest = Readonly<{ path: string; body: unknown; epoch: number; key: string }>;

/** Talks to the first controller that answers; a write goes on to the leader once when a standby names it. */
export class ApiClient {
  constructor(private readonly options: ClientOptions) {}

  /** Text of the body, so that `-o json` prints it unchanged. */
  async get(path: string): Promise<string> {
    return this.read(await this.anywhere((server) => this.call(server, path, { method: 'GET' })));
  }

  async write(request: WriteRequest): Promise<string> {
    const init = {
      method: 'POST',
      body: JSON.stringify(request.body),
      headers: {
        'content-type': 'application/json',
        'idempotency-key': request.key,
        'if-match': `"${request.epoch}"`,
      },
    };
    const first = await this.anywhere((server) => this.call(server, request.path, init));
    if (first.status !== 421) return this.read(first);
    const { leader } = parseProblem(421, await bodyOf(first));
    if (!leader) throw new CliError('The controller does not lead and names no leader: try again.', EXIT.error);
    // The same key: should the first server have led after all, the act is still done once.
    return this.read(await this.call(leader, request.path, init));
  }

  /** An open response whose body the caller reads and which has no time limit of its own. */
  async stream(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    const res = await this.anywhere((server) =>
      this.call(server, path, { method: 'GET', headers: { accept: 'text/event-stream', ...headers } }, signal),
    );
    if (!res.ok) await this.read(res);
    return res;
  }

  private async anywhere(ask: (server: string) => Promise<Response>): Promise<Response> {
    const failures: CliError[] = [];
    for (const server of this.options.servers) {
      try {
        return await ask(server);
      } catch (e) {
        if (!(e instanceof CliError) || this.options.signal.aborted) throw e;
        failures.push(e);
      }
    }
    const timedOut = failures.length > 0 && failures.every((f) => f.exitCode === EXIT.timedOut);
    throw new CliError(
      [...failures.map((f) => f.message), 'No controller answered: check --server (or POINTSMAN_SERVER).'].join('\n'),
      timedOut ? EXIT.timedOut : EXIT.error,
    );
  }

  private async call(server: string, path: string, init: RequestInit, open?: AbortSignal): Promise<Response> {
    const url = urlOf(server, path);
    const deadline = open ?? AbortSignal.timeout(this.options.timeoutMs);
    const headers = new Headers(init.headers);
    if (this.options.token !== null) headers.set('authorization', `Bearer ${this.options.token}`);
    try {
      const signal = AbortSignal.any([this.options.signal, deadline]);
      return await fetch(url, { ...init, headers, redirect: 'error', signal });
    } catch (cause) {
      if (deadline.aborted && !open) {
        throw new CliError(`${server}: no answer within ${this.options.timeoutMs} ms`, EXIT.timedOut, { cause });
      }
      throw new CliError(`${server}: ${reasonOf(cause)}`, EXIT.error, { cause });
    }
  }

  private async read(res: Response): Promise<string> {
    try {
      if (res.ok) return await res.text();
    } catch (cause) {
      throw new CliError(`the answer broke off: ${reasonOf(cause)}`, EXIT.timedOut, { cause });
    }
    throw new ProblemError(parseProblem(res.status, await bodyOf(res)));
  }
}

const urlOf = (server: string, path: string): URL => {
  try {
    return new URL(path, server);
  } catch (cause) {
    throw new CliError(`--server ${server} is not a URL such as http://127.0.0.1:8080`, EXIT.usage, { cause });
  }
};

const bodyOf = async (res: Response): Promise<unknown> => {
  try {
    return await res.json();
  } catch {
    return null; // not ours, or cut short: the status alone is reported
  }
};

const reasonOf = (e: unknown): string => {
  if (!(e instanceof Error)) return String(e);
  const cause = e.cause;
  if (cause instanceof Error) return 'code' in cause ? `${String(cause.code)} ${cause.message}` : cause.message;
  return e.message;
};
