import { Agent, request } from 'undici';
import type { Ms, ProbeErrorKind } from '#health';
import { DeadlineError } from '../deadline.js';
import { failureOf } from '../kafka-error.js';

export type ConnectState = 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FAILED' | 'UNASSIGNED' | 'RESTARTING';
export type ConnectorStatus = Readonly<{
  name: string;
  state: string; // a {@link ConnectState}, or a word of a newer Connect
  worker: string;
  trace: string | null; // of a connector that failed itself
  tasks: readonly Readonly<{ id: number; state: string; trace: string | null }>[];
}>;
/** N of one partition as Connect has stored it. `offset` null: no number in the entry. */
export type ConnectorOffset = Readonly<{ cluster: string; topic: string; partition: number; offset: number | null }>;

/** What a worker's refusal or silence means. `stateUnknown`: the request may still be carried out, at any time later. */
export class ConnectError extends Error {
  readonly code = 'POINTSMAN_CONNECT';
  readonly kind: ProbeErrorKind;
  readonly status: number | null; // of HTTP; null: no answer
  readonly stateUnknown: boolean;
  constructor(
    message: string,
    at: Readonly<{ kind: ProbeErrorKind; status: number | null; stateUnknown: boolean }>,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ConnectError';
    this.kind = at.kind;
    this.status = at.status;
    this.stateUnknown = at.stateUnknown;
  }
}

type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/**
 * One Connect worker's REST interface, each request under a deadline.
 *
 * A mutating request that timed out is not lost: it waits in the worker's queue and is executed when the worker's own
 * Kafka comes back. So never send one before that Kafka has just answered, and after {@link ConnectError.stateUnknown}
 * believe nothing but what {@link status} and {@link offsets} read back. No status code of a change proves the change.
 */
export class ConnectClient {
  readonly #base: string;
  readonly #http: Agent;

  constructor(baseUrl: string) {
    this.#base = baseUrl.replace(/\/+$/, '');
    this.#http = new Agent({ connections: 4, pipelining: 1, keepAliveTimeout: 30_000 });
  }

  /** Null: no such connector. */
  async status(name: string, deadlineMs: Ms): Promise<ConnectorStatus | null> {
    const body = await this.#get(name, 'status', deadlineMs);
    if (body === null) return null;
    const { connector, tasks } = asRecord(body);
    const c = asRecord(connector);
    return {
      name,
      state: String(c.state),
      worker: String(c.worker_id),
      trace: typeof c.trace === 'string' ? c.trace : null,
      tasks: asArray(tasks).map((t) => {
        const task = asRecord(t);
        return {
          id: Number(task.id),
          state: String(task.state),
          trace: typeof task.trace === 'string' ? task.trace : null,
        };
      }),
    };
  }

  /** Null: no such connector. Entries that are no topic's offset (heartbeats, checkpoints) are left out. */
  async offsets(name: string, deadlineMs: Ms): Promise<readonly ConnectorOffset[] | null> {
    const body = await this.#get(name, 'offsets', deadlineMs);
    if (body === null) return null;
    const entries: ConnectorOffset[] = [];
    for (const entry of asArray(asRecord(body).offsets)) {
      const { partition, offset } = asRecord(entry);
      const where = asRecord(partition);
      if (typeof where.cluster !== 'string' || typeof where.topic !== 'string' || typeof where.partition !== 'number')
        continue;
      const n = asRecord(offset).offset;
      entries.push({
        cluster: where.cluster,
        topic: where.topic,
        partition: where.partition,
        offset: typeof n === 'number' ? n : null,
      });
    }
    return entries;
  }

  /** Null: no such connector. */
  async config(name: string, deadlineMs: Ms): Promise<Readonly<Record<string, string>> | null> {
    const body = await this.#get(name, 'config', deadlineMs);
    return body === null ? null : Object.fromEntries(Object.entries(asRecord(body)).map(([k, v]) => [k, String(v)]));
  }

  /** Asked only: 202 or 204 says that the worker took the wish, not that it is so. */
  async change(name: string, to: 'pause' | 'resume' | 'stop', deadlineMs: Ms): Promise<void> {
    await this.#send('PUT', `/connectors/${encodeURIComponent(name)}/${to}`, null, deadlineMs);
  }

