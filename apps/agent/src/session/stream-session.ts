import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { CommandResult, GoalStatus } from '#failover';
import type { Ms } from '#health';
import {
  acceptsProtocol,
  type AgentMessage,
  type ControllerMessage,
  type ControllerWelcome,
  PROTOCOL_VERSION,
  requestToWire,
  responseFromWire,
  type SessionRequest,
  type SessionResponse,
} from '#rpc';
import { Outbox } from './outbox.js';
import type { SessionOptions } from './session-types.js';

export type SessionStream = ClientDuplexStream<SessionRequest, SessionResponse>;

/** Commands of one session that may run at once in this process, whatever the runner allows. */
const MAX_COMMANDS = 256;

/**
 * One stream to one controller, from Hello to its end. Never restarted: after it ended a new one makes a new handshake,
 * so no command crosses a silence (a leader frozen past its lease must find every door shut).
 */
export class StreamSession {
  readonly ended: Promise<string>;
  readonly #o: SessionOptions;
  readonly #stream: SessionStream;
  readonly #outbox = new Outbox();
  readonly #openedAtMs: Ms;
  #resolveEnded: (reason: string) => void = () => undefined;
  #welcome: ControllerWelcome | null = null;
  #ticker: NodeJS.Timeout;
  #seq = 0;
  #acked = 0;
  #unackedSinceMs: Ms | null = null;
  /** Of requests that are not acknowledged yet; bounded by `ackWithinMs`. */
  readonly #sentAtBySeq = new Map<number, Ms>();
  #ackedSentAtMs: Ms | null = null; // when the newest acknowledged request was sent
  #heardAtMs: Ms;
  #sentAtMs: Ms;
  #fullAtMs: Ms | null = null; // when the last full report left
  #revision = 0;
  #fullWanted = true;
  #reportWanted = false;
  #writing = 0; // handed to the transport and not yet taken: while one is, nothing more is made, so nothing gets old there
  #running = 0;
  #over = false;

