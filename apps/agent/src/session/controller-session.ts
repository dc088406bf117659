import { type ChannelCredentials, Client } from '@grpc/grpc-js';
import type { GoalStatus } from '#failover';
import type { Ms } from '#health';
import { AgentServiceService, CLIENT_CHANNEL_OPTIONS } from '#rpc';
import type { SessionOptions } from './session-types.js';
import { StreamSession } from './stream-session.js';

export type ControllerView = Readonly<{
  controller: string;
  connected: boolean; // welcomed
  leader: boolean;
  term: number;
  leaseTtlMs: Ms;
  heardAtMs: Ms;
}>;

/**
 * Keeps one session to one controller for as long as the agent runs, independent of all others: connect, handshake,
 * serve, and after its end again with a growing, jittered pause.
 */
export class ControllerSession {
  readonly #options: SessionOptions;
  readonly #client: Client;
  readonly #stop = new AbortController();
  #current: StreamSession | null = null;
  #running: Promise<void> | null = null;

  constructor(options: SessionOptions, credentials: ChannelCredentials) {
    this.#options = options;
    this.#client = new Client(options.controller, credentials, CLIENT_CHANNEL_OPTIONS);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Null while there is no welcomed session. */
  view(): ControllerView | null {
    const welcome = this.#current?.welcome ?? null;
    if (this.#current === null || welcome === null) return null;
    const { leader, term, leaseTtlMs } = welcome;
    return {
      controller: this.#options.controller,
      connected: true,
      leader,
      term,
      leaseTtlMs,
      heardAtMs: this.#current.heardAtMs,
    };
  }

  wantReport(): void {
    this.#current?.wantReport();
  }

  status(status: GoalStatus): void {
    this.#current?.status(status);
  }

  /** Goodbye to this controller, then nothing more. */
  async close(reason: string, withinMs: Ms): Promise<void> {
    this.#stop.abort();
    await this.#current?.goodbye(reason, withinMs);
    await this.#running;
    this.#client.close();
  }

  async #run(): Promise<void> {
    const { times, logger, controller } = this.#options;
    let backoffMs = times.backoffMinMs;
    let saidDown = false;
    while (!this.#stop.signal.aborted) {
      const session = this.#open();
      this.#current = session;
      const reason = await session.ended;
      const { welcomed } = session;
      if (welcomed) saidDown = false;
      this.#current = null;
      if (this.#stop.signal.aborted) return;
      backoffMs = welcomed ? times.backoffMinMs : Math.min(backoffMs * 2, times.backoffMaxMs);
      // Said once per outage: an agent whose controller is down for a day must not fill a disk.
      if (!saidDown) logger.info({ controller, reason }, 'no session: trying again until there is one');
      saidDown = true;
      await this.#pause(backoffMs * (0.75 + Math.random() / 2));
    }
  }

  #open(): StreamSession {
    const { path, requestSerialize, responseDeserialize } = AgentServiceService.session;
    return new StreamSession(
      this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize),
      this.#options,
    );
  }

  #pause(ms: Ms): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}
