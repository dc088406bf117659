import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { loadAgentConfig } from '../../apps/agent/src/config/load.js';
import { loadControllerConfig } from '../../apps/controller/src/config/load.js';
import { renderTemplate } from './helm-subset.js';

// Files that cannot be run here, having no container engine: each is parsed, what one names in another must be there, and
// every configuration in them is loaded by the program that will read it.
const ROOT = new URL('../../', import.meta.url).pathname;
const DEPLOY = join(ROOT, 'deploy');
const read = (file: string): string => readFileSync(join(DEPLOY, file), 'utf8');
const dir = mkdtempSync(join(tmpdir(), 'pointsman-deploy-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const version = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));

describe('deploy/Dockerfile', () => {
  const lines = read('Dockerfile')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const of = (word: string, list = lines): string[] =>
    list.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  it('builds in one stage and runs in another, from images that are named exactly', () => {
    expect(of('FROM')).toHaveLength(2);
    for (const from of of('FROM')) expect(from).toMatch(/^node:20\.\d+-bookworm-slim( AS build)?$/);
  });

  it('runs as a numbered user that is not root, and as process 1 without a shell', () => {
    expect(of('USER', last)).toEqual(['10001:10001']);
    for (const form of [...of('ENTRYPOINT', last), ...of('CMD', last)]) {
      expect(z.array(z.string()).parse(JSON.parse(form)).length).toBeGreaterThan(0);
    }
  });

  it('copies only what is there, and takes nothing else into its context', () => {
    const copied = of('COPY').filter((copy) => !copy.startsWith('--from'));
    const sources = copied.flatMap((copy) => copy.split(' ').slice(0, -1));
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    const ignore = read('Dockerfile.dockerignore').split('\n');
    expect(ignore[0]).toBe('*');
    expect(sources.filter((source) => !ignore.includes(`!${source}`))).toEqual([]);
  });
});

const service = z.object({
  image: z.string().regex(/:[\d.]+/, 'a version, not latest'),
  command: z.array(z.string()).optional(),
  volumes: z.array(z.string()).default([]),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.object({ condition: z.string() }))]).default([]),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:/, 'published on this machine only')).default([]),
});
const composeFile = z.strictObject({
  name: z.string(),
  services: z.record(z.string(), service),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
  volumes: z.record(z.string(), z.null()),
  'x-pointsman': z.object({ build: z.object({ context: z.string(), dockerfile: z.string() }) }).loose(),
  'x-kafka': z.unknown(),
  'x-kafka-environment': z.unknown(),
});

