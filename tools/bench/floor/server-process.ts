import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { Client } from 'pg';
import { serve } from '../child.js';

/** The least a controller can do with a report that means a move: commit one row, then push to everybody. */
const FLOOR_PATH = '/bench.Floor/Session';
const streams = new Set<ServerDuplexStream<Buffer, Buffer>>();
const asIs = (bytes: Buffer): Buffer => bytes;
const PUSH = Buffer.from('the pointer');

const handlers = {
  start: async (args: { postgresUrl: string }): Promise<number> => {
    const store = new Client({ connectionString: args.postgresUrl });
    await store.connect();
    await store.query('CREATE TABLE IF NOT EXISTS bench_floor (id int PRIMARY KEY, n int NOT NULL)');
    await store.query('INSERT INTO bench_floor VALUES (1, 0) ON CONFLICT DO NOTHING');
    const server = new Server();
    const session = {
      path: FLOOR_PATH,
      requestStream: true as const,
      responseStream: true as const,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    server.addService(
      { session },
      {
        session: (call: ServerDuplexStream<Buffer, Buffer>) => {
          streams.add(call);
          call.write(PUSH); // the first one says that the stream stands
          call.on('data', () => {
            void store.query('UPDATE bench_floor SET n = n + 1 WHERE id = 1').then(() => {
              for (const stream of streams) stream.write(PUSH);
            });
          });
          call.on('cancelled', () => streams.delete(call));
          call.on('end', () => call.end());
        },
      },
    );
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  },
};
export type FloorHandlers = typeof handlers;

serve(handlers);
