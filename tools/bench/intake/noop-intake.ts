import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { AgentServiceService, SERVER_CHANNEL_OPTIONS } from '#rpc';
import type { IntakeServer } from './intake-server.js';

const asIs = (bytes: Buffer): Buffer => bytes;

/** The floor: grpc-js with the same channel options takes the same bytes in and drops them undecoded. */
export async function startNoopIntake(): Promise<IntakeServer> {
  const server = new Server(SERVER_CHANNEL_OPTIONS);
  let sessions = 0;
  const session = {
    ...AgentServiceService.session,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  server.addService(
    { session },
    {
      session: (call: ServerDuplexStream<Buffer, Buffer>) => {
        let heard = false;
        call.on('data', () => {
          if (!heard) sessions += 1;
          heard = true;
        });
        call.on('end', () => {
          sessions -= 1;
          call.end();
        });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, sessions: () => sessions };
}
