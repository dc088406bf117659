import { type ServerDuplexStream, status as Status, type ServiceError } from '@grpc/grpc-js';
import type { Ms } from '#health';
import {
  type AgentHello,
  type AgentMessage,
  acceptsProtocol,
  type ControllerMessage,
  PROTOCOL_VERSION,
  requestFromWire,
  responseToWire,
  type SessionRequest,
  type SessionResponse,
} from '#rpc';

export type SessionCall = ServerDuplexStream<SessionRequest, SessionResponse>;

export type AgentStreamHooks = Readonly<{
  /** Null: welcome; else why this agent is refused. */
  onHello(stream: AgentStream, hello: AgentHello): Refusal | null;
  onMessage(stream: AgentStream, message: Exclude<AgentMessage, { kind: 'hello' }>): void;
  /** Once, however the stream ended. `clean`: after a goodbye or by this side. */
  onEnd(stream: AgentStream, reason: string): void;
}>;

export type Refusal = Readonly<{ code: Status; details: string }>;

export type AgentStreamTimes = Readonly<{ helloWithinMs: Ms; ackAfterMs: Ms }>;

/** Answers waiting in the transport; more means that the agent takes nothing in. */
const MAX_WAITING = 256;

/**
 * The controller's end of one session: handshake, sequence, acknowledgement. Every way to end (end, cancel, a cut link,
 * keepalive) comes out as one `onEnd`.
 */
export class AgentStream {
  readonly #call: SessionCall;
  readonly #hooks: AgentStreamHooks;
  readonly #times: AgentStreamTimes;
  readonly #certified: string | null; // common name of the client certificate; null: plaintext
  readonly #helloTimer: NodeJS.Timeout;
  #hello: AgentHello | null = null;
  #seq = 0;
  #ackSent = 0;
  #ackTimer: NodeJS.Timeout | null = null;
  #writing = 0;
  #over = false;

  constructor(call: SessionCall, certified: string | null, hooks: AgentStreamHooks, times: AgentStreamTimes) {
    this.#call = call;
    this.#certified = certified;
    this.#hooks = hooks;
    this.#times = times;
    this.#helloTimer = setTimeout(() => {
      this.refuse({ code: Status.DEADLINE_EXCEEDED, details: 'no hello in time' });
    }, times.helloWithinMs);
    call.on('data', (request: SessionRequest) => this.#onRequest(request));
    call.on('end', () => this.end('the agent closed the session'));
    call.on('cancelled', () => this.#finish('cancelled or cut'));
    call.on('error', (error) => this.#finish(error.message));
  }

  /** Known after the handshake. */
  get hello(): AgentHello | null {
    return this.#hello;
  }

  get open(): boolean {
    return !this.#over && this.#hello !== null;
  }

  /** Null: a plain acknowledgement. */
  send(message: ControllerMessage | null): void {
    if (this.#over) return;
    if (this.#writing >= MAX_WAITING) {
      return this.refuse({ code: Status.RESOURCE_EXHAUSTED, details: 'the agent takes nothing in' });
    }
    this.#writing += 1;
    this.#ackSent = this.#seq;
    this.#call.write(responseToWire(this.#seq, message), () => (this.#writing -= 1));
  }

  refuse(refusal: Refusal): void {
    if (this.#over) return;
    const error: Partial<ServiceError> = { ...refusal, name: 'SessionRefused', message: refusal.details };
    this.#finish(refusal.details);
    this.#call.emit('error', error);
  }

  /** Ends the session in good order. */
  end(reason: string): void {
    if (this.#over) return;
    if (this.#ackSent < this.#seq) this.send(null);
    this.#finish(reason);
    this.#call.end();
  }

  #onRequest(request: SessionRequest): void {
    if (this.#over) return;
    if (request.seq !== this.#seq + 1) {
      return this.refuse({
        code: Status.DATA_LOSS,
        details: `seq ${request.seq} after ${this.#seq}: something was lost`,
      });
    }
    this.#seq = request.seq;
    const message = requestFromWire(request);
    if (this.#hello === null) return this.#onHello(message);
    if (message?.kind === 'hello') {
      return this.refuse({ code: Status.FAILED_PRECONDITION, details: 'a second hello: open a new session' });
    }
    if (message !== null) this.#hooks.onMessage(this, message);
    this.#ackSoon();
  }

  #onHello(message: AgentMessage | null): void {
    if (message?.kind !== 'hello') {
      return this.refuse({ code: Status.FAILED_PRECONDITION, details: 'the first message must be a hello' });
    }
    const refusal = this.#judge(message.hello) ?? this.#hooks.onHello(this, message.hello);
    if (refusal !== null) return this.refuse(refusal);
    clearTimeout(this.#helloTimer);
  }

  /** Called by the owner inside onHello once the agent is known: from here on the stream counts as open. */
  welcome(hello: AgentHello): void {
    this.#hello = hello;
  }

  #judge(hello: AgentHello): Refusal | null {
    if (!acceptsProtocol(hello.protocolVersion)) {
      const details = `protocol ${hello.protocolVersion}: this controller speaks ${PROTOCOL_VERSION} and one version apart`;
      return { code: Status.FAILED_PRECONDITION, details };
    }
    if (this.#certified !== null && this.#certified !== hello.agent) {
      const details = `the certificate is of "${this.#certified}", the agent says it is "${hello.agent}"`;
      return { code: Status.UNAUTHENTICATED, details };
    }
    return null;
  }

  /** Acknowledgements are gathered for a moment: a burst of reports costs one answer. */
  #ackSoon(): void {
    if (this.#over || this.#ackSent >= this.#seq || this.#ackTimer !== null) return;
    this.#ackTimer = setTimeout(() => {
      this.#ackTimer = null;
      if (this.#ackSent < this.#seq) this.send(null);
    }, this.#times.ackAfterMs);
  }

  #finish(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#helloTimer);
    if (this.#ackTimer !== null) clearTimeout(this.#ackTimer);
    this.#hooks.onEnd(this, reason);
  }
}
