import { duration, hostPort } from '#platform';
import { z } from 'zod';

/** The agent's configuration file, raw: docs/configuration.md lists every key. Strict: unknown keys are errors. */

const name = () =>
  z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'expected 1 to 63 characters of a-z, 0-9, dot, dash, underscore');

const sasl = z.strictObject({
  mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']),
  username: z.string().min(1),
  passwordFile: z.string(),
});

const kafkaTls = z.strictObject({
  caFile: z.string().optional(), // default: the system's authorities
  certFile: z.string().optional(),
  keyFile: z.string().optional(),
  servername: z.string().optional(),
  rejectUnauthorized: z.boolean().default(true),
});

const security = z
  .strictObject({
    protocol: z.enum(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']),
    sasl: sasl.optional(),
    tls: kafkaTls.optional(),
  })
  .refine((s) => s.protocol.startsWith('SASL_') === (s.sasl !== undefined), {
    message: 'sasl belongs to SASL_PLAINTEXT and SASL_SSL, and only to them',
  })
  .refine((s) => s.tls === undefined || s.protocol.endsWith('SSL'), {
    message: 'tls belongs to SSL and SASL_SSL only',
  })
  .refine((s) => (s.tls?.certFile === undefined) === (s.tls?.keyFile === undefined), {
    message: 'certFile and keyFile go together',
  });

const PLAINTEXT = { protocol: 'PLAINTEXT' } as const;

const argv = z.array(z.string().min(1)).min(1).max(64);

const fence = z.strictObject({
  exempt: z.array(z.string().regex(/^[^:]+:.+$/, 'expected a principal like User:mm2')).optional(),
  hook: z
    .strictObject({
      fence: argv,
      open: argv,
      check: argv,
      timeout: duration().default(20_000),
      perGroup: z.boolean().default(false),
    })
    .optional(),
});

const cluster = z.strictObject({
  name: name(),
  idc: name().optional(), // default: as the controllers say
  bootstrapServers: z.array(hostPort()).min(1),
  security: security.default(PLAINTEXT),
  ordinary: z.strictObject({ security, bootstrapServers: z.array(hostPort()).min(1).optional() }).optional(),
  connectUrl: z.url().optional(),
  fence: fence.optional(),
});

export const agentSchema = z.strictObject({
  kind: z.literal('Agent'),
  agent: z.strictObject({ id: name(), idc: name(), dataDir: z.string() }),
  controllers: z.array(hostPort()).min(1).max(16),
  tls: z.strictObject({ caFile: z.string(), certFile: z.string(), keyFile: z.string() }).optional(),
  plaintext: z.boolean().default(false),
  http: z.strictObject({ listen: hostPort() }).optional(),
  log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  probe: z
    .strictObject({
      period: duration().default(2_000),
      timeout: duration().default(2_000),
      failures: z.int().min(1).max(100).default(3),
    })
    .prefault({}),
  referenceTargets: z.array(z.strictObject({ idc: name(), address: hostPort() })).default([]),
  clusters: z.array(cluster).min(1),
  tail: z.strictObject({ resolverModule: z.string().optional() }).optional(),
});

export type RawAgentConfig = z.output<typeof agentSchema>;
export type RawSecurity = z.output<typeof security>;
export type RawFence = z.output<typeof fence>;
export type RawOrdinary = NonNullable<z.output<typeof cluster>['ordinary']>;
