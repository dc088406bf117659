import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LiveConfig } from './live-config.js';
import { loadController } from './load.js';
import { ConfigReload } from './reload.js';

const EXAMPLE = readFileSync(new URL('../../../../examples/controller.yaml', import.meta.url), 'utf8');

let dir: string;
let file: string;
let live: LiveConfig;
let reload: ConfigReload;
let log: { level: string; said: object[]; info: (o: object) => void; error: (o: object) => void };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pointsman-reload-'));
  file = join(dir, 'controller.yaml');
  writeFileSync(file, EXAMPLE);
  const loaded = loadController(file, {});
  live = new LiveConfig(loaded.config);
  const said: object[] = [];
  log = { level: 'info', said, info: (o) => void said.push(o), error: (o) => void said.push(o) };
  reload = new ConfigReload({ live, log }, file, loaded.raw);
});
afterEach(() => rmSync(dir, { recursive: true }));

const edit = (...edits: readonly (readonly [string, string])[]): void => {
  let text = EXAMPLE;
  for (const [from, to] of edits) {
    expect(text).toContain(from);
    text = text.replace(from, to);
  }
  writeFileSync(file, text);
};
const problems = (): readonly string[] =>
  (log.said.at(-1) as { problems: readonly string[] }).problems.map((line) => line.replace(`${file}:`, ''));

describe('reload', () => {
  it('puts mode, policy, retention and log level in force at once, with another digest', () => {
    const before = live.view.policyDigest;
    edit(
      ['mode: observe\n', 'mode: auto\n'],
      ['attested: 20s', 'attested: 25s'],
      ['retention: 90d', 'retention: 30d'],
      ['lease: {', 'log: { level: debug }\nlease: {'],
    );
    expect(reload.reload()).toBe(true);
    expect(live.view.groups[0]).toMatchObject({ mode: 'auto', policy: { windows: { attestedMs: 25_000 } } });
    expect(live.view.store.retentionMs).toBe(30 * 86_400_000);
    expect([live.view.logLevel, log.level]).toEqual(['debug', 'debug']);
    expect(live.view.policyDigest).not.toBe(before);
    const changed = ['store.retention', 'log.level', 'groups.0.mode', 'groups.0.policy.windows.attested'];
    expect(log.said).toEqual([{ changed: expect.arrayContaining(changed), policyDigest: live.view.policyDigest }]);
  });

  it.each([
    ['lease.ttl', ['ttl: 10s', 'ttl: 20s']],
    ['store.urlFile', ['store.url #', 'other.url #']],
    ['observers[0].agent', ['agent: agent-a', 'agent: agent-z']],
    ['clusters[0].bootstrapServers[0]', ["'kafka-a1.example:9092'", "'kafka-a9.example:9092'"]],
    ['controller.id', ['id: ctl-a', 'id: ctl-z']],
    ['http.listen', ['listen: 127.0.0.1:8080', 'listen: 127.0.0.1:8081']],
    ['grpc.listen', ['listen: 0.0.0.0:9090', 'listen: 0.0.0.0:9091']],
    ['groups[0].topics[0]', ['topics: [orders', 'topics: [others']],
    ['alerts.webhooks[0].name', ['name: oncall', 'name: offcall']],
  ] as const)('refuses another %s, says where, and that a restart is needed', (path, change) => {
    const before = live.view.policyDigest;
    edit(change, ['mode: observe\n', 'mode: auto\n']);
    expect(reload.reload()).toBe(false);
    expect(problems()).toEqual([
      expect.stringMatching(/^\d+:\d+ .*: cannot change while the controller runs: restart it, one controller after/),
    ]);
    expect(problems()[0]).toContain(` ${path}: `);
    expect([live.view.policyDigest, live.view.groups[0]?.mode]).toEqual([before, 'observe']);
  });

  it('keeps the old one whole when the file is bad, and takes a mended one', () => {
    edit(['mode: observe\n', 'mode: auto\n'], ['attested: 20s', 'attested: soon']);
    expect(reload.reload()).toBe(false);
    expect(problems()).toEqual([expect.stringMatching(/^\d+:\d+ groups\[0\]\.policy\.windows\.attested: expected/)]);
    expect(live.view.groups[0]?.mode).toBe('observe');
    rmSync(file);
    expect(reload.reload()).toBe(false);
    edit(['mode: observe\n', 'mode: auto\n']);
    expect(reload.reload()).toBe(true);
    expect(live.view.groups[0]?.mode).toBe('auto');
  });

  it('leaves a group that did not change the same object, so that its windows go on', () => {
    const [group] = live.view.groups;
    edit(['retention: 90d', 'retention: 30d']);
    expect(reload.reload()).toBe(true);
    expect(live.view.groups[0]).toBe(group);
    edit(['mode: observe\n', 'mode: auto\n']);
    expect(reload.reload()).toBe(true);
    expect(live.view.groups[0]).not.toBe(group);
  });
});
