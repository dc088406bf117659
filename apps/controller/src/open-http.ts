import { Server as HttpsServer } from 'node:https';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Logger, NestLogger, TlsWatch } from '#platform';
import type { ControllerConfig } from './config/compile.js';

/** The application with its HTTP server, not listening yet. With TLS, new connections use what the files hold now. */
export async function openHttp(
  module: DynamicModule,
  { tls }: Pick<ControllerConfig['http'], 'tls'>,
  logger: Logger,
): Promise<INestApplication> {
  const certificates = tls === null ? null : new TlsWatch(tls, logger);
  const app = await NestFactory.create(module, {
    logger: new NestLogger(logger),
    forceCloseConnections: true,
    abortOnError: false,
    ...(certificates === null ? {} : { httpsOptions: pairOf(certificates) }),
  });
  const server: unknown = app.getHttpServer();
  if (certificates !== null && server instanceof HttpsServer) {
    certificates.onChange(() => server.setSecureContext(pairOf(certificates)));
    server.once('close', () => certificates.stop());
  }
  return app;
}

const pairOf = (certificates: TlsWatch): Readonly<{ cert: Buffer; key: Buffer }> => {
  const { cert, key } = certificates.current();
  return { cert, key };
};