  /** The connector and its tasks, those that failed only. Asked only, as {@link change}. */
  async restartFailed(name: string, deadlineMs: Ms): Promise<void> {
    const path = `/connectors/${encodeURIComponent(name)}/restart?includeTasks=true&onlyFailed=true`;
    await this.#send('POST', path, null, deadlineMs);
  }

  /** Stopped connectors only. The worker checks names and types, not sense: read {@link offsets} back and compare. */
  async alterOffsets(name: string, entries: readonly ConnectorOffset[], deadlineMs: Ms): Promise<void> {
    const offsets = entries.map((e) => ({
      partition: { cluster: e.cluster, partition: e.partition, topic: e.topic },
      offset: e.offset === null ? null : { offset: e.offset },
    }));
    await this.#send('PATCH', `/connectors/${encodeURIComponent(name)}/offsets`, { offsets }, deadlineMs);
  }

  async create(
    name: string,
    config: Readonly<Record<string, string>>,
    initialState: 'RUNNING' | 'PAUSED' | 'STOPPED',
    deadlineMs: Ms,
  ): Promise<void> {
    await this.#send('POST', '/connectors', { name, config, initial_state: initialState }, deadlineMs);
  }

  async close(): Promise<void> {
    await this.#http.destroy();
  }

  async #get(name: string, what: 'status' | 'offsets' | 'config', deadlineMs: Ms): Promise<unknown> {
    const path = `/connectors/${encodeURIComponent(name)}/${what}`;
    const { status, text } = await this.#call('GET', path, null, deadlineMs);
    if (status === 404 && saysAbsent(text, name)) return null;
    if (status !== 200) throw this.#refused('GET', path, status, text);
    return parse(text, `GET ${path}`);
  }

  async #send(method: Method, path: string, body: unknown, deadlineMs: Ms): Promise<void> {
    const { status, text } = await this.#call(method, path, body, deadlineMs);
    if (status < 200 || status > 299) throw this.#refused(method, path, status, text);
  }

  async #call(method: Method, path: string, body: unknown, deadlineMs: Ms): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadlineMs)));
    try {
      const response = await request(`${this.#base}${path}`, {
        method,
        dispatcher: this.#http,
        signal,
        ...(body === null ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const length = Number(response.headers['content-length'] ?? 0);
      if (length > MAX_BODY_BYTES) throw new Error(`answer of ${length} bytes, more than ${MAX_BODY_BYTES}`);
      return { status: response.statusCode, text: await response.body.text() };
    } catch (cause) {
      const failure = failureOf(signal.aborted ? new DeadlineError(`${method} ${path}`, deadlineMs, { cause }) : cause);
      // A refused connection never reached the worker; anything else may have, and a change may come true later.
      const stateUnknown = method !== 'GET' && failure.kind !== 'refused' && failure.kind !== 'dns';
      throw new ConnectError(
        `${method} ${path} on the Connect worker: ${failure.detail}`,
        { kind: failure.kind, status: null, stateUnknown },
        cause,
      );
    }
  }

  #refused(method: Method, path: string, status: number, text: string): ConnectError {
    const kind: ProbeErrorKind = status === 401 ? 'authentication' : status === 403 ? 'authorization' : 'other';
    // 409 while the worker's group rebalances and 500 after its own time-out: the change may have been queued.
    const stateUnknown = method !== 'GET' && status >= 500;
    return new ConnectError(`${method} ${path} on the Connect worker: ${status} ${text.slice(0, 300)}`, {
      kind,
      status,
      stateUnknown,
    });
  }
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ConnectError(
      `${what}: the answer is not JSON`,
      { kind: 'other', status: 200, stateUnknown: false },
      cause,
    );
  }
}

/**
 * Whether a 404 is the herder's own word on this connector: `{"error_code":404,"message":"Connector x not found"}`. Not what
 * Jetty says (HTML) for every path between its start and that of Connect's resources, nor an ingress without a backend, nor
 * Jersey (`HTTP 404 Not Found`, in the same JSON) for a path that it does not serve: behind each of those x may be copying.
 */
function saysAbsent(text: string, name: string): boolean {
  const { error_code: code, message } = asRecord(jsonOrNull(text));
  return code === 404 && typeof message === 'string' && message.includes(name);
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null; // HTML, or nothing at all
  }
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
