import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { brokenCenterRules, type ConfigCenterSpec } from './center-spec.js';
import { openConfigCenter } from './open-config-center.js';

const etcd = (more: Partial<Extract<ConfigCenterSpec, { type: 'etcd' }>>): ConfigCenterSpec => ({
  name: 'main',
  type: 'etcd',
  endpoints: ['https://e1:2379', 'https://e2:2379'],
  ...more,
});
const messages = (spec: ConfigCenterSpec): string[] => brokenCenterRules(spec).map((b) => b.message);

describe('an entry of a config center', () => {
  it.each([
    etcd({}),
    etcd({ endpoints: ['http://etcd:2379'] }),
    etcd({ tls: { caFile: '/ca' } }),
    etcd({ tls: { caFile: '/ca', certFile: '/cert', keyFile: '/key' }, username: 'p', passwordFile: '/p' }),
    etcd({ usernameFile: '/u', passwordFile: '/p' }),
    etcd({ endpoints: ['http://127.0.0.1:2379'], username: 'p', passwordFile: '/p' }), // leaves this machine never
    { name: 'main', type: 'sql', urlFile: '/url' },
  ] satisfies ConfigCenterSpec[])('may be %j', (spec) => expect(messages(spec)).toEqual([]));

  it.each([
    [etcd({ tls: { certFile: '/cert' } }), ['certFile "/cert" needs keyFile, which is not set']],
    [etcd({ tls: { keyFile: '/key' } }), ['keyFile "/key" needs certFile, which is not set']],
    [
      etcd({ endpoints: ['https://e1:2379', 'http://e2:2379'], tls: { caFile: '/ca' } }),
      ['endpoint "http://e2:2379" is not https, but tls.caFile "/ca" is set: it would not be used'],
    ],
    [etcd({ username: 'p' }), ['username "p" needs passwordFile, which is not set']],
    [etcd({ usernameFile: '/u' }), ['usernameFile "/u" needs passwordFile, which is not set']],
    [etcd({ passwordFile: '/p' }), ['passwordFile "/p" needs usernameFile, which is not set']],
    [
      etcd({ username: 'p', usernameFile: '/u', passwordFile: '/p' }),
      ['usernameFile "/u" and username "p" are both set: keep one of them'],
    ],
    [
      etcd({ endpoints: ['http://10.0.0.1:2379'], username: 'p', passwordFile: '/p' }),
      ['passwordFile "/p" would cross the network in clear to "http://10.0.0.1:2379": use https'],
    ],
    [
      { name: 'main', type: 'sql', url: 'postgres://h/d', urlFile: '/url' },
      ['urlFile "/url" and url are both set: keep one of them'], // the URL may hold a secret
    ],
  ] satisfies [ConfigCenterSpec, string[]][])('may not be %j', (spec, expected) => {
    expect(messages(spec)).toEqual(expected);
    expect(() => openConfigCenter(spec)).toThrow(expected[0]);
  });

  it('is refused when a secret file of it is empty or missing, by the name of the file', () => {
    const dir = mkdtempSync(join(tmpdir(), 'pointsman-center-spec-'));
    const [user, password] = [join(dir, 'user'), join(dir, 'password')];
    writeFileSync(user, 'pointsman\n');
    writeFileSync(password, '\n');
    const spec = etcd({ usernameFile: user, passwordFile: password });
    expect(() => openConfigCenter(spec)).toThrow(`config center main: ${password} is empty`);
    rmSync(password);
    expect(() => openConfigCenter(spec)).toThrow(`config center main: cannot read ${password}`);
    rmSync(dir, { recursive: true });
  });
});