  constructor(stream: SessionStream, options: SessionOptions) {
    this.#o = options;
    this.#stream = stream;
    const now = options.clock();
    this.#openedAtMs = now;
    this.#heardAtMs = now;
    this.#sentAtMs = now;
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    stream.on('data', (response: SessionResponse) => this.#onResponse(response));
    stream.on('error', (error) => this.#end(error.message));
    stream.on('end', () => this.#end('the controller closed the session'));
    this.#ticker = setInterval(() => this.#tick(), Math.min(options.times.reportEveryMs, 500));
    this.#write({ kind: 'hello', hello: options.source.hello() });
  }

  get welcome(): ControllerWelcome | null {
    return this.#over ? null : this.#welcome;
  }

  /** Whether the handshake was ever completed, also after the end. */
  get welcomed(): boolean {
    return this.#welcome !== null;
  }

  get heardAtMs(): Ms {
    return this.#heardAtMs;
  }

  /** The book has something new. */
  wantReport(): void {
    this.#reportWanted = true;
    this.#pump();
  }

  status(status: GoalStatus): void {
    if (this.#welcome === null) return; // the full report after the handshake carries it
    this.#outbox.status(status, this.#o.clock());
    this.#pump();
  }

  /** Says goodbye and half-closes; resolves when the controller has taken it in, or after `withinMs`. */
  async goodbye(reason: string, withinMs: Ms): Promise<void> {
    if (this.#over) return;
    if (this.#welcome !== null) this.#write({ kind: 'goodbye', reason });
    this.#stream.end();
    const timer = setTimeout(() => this.#end('goodbye was not answered in time'), withinMs);
    await this.ended;
    clearTimeout(timer);
  }

  cancel(reason: string): void {
    this.#end(reason);
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#ticker);
    this.#outbox.clear();
    this.#stream.cancel();
    this.#resolveEnded(reason);
  }

  #onResponse(response: SessionResponse): void {
    if (this.#over) return;
    const now = this.#o.clock();
    const silentMs = now - this.#heardAtMs;
    const message = responseFromWire(response);
    const { leaseTtlMs } = this.#welcome ?? (message?.kind === 'welcome' ? message.welcome : { leaseTtlMs: Infinity });
    if (silentMs > leaseTtlMs) {
      // Whatever this is, an acknowledgement too: what lies behind it may be the will of a leader that leads no more.
      return this.#end(`silent for ${Math.round(silentMs)} ms, longer than the lease: a new handshake is needed`);
    }
    this.#heardAtMs = now;
    if (response.ackSeq > this.#acked) {
      this.#acknowledged(response.ackSeq);
      this.#unackedSinceMs = this.#acked >= this.#seq ? null : now;
    }
    if (message !== null) this.#onMessage(message);
  }

  #acknowledged(seq: number): void {
    this.#acked = seq;
    this.#ackedSentAtMs = this.#sentAtBySeq.get(seq) ?? this.#ackedSentAtMs;
    for (const old of this.#sentAtBySeq.keys()) if (old <= seq) this.#sentAtBySeq.delete(old);
  }

  #onMessage(message: ControllerMessage): void {
    if (message.kind === 'welcome') return this.#onWelcome(message.welcome);
    if (this.#welcome === null) return this.#end('the controller spoke before its welcome');
    switch (message.kind) {
      case 'goal_set':
        if (!this.#welcome.leader) return this.#end('goals from a controller that does not lead');
        return this.#o.source.onGoalSet(message.goalSet);
      case 'command':
        if (!this.#welcome.leader) return this.#end('a command from a controller that does not lead');
        return this.#run(message);
      case 'unknown_command':
        return this.#answer({ id: message.id, ok: false, code: 'unsupported', detail: 'unknown to this version' });
      case 'full_report_wanted':
        this.#fullWanted = true;
        return this.#pump();
      case 'lease_token':
        if (!this.#welcome.leader) return this.#end('a lease token from a controller that does not lead');
        return this.#onLeaseToken(message);
    }
  }

  /** As old as the request that it answers: what was held up on its way proves nothing of now. */
  #onLeaseToken({ term, number, grants }: Extract<ControllerMessage, { kind: 'lease_token' }>): void {
    const sentAtMs = this.#ackedSentAtMs;
    if (sentAtMs !== null) this.#o.source.onLeaseToken({ term, number, grants, sentAtMs });
  }

  #onWelcome(welcome: ControllerWelcome): void {
    if (!acceptsProtocol(welcome.protocolVersion)) {
      return this.#end(`protocol ${welcome.protocolVersion} is more than one version from ${PROTOCOL_VERSION}`);
    }
    this.#welcome = welcome;
    this.#o.source.onWelcome(welcome);
    this.#pump();
  }

  #run({ command }: Extract<ControllerMessage, { kind: 'command' }>): void {
    if (this.#running >= MAX_COMMANDS) {
      return this.#answer({ id: command.id, ok: false, code: 'unavailable', detail: 'too many commands at once' });
    }
    this.#running += 1;
    void this.#o.source.run(command).then((result) => {
      this.#running -= 1;
      this.#answer(result);
    });
  }

  #answer(result: CommandResult): void {
    if (this.#over) return;
    if (!this.#outbox.result({ kind: 'command_result', result })) return this.#end('results pile up: not taken in');
    this.#pump();
  }

  #tick(): void {
    const now = this.#o.clock();
    const { times } = this.#o;
    if (this.#welcome === null) {
      if (now - this.#openedAtMs > times.welcomeWithinMs) this.#end('no welcome in time');
      return;
    }
    if (this.#unackedSinceMs !== null && now - this.#unackedSinceMs > times.ackWithinMs) {
      return this.#end('nothing was acknowledged in time');
    }
    if (this.#fullAtMs !== null && now - this.#fullAtMs >= times.fullEveryMs) this.#fullWanted = true;
    if (now - this.#sentAtMs >= times.reportEveryMs) this.#reportWanted = true;
    this.#pump();
  }

  /** Writes while the transport takes it. Of reports only the newest state ever waits. */
  #pump(): void {
    while (!this.#over && this.#writing === 0 && this.#welcome !== null) {
      const now = this.#o.clock();
      const waiting = this.#outbox.next(now);
      if (waiting !== null) {
        this.#write(waiting);
      } else if (this.#fullWanted || this.#reportWanted) {
        this.#writeReport(now);
      } else {
        return;
      }
    }
  }

  #writeReport(now: Ms): void {
    const full = this.#fullWanted;
    this.#fullWanted = false;
    this.#reportWanted = false;
    const { report, revision } = this.#o.source.report(this.#revision, full, now);
    this.#revision = revision;
    if (full) {
      this.#fullAtMs = now;
      for (const status of this.#o.source.statuses()) this.#outbox.status(status, now);
    }
    this.#write({ kind: 'report', report });
  }

  #write(message: AgentMessage): void {
    const now = this.#o.clock();
    this.#seq += 1;
    this.#sentAtMs = now;
    this.#sentAtBySeq.set(this.#seq, now);
    this.#unackedSinceMs ??= now;
    this.#writing += 1;
    this.#stream.write(requestToWire(this.#seq, message), () => {
      this.#writing -= 1;
      this.#pump();
    });
  }
}