describe('deploy/compose.yaml', () => {
  const compose = composeFile.parse(parse(read('compose.yaml'), { merge: true }));
  const services = Object.entries(compose.services);

  it('names services, volumes and files that are there', () => {
    for (const [name, { depends_on: needs, volumes }] of services) {
      const needed = Array.isArray(needs) ? needs : Object.keys(needs);
      const missing = needed.filter((other) => compose.services[other] === undefined);
      expect({ name, missing }).toEqual({ name, missing: [] });
      for (const source of volumes.map((volume) => volume.split(':')[0] ?? '')) {
        const there = source.startsWith('.') ? existsSync(join(DEPLOY, source)) : source in compose.volumes;
        expect({ name, source, there }).toMatchObject({ there: true });
      }
    }
    expect(existsSync(join(DEPLOY, compose['x-pointsman'].build.context, 'deploy/Dockerfile'))).toBe(true);
    expect(compose.services['controller']?.image).toBe(`pointsman:${version.version}`);
  });

  it('gives each program a configuration that it would start with, and that belong together', () => {
    const controller = loadControllerConfig(join(DEPLOY, 'compose/controller.yaml'), {});
    expect(controller.groups.map((g) => g.mode)).toEqual(['observe']);
    for (const { agent, idc } of controller.observers) {
      const config = loadAgentConfig(join(DEPLOY, `compose/${agent}.yaml`));
      expect(config.agent).toMatchObject({ id: agent, idc });
      expect(config.clusters.map((c) => c.name)).toEqual(controller.clusters.map((c) => c.name));
      const hosts = [...config.controllers, ...config.clusters.flatMap((c) => c.bootstrapServers)];
      const unknown = hosts.filter((host) => compose.services[host.split(':')[0] ?? ''] === undefined);
      expect(unknown).toEqual([]);
    }
  });

  it('creates the connectors on the worker beside their target, fit for one broker, the idle direction STOPPED', () => {
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    const record = join(dir, 'posts');
    // Asked for a connector it says "none"; what is posted is kept.
    const fake = `#!/bin/sh
case "$*" in
  *POST*) for arg; do case "$arg" in @*) cat "\${arg#@}"; ;; http*) printf '{"worker": "%s"}' "$arg" ;; esac; done >> ${record} ;;
  */connectors/*) exit 22 ;;
esac
`;
    writeFileSync(join(bin, 'curl'), fake, { mode: 0o755 });
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    execFileSync('sh', [join(DEPLOY, 'compose/connectors.sh'), join(ROOT, 'examples/mm2')], { env });
    const posted = z
      .object({ name: z.string(), initial_state: z.string(), config: z.record(z.string(), z.string()) })
      .array()
      .parse(
        JSON.parse(
          `[${readFileSync(record, 'utf8').replaceAll(/\}\s*\{/g, '},{')}]`.replaceAll(/,\{"worker[^}]*\}/g, ''),
        ),
      );
    expect(posted.map((c) => `${c.name} ${c.initial_state}`)).toEqual([
      ...['a-b-hb RUNNING', 'a-b-src RUNNING', 'a-b-cp RUNNING'],
      ...['b-a-hb RUNNING', 'b-a-src STOPPED', 'b-a-cp STOPPED'],
    ]);
    expect(readFileSync(record, 'utf8').match(/http:[^"]*/g)).toEqual([
      ...Array<string>(3).fill('http://connect-b:8083/connectors'),
      ...Array<string>(3).fill('http://connect-a:8083/connectors'),
    ]);
    for (const { config } of posted) {
      expect(JSON.stringify(config)).not.toContain('.example');
      expect(config['replication.factor'] ?? '1').toBe('1');
    }
  });
});

describe('deploy/helm/pointsman', () => {
  const chart = join(DEPLOY, 'helm/pointsman');
  const values: unknown = parse(readFileSync(join(chart, 'values.yaml'), 'utf8'));
  const templates = readdirSync(join(chart, 'templates'));
  const kubernetesObject = z.looseObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.looseObject({ name: z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/) }),
    data: z.record(z.string(), z.string()).optional(),
    spec: z.looseObject({}).optional(),
  });
  const objects = templates.flatMap((file) => {
    const rendered = renderTemplate(readFileSync(join(chart, 'templates', file), 'utf8'), values);
    return parseAllDocuments(rendered).flatMap((document) => {
      expect({ file, errors: document.errors }).toEqual({ file, errors: [] });
      const json: unknown = document.toJS();
      return json === null ? [] : [kubernetesObject.parse(json)];
    });
  });
  const all = (kind: string) => objects.filter((o) => o.kind === kind);
  const names = (kind: string): string[] => all(kind).map((o) => o.metadata.name);
  const COMPONENTS = ['pointsman-agent', 'pointsman-controller'];

  it('is of this version', () => {
    const { version: own, appVersion } = z
      .object({ version: z.string(), appVersion: z.string() })
      .parse(parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')));
    expect([own, appVersion]).toEqual([version.version, version.version]);
    expect(z.object({ image: z.object({ tag: z.string() }) }).parse(values).image.tag).toBe(version.version);
  });

  it('makes exactly these objects', () => {
    const programs = ['agent-a', 'agent-b', 'agent-c', 'ctl-a', 'ctl-b', 'ctl-c'];
    expect(names('StatefulSet').toSorted()).toEqual(programs);
    expect(names('ConfigMap').toSorted()).toEqual(programs);
    for (const kind of ['PodDisruptionBudget', 'ServiceAccount', 'NetworkPolicy']) {
      expect({ kind, names: names(kind).toSorted() }).toEqual({ kind, names: COMPONENTS });
    }
    expect(names('Service')).toEqual(['pointsman']);
    expect(objects).toHaveLength(6 + 6 + 2 * 3 + 1); // no Role, no ClusterRole, no Secret
  });

  const podOf = z.object({
    updateStrategy: z.strictObject({ type: z.literal('OnDelete') }),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.looseObject({
        serviceAccountName: z.string(),
        automountServiceAccountToken: z.literal(false),
        terminationGracePeriodSeconds: z.number().min(20),
        securityContext: z.looseObject({ runAsNonRoot: z.literal(true), runAsUser: z.literal(10001) }),
        affinity: z.object({
          nodeAffinity: z.object({ requiredDuringSchedulingIgnoredDuringExecution: z.looseObject({}) }),
          podAntiAffinity: z.object({
            requiredDuringSchedulingIgnoredDuringExecution: z
              .array(
                z.object({
                  topologyKey: z.literal('topology.kubernetes.io/zone'),
                  labelSelector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
                }),
              )
              .length(1),
          }),
        }),
        containers: z
          .array(
            z.looseObject({
              args: z.array(z.string()),
              securityContext: z.strictObject({
                allowPrivilegeEscalation: z.literal(false),
                readOnlyRootFilesystem: z.literal(true),
                capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
              }),
              volumeMounts: z.array(z.looseObject({ name: z.string() })),
            }),
          )
          .length(1),
        volumes: z.array(z.looseObject({ name: z.string() })),
      }),
    }),
    volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })),
  });

  it.each(all('StatefulSet').map((o) => [o.metadata.name, o] as const))(
    '%s runs one program with no rights, alone in its zone',
    (_, object) => {
      const { selector, template, volumeClaimTemplates } = podOf.parse(object.spec);
      const { labels } = template.metadata;
      expect(labels).toMatchObject(selector.matchLabels);
      const [apart] = template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution;
      expect(labels).toMatchObject(apart?.labelSelector.matchLabels ?? {});
      expect(names('ServiceAccount')).toContain(template.spec.serviceAccountName);
      const [container] = template.spec.containers;
      expect(existsSync(join(ROOT, (container?.args[0] ?? '').replace('dist/', '').replace('.js', '.ts')))).toBe(true);
      const mounted = container?.volumeMounts.map((m) => m.name).toSorted();
      const given = [...template.spec.volumes.map((v) => v.name), ...volumeClaimTemplates.map((v) => v.metadata.name)];
      expect(mounted).toEqual(given.toSorted());
    },
  );

  it('lets at most one of a kind be evicted, and lets in and out only what is named', () => {
    for (const { spec } of all('PodDisruptionBudget')) expect(spec).toMatchObject({ maxUnavailable: 1 });
    for (const { spec } of all('NetworkPolicy')) {
      const rule = z.looseObject({ ports: z.array(z.looseObject({ port: z.number() })).min(1) });
      const { policyTypes, egress } = z
        .looseObject({ policyTypes: z.array(z.string()), ingress: z.array(rule), egress: z.array(rule) })
        .parse(spec);
      expect(policyTypes).toEqual(['Ingress', 'Egress']);
      const isController = JSON.stringify(spec).startsWith(
        '{"podSelector":{"matchLabels":{"app.kubernetes.io/name":"pointsman","app.kubernetes.io/component":"controller"',
      );
      const ports = egress.flatMap((e) => e.ports.map((p) => p.port));
      expect(ports.includes(9092)).toBe(!isController); // only agents speak to Kafka
    }
  });

  it('gives every program a configuration that it would start with, and that belong together', () => {
    const data = (name: string, key: string): string => {
      const found = objects.find((o) => o.kind === 'ConfigMap' && o.metadata.name === name)?.data?.[key];
      if (found === undefined) throw new Error(`no ${key} in ConfigMap ${name}`);
      return found;
    };
    const controllers = ['ctl-a', 'ctl-b', 'ctl-c'].map((name) =>
      loadControllerConfig(write(`${name}.yaml`, data(name, 'controller.yaml')), {}),
    );
    expect(new Set(controllers.map((c) => c.policyDigest)).size).toBe(1);
    expect(controllers.map((c) => c.id)).toEqual(['ctl-a', 'ctl-b', 'ctl-c']);
    for (const { agent, idc } of controllers[0]?.observers ?? []) {
      const config = loadAgentConfig(write(`${agent}.yaml`, data(agent, 'agent.yaml')));
      expect(config.agent).toMatchObject({ id: agent, idc });
      expect(config.controllers).toEqual(['ctl-a', 'ctl-b', 'ctl-c'].map((name) => `${name}-0.pointsman:9090`));
      expect(dirname(config.tls?.keyFile ?? '')).toBe('/etc/pointsman/tls');
    }
  });
});
