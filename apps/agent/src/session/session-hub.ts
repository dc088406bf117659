import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import type { GoalStatus } from '#failover';
import type { Ms } from '#health';
import { TlsWatch } from '#platform';
import { liveChannelCredentials } from '#rpc';
import type { TlsFiles } from '../config/agent-config.js';
import { ControllerSession, type ControllerView } from './controller-session.js';
import type { SessionOptions } from './session-types.js';

/** How long a goodbye may take; a controller that is gone must not hold up a planned stop. */
const GOODBYE_WITHIN_MS = 1_500;

/** The lease's ttl before any controller has said it. */
const DEFAULT_LEASE_TTL_MS = 10_000;

/** The sessions to all controllers. They share nothing but what they read from. */
export class SessionHub {
  readonly #sessions: readonly ControllerSession[];
  readonly #clock: () => Ms;
  readonly #certificates: TlsWatch | null;
  #leaderHeardAtMs: Ms | null = null;
  #leaseTtlMs: Ms = DEFAULT_LEASE_TTL_MS;

  constructor(controllers: readonly string[], tls: TlsFiles | null, options: Omit<SessionOptions, 'controller'>) {
    this.#certificates = tls === null ? null : new TlsWatch(tls, options.logger);
    const channel = channelCredentials(this.#certificates);
    this.#clock = options.clock;
    this.#sessions = controllers.map((controller) => new ControllerSession({ ...options, controller }, channel));
  }

  start(): void {
    for (const session of this.#sessions) session.start();
  }

  views(): readonly ControllerView[] {
    return this.#sessions.map((s) => s.view()).filter((v) => v !== null);
  }

  /** Since anything was last heard from a leader; null: never. */
  leaderAgeMs(): Ms | null {
    for (const view of this.views()) {
      if (!view.leader) continue;
      this.#leaderHeardAtMs = Math.max(this.#leaderHeardAtMs ?? 0, view.heardAtMs);
      this.#leaseTtlMs = view.leaseTtlMs;
    }
    return this.#leaderHeardAtMs === null ? null : Math.max(0, this.#clock() - this.#leaderHeardAtMs);
  }

  leaseTtlMs(): Ms {
    return this.#leaseTtlMs;
  }

  wantReport(): void {
    for (const session of this.#sessions) session.wantReport();
  }

  status(status: GoalStatus): void {
    for (const session of this.#sessions) session.status(status);
  }

  /** Goodbye to all controllers at once. */
  async close(reason: string): Promise<void> {
    this.#certificates?.stop();
    await Promise.all(this.#sessions.map((session) => session.close(reason, GOODBYE_WITHIN_MS)));
  }
}

const channelCredentials = (certificates: TlsWatch | null): ChannelCredentials =>
  certificates === null ? credentials.createInsecure() : liveChannelCredentials(certificates);
