import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { HealthImplementation } from 'grpc-health-check';
import { LOGGER, type Logger, TlsWatch } from '#platform';
import { type AgentServiceServer, AgentServiceService, liveServerCredentials, SERVER_CHANNEL_OPTIONS } from '#rpc';
import { AgentSessions } from './agent-sessions.service.js';
import type { SessionCall } from './agent-stream.js';
import { OBSERVATION_OPTIONS, type ObservationOptions } from './observation.options.js';

const SERVICE = 'pointsman.agent.v1.AgentService';
const SHUTDOWN_WITHIN_MS = 1_000;

/**
 * The gRPC server. On grpc-js itself and not through Nest's transport: the raw stream tells an end from a cancel, the
 * generated codec costs less than a loaded descriptor, and Nest's stream buffer (every message kept) never exists.
 */
@Injectable()
export class GrpcIntake implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly server = new Server(SERVER_CHANNEL_OPTIONS);
  private readonly health = new HealthImplementation({ '': 'NOT_SERVING', [SERVICE]: 'NOT_SERVING' });
  private boundPort: number | null = null;
  private certificates: TlsWatch | null = null;

  constructor(
    @Inject(OBSERVATION_OPTIONS) private readonly options: ObservationOptions,
    @Inject(AgentSessions) private readonly sessions: AgentSessions,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const service: AgentServiceServer = {
      session: (call: SessionCall) => this.sessions.accept(call, this.certified(call)),
    };
    this.server.addService(AgentServiceService, service);
    this.health.addToServer(this.server);
  }

  /** The port listened on; null before the start. */
  get port(): number | null {
    return this.boundPort;
  }

  async onApplicationBootstrap(): Promise<void> {
    const { listen, tls } = this.options.grpc;
    this.certificates = tls === null ? null : new TlsWatch(tls, this.logger);
    const credentials = serverCredentials(this.certificates);
    this.boundPort = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(listen, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
    this.setServing('SERVING');
    this.logger.info({ port: this.boundPort, tls: tls !== null }, 'gRPC listens');
  }

  async onApplicationShutdown(): Promise<void> {
    this.setServing('NOT_SERVING');
    this.certificates?.stop();
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        this.server.forceShutdown();
        resolve();
      }, SHUTDOWN_WITHIN_MS);
      this.server.tryShutdown((error) => {
        clearTimeout(force);
        if (error) this.logger.warn({ error }, 'gRPC did not close in good order');
        resolve();
      });
    });
  }

  /** The agent's identity is the common name of its certificate; an empty one is nobody's. Null: plaintext. */
  private certified(call: SessionCall): string | null {
    if (this.options.grpc.tls === null) return null;
    const name = call.getAuthContext().sslPeerCertificate?.subject.CN;
    return typeof name === 'string' ? name : '';
  }

  private setServing(status: 'SERVING' | 'NOT_SERVING'): void {
    this.health.setStatus('', status);
    this.health.setStatus(SERVICE, status);
  }
}

const serverCredentials = (certificates: TlsWatch | null): ServerCredentials =>
  certificates === null ? ServerCredentials.createInsecure() : liveServerCredentials(certificates);
