import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  AgentServiceService,
  type AgentServiceServer,
  type ControllerMessage,
  PROTOCOL_VERSION,
  requestToWire,
  responseFromWire,
  responseToWire,
  type SessionRequest,
  type SessionResponse,
} from '#rpc';
import { TestAgent, TestController } from './session-rig.js';

type Call = ServerDuplexStream<SessionRequest, SessionResponse>;

/** A controller that says exactly what a test wants it to say, whatever the rules. */
class RudeController {
  readonly calls: Call[] = [];
  readonly received: SessionRequest[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(onCall: (call: Call) => void): Promise<RudeController> {
    const server = new Server();
    const rude: { current: RudeController | null } = { current: null };
    const service: AgentServiceServer = {
      session: (call: Call) => {
        rude.current?.calls.push(call);
        call.on('data', (request: SessionRequest) => rude.current?.received.push(request));
        call.on('error', () => undefined); // the agent hangs up: that is what is looked for
        call.on('end', () => call.end());
        onCall(call);
      },
    };
    server.addService(AgentServiceService, service);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (e, p) => (e ? reject(e) : resolve(p)));
    });
    rude.current = new RudeController(server, port);
    return rude.current;
  }

  say(message: ControllerMessage): void {
    this.calls.at(-1)?.write(responseToWire(0, message));
  }

  acknowledge(seq: number): void {
    this.calls.at(-1)?.write(responseToWire(seq, null));
  }

  close(): void {
    this.server.forceShutdown();
  }
}

const LEASE_TTL_MS = 300;

const welcome = (over: Partial<{ leader: boolean; protocolVersion: number }> = {}): ControllerMessage => ({
  kind: 'welcome',
  welcome: {
    protocolVersion: PROTOCOL_VERSION,
    controller: 'ctl-a',
    leader: true,
    term: 3,
    leaseTtlMs: LEASE_TTL_MS,
    watch: { groups: [], clusters: [] },
    ...over,
  },
});

const command: ControllerMessage = {
  kind: 'command',
  command: {
    id: 'c1',
    term: 3,
    epoch: 8,
    group: 'orders',
    deadlineMs: 1_000,
    body: { kind: 'canary', cluster: 'a', topic: 'orders', principal: 'agent' },
  },
};

const opened: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function meet(onCall: (call: Call) => void): Promise<{ rude: RudeController; agent: TestAgent }> {
  const rude = await RudeController.start(onCall);
  opened.push(() => rude.close());
  const agent = await TestAgent.start('a', [rude.port]);
  opened.push(async () => {
    await agent.stop();
    agent.forget();
  });
  return { rude, agent };
}

const until = (what: () => void, timeout = 8_000): Promise<void> => vi.waitFor(what, { timeout, interval: 10 });
const pass = (ms: number): Promise<void> => {
  const end = performance.now() + ms;
  return until(() => expect(performance.now()).toBeGreaterThan(end));
};

describe('an agent facing a controller that must not be obeyed', () => {
  it('takes no command after a silence longer than the lease before a new handshake', async () => {
    const { rude, agent } = await meet((call) => call.write(responseToWire(0, welcome())));
    await until(() => expect(rude.received.length).toBeGreaterThan(1));
    await pass(LEASE_TTL_MS + 50); // not a word from the controller: as if frozen past its lease
    rude.say(command);
    await until(() => expect(rude.calls.length).toBe(2)); // it hung up and came back
    rude.say(command);
    await until(() => expect(agent.hands.ran).toHaveLength(1));
  });

  it('takes no command that lay behind an acknowledgement while the agent stood still', async () => {
    const { rude, agent } = await meet((call) => call.write(responseToWire(0, welcome())));
    await until(() => expect(rude.received.length).toBeGreaterThan(1));
    await pass(LEASE_TTL_MS + 50);
    rude.acknowledge(1);
    rude.say(command);
    await until(() => expect(rude.calls.length).toBe(2));
    expect(agent.hands.ran).toEqual([]);
  });

  it('takes no command behind a welcome that came later than a lease after its hello', async () => {
    const { rude, agent } = await meet(() => undefined);
    await until(() => expect(rude.received.length).toBe(1));
    await pass(LEASE_TTL_MS + 50);
    rude.say(welcome());
    rude.say(command);
    await until(() => expect(rude.calls.length).toBe(2));
    expect(agent.hands.ran).toEqual([]);
  });

  it('hangs up on a standby that gives commands', async () => {
    const { rude, agent } = await meet((call) => call.write(responseToWire(0, welcome({ leader: false }))));
    await until(() => expect(rude.received.length).toBeGreaterThan(1));
    rude.say(command);
    await until(() => expect(rude.calls.length).toBeGreaterThan(1));
    expect(agent.hands.ran).toEqual([]);
  });

  it('hangs up on a command before the welcome', async () => {
    const { rude, agent } = await meet((call) => {
      call.write(responseToWire(0, command));
    });
    await until(() => expect(rude.calls.length).toBeGreaterThan(1));
    expect(agent.hands.ran).toEqual([]);
  });

  it('speaks with a controller one protocol version apart, and not with one two apart', async () => {
    const offered = [PROTOCOL_VERSION + 2, PROTOCOL_VERSION + 1];
    const { agent } = await meet((call) => {
      call.write(responseToWire(0, welcome({ protocolVersion: offered.shift() ?? PROTOCOL_VERSION })));
    });
    await until(() => expect(agent.service.connectedTo()).toHaveLength(1));
    expect(offered).toEqual([]);
  });
});

/** Says hello in a version of the protocol; resolves to what the controller answers first, or to the status it ends with. */
async function greet(port: number, protocolVersion: number): Promise<string> {
  const { path, requestSerialize, responseDeserialize } = AgentServiceService.session;
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  opened.push(() => client.close());
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const answer = new Promise<string>((resolve) => {
    call.on('data', (response: SessionResponse) => resolve(responseFromWire(response)?.kind ?? 'acknowledgement'));
    call.on('error', (error: Error & { code?: number }) => resolve(status[error.code ?? -1] ?? error.message));
  });
  const hello = {
    protocolVersion,
    agent: 'agent-a',
    idc: 'a',
    bootId: `boot-${protocolVersion}`,
    highestTerm: 0,
    goalsHeld: [],
    clusters: ['a'],
    softwareVersion: 'test',
  };
  call.write(requestToWire(1, { kind: 'hello', hello }));
  const said = await answer;
  call.cancel();
  return said;
}

describe('a controller facing an agent of another version', () => {
  it('speaks with one that is one protocol version apart, and refuses one two apart', async () => {
    const controller = await TestController.start();
    opened.push(() => controller.close());
    expect(await greet(controller.port, PROTOCOL_VERSION + 1)).toBe('welcome');
    expect(await greet(controller.port, PROTOCOL_VERSION + 2)).toBe('FAILED_PRECONDITION');
  });
});
