import { etcdTlsSchema } from '#config-center';
import { TRANSACTION_ENDS } from '#failover';
import { duration, hostPort } from '#platform';
import { z } from 'zod';
import { alertsSchema } from './alerts.schema.js';
import { name } from './names.js';

/** The controller's configuration file, raw: docs/configuration.md lists every key. Strict: unknown keys are errors. */

const DAY_MS = 86_400_000;

const tls = z.strictObject({ caFile: z.string(), certFile: z.string(), keyFile: z.string() });

const rateLimit = z
  .strictObject({
    window: duration().default(10_000),
    reads: z.int().min(1).default(600),
    writes: z.int().min(1).default(60),
  })
  .prefault({});

const grpc = z
  .strictObject({ listen: hostPort(), tls: tls.optional(), plaintext: z.boolean().default(false) })
  .refine(
    (g) => g.plaintext !== (g.tls !== undefined),
    'set either tls: {caFile, certFile, keyFile} or plaintext: true',
  );

const oidcRoles = z.strictObject({
  viewer: z.array(z.string().min(1)).default([]),
  operator: z.array(z.string().min(1)).default([]),
  admin: z.array(z.string().min(1)).default([]),
});

const oidc = z.strictObject({
  issuer: z.url({ protocol: /^https?$/, error: 'expected https://host/path, as the tokens name it in iss' }),
  audience: z.string().min(1),
  jwksFile: z.string().optional(), // default: by discovery at the issuer
  nameClaim: z.string().min(1).default('sub'), // who it is, in the audit
  roleClaim: z.string().min(1).default('roles'), // a claim, or a path with dots
  roles: oidcRoles, // which values of that claim give which role
  clockSkew: duration()
    .refine((ms) => ms <= 120_000, 'expected at most 2m')
    .default(30_000),
});

const http = z.strictObject({
  listen: hostPort(),
  advertise: z.url(),
  tokenFile: z.string().optional(),
  tls: z.strictObject({ certFile: z.string(), keyFile: z.string() }).optional(),
  rateLimit,
  oidc: oidc.optional(),
});

const store = z
  .strictObject({
    type: z.literal('postgres'),
    url: z.string().optional(),
    urlFile: z.string().optional(),
    survives: z.array(name()).default([]),
    retention: duration()
      .refine((ms) => ms >= DAY_MS, 'expected at least 1d')
      .default(90 * DAY_MS), // of events (votes and decisions in them), settled alerts, kept answers; the audit stays
  })
  .refine((s) => (s.url === undefined) !== (s.urlFile === undefined), 'set exactly one of urlFile and url');

const configCenter = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('sql'),
    name: name(),
    url: z.string().optional(),
    urlFile: z.string().optional(),
    survives: z.array(name()).default([]),
  }),
  z.strictObject({
    type: z.literal('etcd'),
    name: name(),
    endpoints: z.array(z.url({ protocol: /^https?$/, error: 'expected http://host:port or https://host:port' })).min(1),
    username: z.string().min(1).optional(),
    usernameFile: z.string().min(1).optional(),
    passwordFile: z.string().min(1).optional(),
    tls: etcdTlsSchema.optional(),
    survives: z.array(name()).default([]),
  }),
]);

const topicPattern = () =>
  z
    .string()
    .regex(/^[a-zA-Z0-9._-]*\*?$/, 'expected a topic name or a prefix with a trailing *')
    .min(1);

const flow = z
  .strictObject({
    from: name(),
    to: name(),
    naming: z.enum(['identity', 'default']),
    connectors: z.strictObject({ source: z.string(), checkpoint: z.string(), heartbeat: z.string() }).optional(),
    dedicated: z.literal(true).optional(), // a MirrorMaker process without REST: watched, never steered
  })
  .refine(
    (f) => (f.connectors === undefined) !== (f.dedicated === undefined),
    'name its connectors, or say dedicated: true, one of them',
  );

const windows = z.strictObject({
  attested: duration().default(20_000),
  service: duration().default(30_000),
  isolated: duration().optional(), // 60 s; 30 s when no producers live in the source IDC
  gray: duration().default(60_000),
  partition: duration().default(120_000),
  blindSuspect: duration().default(60_000),
});

