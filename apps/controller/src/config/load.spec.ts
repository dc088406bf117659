import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '#platform';
import { compileConfig, type ControllerConfig } from './compile.js';
import { loadControllerConfig } from './load.js';
import { brokenRules } from './rules.js';
import { controllerSchema } from './schema.js';

const EXAMPLE = new URL('../../../../examples/controller.yaml', import.meta.url).pathname;
const example = readFileSync(EXAMPLE, 'utf8');

const load = (text: string): ControllerConfig =>
  compileConfig(parseConfig(text, 'c.yaml', controllerSchema, brokenRules), null);

const problems = (...edits: readonly (readonly [string | RegExp, string])[]): string[] => {
  const text = edits.reduce((t, [from, to]) => {
    const edited = t.replace(from, to);
    expect(edited, `nothing to edit: ${String(from)}`).not.toBe(t);
    return edited;
  }, example);
  try {
    load(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
};

const lineOf = (needle: string): number => example.slice(0, example.indexOf(needle)).split('\n').length;

describe('the controller configuration', () => {
  it('loads the example with every default filled in', () => {
    const config = loadControllerConfig(EXAMPLE, {});
    expect(config.groups[0]).toMatchObject({
      mode: 'observe',
      policy: {
        preset: 'guarded',
        cooldownMs: 3_600_000,
        windows: { attestedMs: 20_000, serviceMs: 30_000, isolatedMs: 60_000 },
      },
    });
    expect(config.lease).toEqual({ ttlMs: 10_000, renewDeadlineMs: 6_000, retryMs: 2_000 });
  });

  it('takes a dedicated MirrorMaker by its word, and never both', () => {
    const named = 'connectors: { source: a-b-src, checkpoint: a-b-cp, heartbeat: a-b-hb }';
    const dedicated = load(example.replace(named, 'dedicated: true'));
    expect(dedicated.groups[0]?.watch.flows.map((f) => [f.connectors.source, f.dedicated])).toEqual([
      ['MirrorSourceConnector', true],
      ['b-a-src', undefined],
    ]);
    expect(problems([named, `${named}, dedicated: true`]).join()).toMatch(/name its connectors, or say dedicated/);
    expect(problems([`, ${named}`, '']).join()).toMatch(/name its connectors, or say dedicated/);
  });

  it('shortens the isolated window only where no producers live in the source IDC', () => {
    const isolatedMs = (text: string): number | undefined => load(text).groups[0]?.policy.windows.isolatedMs;
    const without = example.replace('isolated: 60s, ', '');
    expect(isolatedMs(without)).toBe(60_000);
    expect(isolatedMs(without.replace('producersInSourceIdc: true', 'producersInSourceIdc: false'))).toBe(30_000);
  });

  it('has a digest that ignores key order and own identity, and sees a changed policy', () => {
    const { policyDigest } = load(example);
    expect(load(example.replaceAll('ctl-a', 'ctl-b').replace('{ ttl: 10s,', '{ ttl: 12s,')).policyDigest).toBe(
      policyDigest,
    );
    const reordered = example.replace('name: main\n    type: etcd', 'type: etcd\n    name: main');
    expect(reordered).not.toBe(example);
    expect(load(reordered).policyDigest).toBe(policyDigest);
    expect(load(example.replace('cooldown: 1h', 'cooldown: 2h')).policyDigest).not.toBe(policyDigest);
  });

  it('reports all problems at once with file, line and column', () => {
    const found = problems(
      ['mode: observe\n', 'mode: sometimes\n'],
      ['cooldown: 1h', 'cooldwn: 1h'],
      ['duration: 30s', 'duration: 30'],
    );
    expect(found).toHaveLength(3);
    expect(found[0]).toMatch(new RegExp(`^c\\.yaml:${lineOf('mode: observe\n')}:5 groups\\[0\\]\\.mode: `));
    expect(found[1]).toMatch(/maxRpo\.duration: expected a duration/);
    expect(found[2]).toBe(
      `c.yaml:${lineOf('cooldown')}:7 groups[0].policy.cooldwn: unknown key: check its spelling and place`,
    );
  });

  it.each([
    ['a proposal needs one person or two', [['approvals: 1', 'approvals: 3']], /expected 1 or 2 persons/],
    [
      'strict waits longer than a change of leader takes',
      [
        ['fencing: best-effort', 'fencing: strict'],
        ['selfFenceAfter: 20s', 'selfFenceAfter: 16s'],
      ],
      /selfFenceAfter 16s must be longer than 16400ms .* a change of leader would close the active cluster/,
    ],
    [
      'strict waits no longer than a saga can',
      [
        ['fencing: best-effort', 'fencing: strict'],
        ['selfFenceAfter: 20s', 'selfFenceAfter: 2m'],
      ],
      /selfFenceAfter 120s must be at most a quarter of sagaMaxOpen 300s/,
    ],
    [
      'strict needs an agent beside each cluster',
      [
        ['fencing: best-effort', 'fencing: strict'],
        [/ {2}- \{ agent: agent-b.*\n/, ''],
      ],
      /strict fencing needs an observer in IDC b/,
    ],
    [
      'auto needs three observers in three IDCs',
      [
        ['mode: observe\n', 'mode: auto\n'],
        [/ {2}- \{ agent: agent-c.*\n/, ''],
      ],
      /add a probe-only witness/,
    ],
    [
      'three agents in two IDCs are two observers',
      [
        ['mode: observe\n', 'mode: auto\n'],
        ['agent-c, idc: c', 'agent-c, idc: b'],
      ],
      /found 3 in 2/,
    ],
    ['maxRpo has no default', [[/ {6}maxRpo.*\n/, '']], /policy\.maxRpo/],
    [
      'lease relations print both values',
      [['renewDeadline: 6s', 'renewDeadline: 10s']],
      /ttl 10s must be longer than renewDeadline 10s/,
    ],
    [
      'isolated is never shorter than service',
      [['isolated: 60s', 'isolated: 25s']],
      /isolated 25s must not be shorter than service 30s/,
    ],
    ['a cluster must be declared', [['clusters: [a, b]', 'clusters: [a, z]']], /"z" is not declared; declared: a, b/],
    ['both flows must be declared', [[/ {6}- \{ from: b, to: a.*\n/, '']], /both directions/],
    [
      'classic in auto must accept its risk',
      [
        ['mode: observe\n', 'mode: auto\n'],
        ['preset: guarded', 'preset: classic'],
      ],
      /acceptRisk/,
    ],
    [
      'without a token only loopback',
      [
        ['listen: 127.0.0.1:8080', 'listen: 0.0.0.0:8080'],
        [/ {2}tokenFile.*\n/, ''],
      ],
      /is not loopback/,
    ],
    ['plaintext or TLS, said openly', [[/ {2}tls:\n(?: {4}.*\n)+/, '']], /plaintext: true/],
  ] as const)('%s', (_name, edits, expected) => expect(problems(...edits).join('\n')).toMatch(expected));

  it('refuses an unknown crash point', () => {
    expect(() => loadControllerConfig(EXAMPLE, { POINTSMAN_CRASH: 'after:lunch' })).toThrow(
      /before:<step> or after:<step>/,
    );
  });
});

describe('a config center in etcd', () => {
  const tls = 'tls: { caFile: /etc/pointsman/tls/etcd-ca.pem }';
  const centerOf = (text: string) => load(text).configCenters[0];

  it('has the files of its TLS and of its user', () => {
    const pair = example.replace(tls, 'tls: { caFile: /ca, certFile: /cert, keyFile: /key }');
    expect(centerOf(pair.replace('username: pointsman', 'usernameFile: /user'))).toMatchObject({
      tls: { caFile: '/ca', certFile: '/cert', keyFile: '/key' },
      usernameFile: '/user',
      passwordFile: '/etc/pointsman/etcd.password',
    });
  });

  it('is refused, with both values, where they do not go together', () => {
    expect(problems([tls, 'tls: { caFile: /ca, certFile: /cert }'], ['https://etcd-b', 'http://etcd-b'])).toEqual([
      `c.yaml:${lineOf("endpoints: ['https://etcd-a")}:48 configCenters[0].endpoints[1]: ` +
        'endpoint "http://etcd-b.example:2379" is not https, but tls.caFile "/ca" is set: it would not be used',
      expect.stringContaining(
        '"/etc/pointsman/etcd.password" would cross the network in clear to "http://etcd-b.example',
      ),
      expect.stringMatching(/ configCenters\[0\]\.tls\.certFile: certFile "\/cert" needs keyFile, which is not set$/),
    ]);
    expect(problems([/ +passwordFile: .*etcd.password\n/, ''])[0]).toMatch(
      /configCenters\[0\]\.username: username "pointsman" needs passwordFile, which is not set$/,
    );
    expect(problems([/( +)username: pointsman.*\n/, '$1username: x\n$1usernameFile: /user\n'])[0]).toMatch(
      /usernameFile "\/user" and username "x" are both set/,
    );
  });

  it('has no password in the file itself', () => {
    expect(problems(['passwordFile: /etc/pointsman/etcd.password', 'password: hunter2'])[0]).toMatch(/unknown key/);
  });
});
