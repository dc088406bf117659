import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import { AgentServiceService, CLIENT_CHANNEL_OPTIONS } from '#rpc';
import { serve } from '../child.js';
import { encodeBody, frame, helloOf, reportMessage } from './agent-bytes.js';

const asIs = (bytes: Buffer): Buffer => bytes;
const report = encodeBody(reportMessage(false));
const REPORTS_IN_A_ROW = 20;
const fullReport = encodeBody(reportMessage(true));

/** One pretended agent: bytes made beforehand over its own connection, answers thrown away. */
class Session {
  private readonly client: Client;
  private readonly stream: ClientDuplexStream<Buffer, Buffer>;
  private readonly ended: Promise<unknown>;
  private seq = 0;

  constructor(port: number) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), CLIENT_CHANNEL_OPTIONS);
    this.stream = this.client.makeBidiStreamRequest(AgentServiceService.session.path, asIs, asIs, new Metadata());
    this.stream.resume();
    this.ended = once(this.stream, 'end');
  }

  /** @returns false when the transport is full: wait for `room`. */
  send(body: Buffer): boolean {
    this.seq += 1;
    return this.stream.write(frame(this.seq, body));
  }

  async room(): Promise<void> {
    await once(this.stream, 'drain');
  }

  /** Resolves when the server has taken in all that was sent and has ended its side. */
  async end(): Promise<void> {
    this.stream.end();
    await this.ended;
    this.client.close();
  }
}

let sessions: Session[] = [];

const handlers = {
  /** One session per agent, a hello and a full report each. */
  open: (args: { port: number; agents: readonly { agent: string; idc: string }[] }): void => {
    sessions = args.agents.map(({ agent, idc }) => {
      const session = new Session(args.port);
      session.send(encodeBody(helloOf(agent, idc)));
      session.send(fullReport);
      return session;
    });
  },
  /** As fast as the transport takes them; resolves when the server has taken all and the sessions are over. */
  burst: async (args: { perSession: number }): Promise<number> => {
    await Promise.all(
      sessions.map(async (session) => {
        for (let i = 1; i <= args.perSession; i += 1) {
          if (!session.send(report)) await session.room();
          if (i % REPORTS_IN_A_ROW === 0) await setImmediate(); // or keepalive finds this process dead
        }
        await session.end();
      }),
    );
    return sessions.length * args.perSession;
  },
  /** Each session one report a second, spread over the second. */
  pace: async (args: { seconds: number }): Promise<number> => {
    const startedMs = performance.now();
    let sent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(args.seconds, (performance.now() - startedMs) / 1_000) * sessions.length;
        for (; sent < Math.floor(due); sent += 1) sessions[sent % sessions.length]?.send(report);
        if (sent < args.seconds * sessions.length) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    return sent;
  },
  close: async (_args: null): Promise<void> => {
    await Promise.all(sessions.map((session) => session.end()));
  },
  /** Bytes of one report on the wire, without gRPC's frame. */
  reportBytes: (_args: null): number => report.length,
};
export type ClientHandlers = typeof handlers;

serve(handlers);
