import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { brokenCenterRules, type ConfigCenterSpec, configCenterSpecSchema } from './center-spec.js';
import { ConfigCenterError } from './errors.js';
import { EtcdConfigCenter } from './etcd/etcd-config-center.js';
import type { ConfigCenter } from './port.js';
import { SqlConfigCenter } from './sql/sql-config-center.js';

/**
 * Opens a config center. Connects lazily: an unreachable center is told by the first call, so that a client can start
 * from its state file while the center is down.
 * @throws ConfigCenterError CENTER_REFUSED if the entry is wrong or a file of it cannot be read
 */
export function openConfigCenter(spec: ConfigCenterSpec): ConfigCenter {
  const parsed = configCenterSpecSchema.safeParse(spec);
  if (!parsed.success) throw wrong(spec.name, z.prettifyError(parsed.error), parsed.error);
  const center = parsed.data;
  const broken = brokenCenterRules(center);
  if (broken.length > 0) throw wrong(center.name, broken.map((b) => b.message).join('; '));
  const common = {
    ...(center.pollIntervalMs === undefined ? {} : { pollIntervalMs: center.pollIntervalMs }),
    ...(center.deadlineMs === undefined ? {} : { deadlineMs: center.deadlineMs }),
  };
  if (center.type === 'sql') {
    const url = center.urlFile === undefined ? center.url : secret(center.name, center.urlFile);
    if (url === undefined) throw wrong(center.name, 'a center of type sql needs url or urlFile');
    return new SqlConfigCenter({ url, ...common });
  }
  const file = (path: string | undefined) => (path === undefined ? undefined : secret(center.name, path));
  const [ca, cert, key] = [file(center.tls?.caFile), file(center.tls?.certFile), file(center.tls?.keyFile)];
  const username = center.username ?? file(center.usernameFile);
  const password = file(center.passwordFile);
  return new EtcdConfigCenter({
    endpoints: center.endpoints,
    ...common,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  });
}

function secret(name: string, path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw wrong(name, `cannot read ${path}`, cause);
  }
  if (text === '') throw wrong(name, `${path} is empty`);
  return text;
}

function wrong(name: string, text: string, cause?: unknown): ConfigCenterError {
  return new ConfigCenterError(
    'CENTER_REFUSED',
    `config center ${name}: ${text}`,
    'mend its entry in the configuration',
    cause,
  );
}
