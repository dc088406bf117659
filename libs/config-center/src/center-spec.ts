import { z } from 'zod';

const milliseconds = z.int().positive();
const file = () => z.string().min(1);

/** TLS towards etcd. Without caFile the system's authorities are trusted; certFile and keyFile only where it asks for them. */
export const etcdTlsSchema = z.strictObject({
  caFile: file().optional(),
  certFile: file().optional(),
  keyFile: file().optional(),
});

/** One entry of `configCenters` in the configuration, durations in milliseconds. Secrets come from files only. */
export const configCenterSpecSchema = z.discriminatedUnion('type', [
  z.object({
    name: z.string().min(1),
    type: z.literal('sql'),
    url: z.string().min(1).optional(), // where the URL holds no secret
    urlFile: file().optional(),
    pollIntervalMs: milliseconds.optional(),
    deadlineMs: milliseconds.optional(),
  }),
  z.object({
    name: z.string().min(1),
    type: z.literal('etcd'),
    endpoints: z.array(z.url({ protocol: /^https?$/, error: 'expected http://host:port or https://host:port' })).min(1),
    username: z.string().min(1).optional(),
    usernameFile: file().optional(), // instead of username
    passwordFile: file().optional(),
    tls: etcdTlsSchema.optional(),
    pollIntervalMs: milliseconds.optional(),
    deadlineMs: milliseconds.optional(),
  }),
]);

export type ConfigCenterSpec = z.input<typeof configCenterSpecSchema>;
export type EtcdCenterSpec = Extract<ConfigCenterSpec, { type: 'etcd' }>;

/** A combination that cannot work; the message names both sides. `path` is inside the entry. */
export type BrokenCenterRule = Readonly<{ path: readonly PropertyKey[]; message: string }>;

/** Rules over more than one field of an entry; the controller's configuration and {@link openConfigCenter} apply the same. */
export function brokenCenterRules(center: ConfigCenterSpec): readonly BrokenCenterRule[] {
  if (center.type === 'etcd') return [...tlsRules(center), ...userRules(center)];
  if (center.url !== undefined && center.urlFile !== undefined) {
    return [{ path: ['urlFile'], message: `urlFile "${center.urlFile}" and url are both set: keep one of them` }];
  }
  return center.url === undefined && center.urlFile === undefined
    ? [{ path: [], message: 'a center of type sql needs url or urlFile' }]
    : [];
}

function tlsRules({ endpoints, tls }: EtcdCenterSpec): BrokenCenterRule[] {
  if (tls === undefined) return [];
  const set = Object.entries(tls).find(([, value]) => value !== undefined);
  const plain = endpoints.findIndex((endpoint) => endpoint.startsWith('http://'));
  return [
    ...together('certFile', tls.certFile, 'keyFile', tls.keyFile, ['tls']),
    ...(plain === -1 || set === undefined
      ? []
      : [
          {
            path: ['endpoints', plain],
            message: `endpoint "${endpoints[plain]}" is not https, but tls.${set[0]} "${set[1]}" is set: it would not be used`,
          },
        ]),
  ];
}

function userRules({ endpoints, username, usernameFile, passwordFile }: EtcdCenterSpec): BrokenCenterRule[] {
  const broken: BrokenCenterRule[] = [];
  if (username !== undefined && usernameFile !== undefined) {
    const message = `usernameFile "${usernameFile}" and username "${username}" are both set: keep one of them`;
    broken.push({ path: ['usernameFile'], message });
  }
  const key = username === undefined ? 'usernameFile' : 'username';
  broken.push(...together(key, username ?? usernameFile, 'passwordFile', passwordFile, []));
  const clear = passwordFile === undefined ? -1 : endpoints.findIndex(isClear);
  if (clear !== -1) {
    const message = `passwordFile "${passwordFile}" would cross the network in clear to "${endpoints[clear]}": use https`;
    broken.push({ path: ['endpoints', clear], message });
  }
  return broken;
}

/** Plain HTTP that leaves this machine. */
function isClear(endpoint: string): boolean {
  if (!URL.canParse(endpoint)) return false; // told by the schema
  const { protocol, hostname } = new URL(endpoint);
  return protocol === 'http:' && !/^(127\.[\d.]+|localhost|\[::1\])$/.test(hostname);
}

function together(
  oneKey: string,
  one: string | undefined,
  otherKey: string,
  other: string | undefined,
  at: readonly PropertyKey[],
): BrokenCenterRule[] {
  if ((one === undefined) === (other === undefined)) return [];
  const [setKey, set, missing] = one === undefined ? [otherKey, other, oneKey] : [oneKey, one, otherKey];
  return [{ path: [...at, setKey], message: `${setKey} "${set}" needs ${missing}, which is not set` }];
}