const policy = z.strictObject({
  preset: z.enum(['guarded', 'classic']).default('guarded'),
  acceptRisk: z.literal('split-brain-and-loss').optional(),
  maxRpo: z.strictObject({ records: z.number().int().nonnegative(), duration: duration() }),
  graceWithDataLoss: z.boolean().default(false),
  fencing: z.enum(['best-effort', 'strict']).default('best-effort'),
  selfFenceAfter: duration().default(20_000),
  standbyFence: z.enum(['acl', 'none']).default('acl'),
  producersInSourceIdc: z.boolean().default(true),
  clients: z.enum(['anywhere', 'outside']).default('anywhere'),
  windows: windows.prefault({}),
  cooldown: duration().default(3_600_000),
  approvals: z.union([z.literal(1), z.literal(2)], { error: 'expected 1 or 2 persons' }).default(1),
  secondPersonFor: z
    .array(z.enum(['failover', 'switchover', 'failback']))
    .max(3)
    .default([]),
  proposal: z.strictObject({ expires: duration().default(1_800_000), again: duration().default(900_000) }).prefault({}),
  adoption: z
    .strictObject({
      share: z.number().min(0).max(1).default(0.95),
      wait: duration()
        .refine((ms) => ms <= 15_000, 'the step that waits has 20 s in all')
        .default(10_000),
    })
    .prefault({}),
  groupsOnTarget: z
    .strictObject({
      wait: duration()
        .refine((ms) => ms <= 60_000, 'the step that waits has 70 s in all')
        .default(50_000),
    })
    .prefault({}),
  openTransactions: z
    .strictObject({
      wait: duration()
        .refine((ms) => ms <= 20_000, 'clients told to drain go on by themselves after 60 s')
        .default(15_000),
      onTimeout: z.enum(TRANSACTION_ENDS).default('abort-switchover'),
    })
    .prefault({}),
});

const preHook = z
  .strictObject({
    name: name(),
    command: z.tuple([z.string().min(1)], z.string()).optional(), // program and arguments, no shell
    url: z.url().optional(),
    timeout: duration().default(10_000),
  })
  .refine((h) => (h.command === undefined) !== (h.url === undefined), 'give it a command or a url, one of them');

const hooks = z
  .strictObject({ preSwitchover: z.array(preHook).max(3, 'at most 3: the step that asks them has 45 s').default([]) })
  .prefault({});

const group = z.strictObject({
  name: name(),
  clusters: z.array(name()).length(2, 'expected exactly two clusters: the active one first'),
  mode: z.enum(['observe', 'approve', 'auto']).default('observe'),
  topics: z.array(topicPattern()).min(1),
  consumerGroups: z.array(z.string()).default([]),
  principals: z.array(z.string()).default([]),
  flows: z.array(flow).length(2, 'expected both directions: one flow per direction'),
  publishTo: z.array(name()).min(1),
  hooks,
  policy,
});

export const controllerSchema = z.strictObject({
  kind: z.literal('Controller'),
  controller: z.strictObject({ id: name(), idc: name(), dataDir: z.string() }),
  http,
  grpc,
  store,
  lease: z
    .strictObject({
      ttl: duration().default(10_000),
      renewDeadline: duration().default(6_000),
      retry: duration().default(2_000),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  probe: z.strictObject({ period: duration().default(2_000), timeout: duration().default(2_000) }).prefault({}),
  sagaMaxOpen: duration().default(300_000),
  clusters: z.array(z.strictObject({ name: name(), idc: name(), bootstrapServers: z.array(hostPort()).min(1) })).min(2),
  observers: z.array(z.strictObject({ agent: name(), idc: name() })).min(1),
  configCenters: z.array(configCenter).min(1),
  groups: z.array(group).min(1),
  breakGlass: z.strictObject({ keyFile: z.string() }).optional(), // signs the evidence of `pointsman break-glass`
  alerts: alertsSchema,
});

export type RawControllerConfig = z.output<typeof controllerSchema>;
