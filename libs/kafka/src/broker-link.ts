import { Connection } from '@platformatic/kafka';
import type { Ms } from '#health';
import type { AddressBook } from './address-book.js';
import { requireCluster, type ClusterIdentity } from './cluster-identity.js';
import {
  parseAddress,
  resolvePatienceMs,
  securityOptions,
  usesTls,
  type ClusterSecurity,
} from './connection-config.js';
import { monotonicMs, withDeadline } from './deadline.js';
import { failureOf } from './kafka-error.js';

export type CallOptions = Readonly<{ resend?: boolean }>;
export type LinkOptions = Readonly<{
  clientId: string;
  security: ClusterSecurity;
  addresses: AddressBook;
  identity?: ClusterIdentity | undefined; // none: whoever answers is believed
}>;

type Session = {
  readonly ready: Promise<Connection>;
  connection: Connection | null;
  readonly inFlight: Set<(why: Error) => void>; // rejects a call that waits on this connection
};

/** Far beyond any deadline of ours: the library's own request timer leaves its connection in a state that corrupts later answers. */
const NEVER_MS = 600_000;
const MAX_IN_FLIGHT = 16;

/**
 * One persistent connection to one broker address, reopened on demand, with a hard deadline over each call
 * (connect, TLS and SASL included). After a deadline the connection is thrown away: a late answer on it would be
 * taken for the answer to a later question, and would end the process when nobody listens for the error.
 */
export class BrokerLink {
  readonly address: string;
  readonly #options: LinkOptions;
  #session: Session | null = null;
  #everConnected = false;
  #closed = false;

  constructor(address: string, options: LinkOptions) {
    this.address = address;
    this.#options = options;
  }

  /**
   * A connection from an earlier call that turns out to be closed is opened anew, once, within the same deadline: what
   * counts is how the broker answers now (it refuses, it is back), not that an old connection of ours died. Except for a
   * request that must not be carried out twice (`resend: false`): a reset does not say whether the broker took it.
   * @throws {DeadlineError} when nothing came in time; else the library's or the system's error, unchanged.
   */
  async call<T>(
    what: string,
    ask: (connection: Connection) => Promise<T>,
    deadlineMs: Ms,
    { resend = true }: CallOptions = {},
  ): Promise<T> {
    if (this.#closed) throw new Error(`the link to ${this.address} is closed`);
    const startedAtMs = monotonicMs();
    const old = this.#session;
    try {
      return await this.#once(what, ask, deadlineMs);
    } catch (error) {
      const leftMs = deadlineMs - (monotonicMs() - startedAtMs);
      if (!resend || old === null || this.#closed || leftMs <= 0 || failureOf(error).kind !== 'reset') throw error;
      if (this.#session === old) this.#drop(old);
      return this.#once(what, ask, leftMs);
    }
  }

  #once<T>(what: string, ask: (connection: Connection) => Promise<T>, deadlineMs: Ms): Promise<T> {
    const session = (this.#session ??= this.#open(deadlineMs));
    // A promise per call, not one per connection: a race against one that lives on keeps every answer for as long.
    let lose: (why: Error) => void = () => undefined;
    const lost = new Promise<never>((_, reject) => (lose = reject));
    session.inFlight.add(lose);
    const work = (async () => ask(await session.ready))();
    return withDeadline(`${what} to ${this.address}`, Promise.race([work, lost]), deadlineMs, () =>
      this.#drop(session),
    ).finally(() => session.inFlight.delete(lose));
  }

  close(): void {
    this.#closed = true;
    if (this.#session) this.#drop(this.#session);
  }

  #open(deadlineMs: Ms): Session {
    const session: Session = {
      ready: this.#connect(deadlineMs, (connection) => this.#adopt(session, connection)),
      connection: null,
      inFlight: new Set(),
    };
    session.ready.catch(() => {
      if (this.#session === session) this.#session = null;
    });
    return session;
  }

  async #connect(deadlineMs: Ms, adopt: (connection: Connection) => void): Promise<Connection> {
    const { host, port } = parseAddress(this.address);
    const { clientId, security, addresses, identity } = this.#options;
    const ip = await addresses.resolve(host, resolvePatienceMs(deadlineMs));
    const connection = new Connection(clientId, {
      connectTimeout: deadlineMs + 100,
      requestTimeout: NEVER_MS,
      maxInflights: MAX_IN_FLIGHT,
      ...securityOptions(security, host),
    });
    connection.on('error', () => undefined); // compulsory: without a listener a late answer ends the process
    adopt(connection);
    try {
      await connection.connect(ip, port);
    } catch (cause) {
      throw this.#readConnectError(cause);
    }
    this.#everConnected = true;
    if (identity !== undefined) await this.#recognise(connection, identity);
    return connection;
  }

  /** Before anything is asked on it: what is not the cluster that is meant gets no question and no change. */
  async #recognise(connection: Connection, identity: ClusterIdentity): Promise<void> {
    try {
      await requireCluster(connection, identity, this.address);
    } catch (error) {
      connection.socket?.destroy();
      throw error;
    }
  }

  /**
   * A connection that ends inside the TLS handshake: towards a broker that speaks no TLS, or one that died meanwhile?
   * A configuration error as long as no handshake ever worked here, then a reset.
   */
  #readConnectError(cause: unknown): unknown {
    if (!usesTls(this.#options.security) || !endedInHandshake(cause)) return cause;
    const said = `${this.address} ended the connection inside the TLS handshake`;
    return Object.assign(new Error(said, { cause }), { code: this.#everConnected ? 'ECONNRESET' : 'EPROTO' });
  }

  #adopt(session: Session, connection: Connection): void {
    if (this.#session !== session) throw new Error(`the connection to ${this.address} was given up`);
    session.connection = connection;
    connection.once('close', () => {
      if (this.#session === session) this.#session = null;
    });
  }

  /** Throws the connection away; calls that shared it see a deadline too, for the same silence hit them. */
  #drop(session: Session): void {
    if (this.#session === session) this.#session = null;
    const why = Object.assign(new Error(`the connection to ${this.address} was given up`), {
      code: 'POINTSMAN_DEADLINE',
    });
    for (const lose of session.inFlight) lose(why);
    session.connection?.socket?.destroy();
  }
}

function endedInHandshake(error: unknown): boolean {
  if (!(error instanceof Error) || !(error.cause instanceof Error)) return false;
  const { cause } = error;
  return cause.message.includes('TLS handshake failed') || ('code' in cause && cause.code === 'ECONNRESET');
}
