import { readFileSync } from 'node:fs';
import { createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { AgentServiceService } from '#rpc';

const BASELINE = new URL('../../proto/baseline.binpb', import.meta.url);
const { path } = AgentServiceService.session;

const asTheyAre = (bytes: Buffer): Buffer => bytes;
const SESSION = {
  ...{ path, requestStream: true, responseStream: true },
  ...{ requestSerialize: asTheyAre, requestDeserialize: asTheyAre },
  ...{ responseSerialize: asTheyAre, responseDeserialize: asTheyAre },
} as const;

type Call = ServerDuplexStream<Buffer, Buffer>;

/**
 * A link that knows the wire of `proto/baseline.binpb` and nothing later: it reads each message by it and says it again, so
 * that either end meets a peer of that version. Everything that came later is lost on the way.
 */
export class BaselineLink {
  /** Messages that lost something. */
  shortened = 0;
  /** Where the agent finds it. */
  port = 0;
  private readonly request = messageOf('SessionRequest');
  private readonly response = messageOf('SessionResponse');

  private constructor(
    private readonly server: Server,
    private readonly upstream: Client,
  ) {}

  /** To the controller that listens at `port`. */
  static async to(port: number): Promise<BaselineLink> {
    const server = new Server();
    const link = new BaselineLink(server, new Client(`127.0.0.1:${port}`, credentials.createInsecure()));
    server.addService({ session: SESSION }, { session: (call: Call) => link.carry(call) });
    link.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (e, p) => (e ? reject(e) : resolve(p)));
    });
    return link;
  }

  close(): void {
    this.server.forceShutdown();
    this.upstream.close();
  }

  private carry(call: Call): void {
    const onward = this.upstream.makeBidiStreamRequest(path, asTheyAre, asTheyAre);
    call.on('data', (bytes: Buffer) => onward.write(this.told(this.request, bytes)));
    call.on('end', () => onward.end());
    call.on('cancelled', () => onward.cancel());
    onward.on('data', (bytes: Buffer) => call.write(this.told(this.response, bytes)));
    onward.on('end', () => call.end());
    onward.on('error', (error) => call.emit('error', error)); // the same status at the other end
  }

  private told(type: DescMessage, bytes: Buffer): Buffer {
    const again = Buffer.from(toBinary(type, fromBinary(type, bytes, { readUnknownFields: false })));
    if (again.length < bytes.length) this.shortened += 1;
    return again;
  }
}

function messageOf(name: string): DescMessage {
  const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(BASELINE)));
  const found = files.getMessage(`pointsman.agent.v1.${name}`);
  if (found === undefined) throw new Error(`the baseline has no message ${name}`);
  return found;
}
