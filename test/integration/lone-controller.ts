import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { checkoutRoot, type Lab, type LabProcess, waitFor } from '#lab';
import { Api } from '../../tools/installation/api.js';

export const GROUP = 'orders';
export const API_TOKEN = 'a-token-of-the-file-for-tests';
const READY_MS = 30_000;

/** A configuration as it is written to the file; what a test changes in it is its own business. */
export type RawFile = Record<string, unknown>;

const flow = (from: string, to: string) => ({
  ...{ from, to, naming: 'identity' },
  connectors: { source: `${from}-${to}-src`, checkpoint: `${from}-${to}-cp`, heartbeat: `${from}-${to}-hb` },
});

/** A complete configuration for a controller on a lab without Kafka: nobody observes, so nothing is ever moved. */
export async function controllerFile(lab: Lab, dir: string): Promise<RawFile> {
  await mkdir(dir, { recursive: true });
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(join(dir, name), content, { mode: 0o600 });
    return join(dir, name);
  };
  const http = await lab.freePort();
  const storeUrlFile = await file('store.url', await lab.postgresUrl('c'));
  return {
    kind: 'Controller',
    controller: { id: 'ctl-c', idc: 'c', dataDir: dir },
    http: {
      listen: `127.0.0.1:${http}`,
      advertise: `http://127.0.0.1:${http}`,
      tokenFile: await file('api.token', API_TOKEN),
    },
    grpc: { listen: `127.0.0.1:${await lab.freePort()}`, plaintext: true },
    store: { type: 'postgres', urlFile: storeUrlFile, survives: ['a', 'b', 'c'] },
    lease: { ttl: '3s', renewDeadline: '2s', retry: '500ms' },
    clusters: ['a', 'b'].map((name) => ({ name, idc: name, bootstrapServers: ['127.0.0.1:9'] })),
    observers: ['a', 'b', 'c'].map((idc) => ({ agent: `agent-${idc}`, idc })),
    configCenters: [
      lab.has('etcd')
        ? { name: 'main', type: 'etcd', endpoints: [await lab.etcdUrl('c')] }
        : { name: 'main', type: 'sql', urlFile: storeUrlFile },
    ],
    groups: [
      {
        ...{ name: GROUP, clusters: ['a', 'b'], topics: ['orders'], publishTo: ['main'] },
        ...{ flows: [flow('a', 'b'), flow('b', 'a')], policy: { maxRpo: { records: 1_000, duration: '30s' } } },
      },
    ],
  };
}

/** The built controller as a process of the lab, with its file. */
export class LoneController {
  private constructor(
    readonly process: LabProcess,
    readonly file: string,
    readonly raw: RawFile,
  ) {}

  static async start(lab: Lab, dir: string, raw: RawFile, name = 'ctl-c'): Promise<LoneController> {
    const main = join(checkoutRoot(), 'dist/apps/controller/src/main.js');
    if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first`);
    const file = join(dir, `${name}.yaml`);
    await writeFile(file, stringify(raw));
    const process_ = lab.spawn({ idc: 'c', name, command: process.execPath, args: [main, '--config', file] });
    const controller = new LoneController(process_, file, raw);
    await controller.serves();
    return controller;
  }

  get url(): string {
    return (this.raw['http'] as { advertise: string }).advertise;
  }

  get grpc(): string {
    return (this.raw['grpc'] as { listen: string }).listen;
  }

  get api(): Api {
    return new Api(this.url, (this.raw['http'] as { tokenFile: string }).tokenFile);
  }

  /** After a start, also a second one: the API may be asked. */
  async serves(from = this.process.lines.length): Promise<void> {
    await this.process.waitForLine(/"controller serves"/, READY_MS, from);
  }

  /** Writes the file anew. */
  async write(raw: RawFile): Promise<void> {
    await writeFile(this.file, stringify(raw));
  }

  signal(signal: NodeJS.Signals): void {
    const { pid } = this.process;
    if (pid === undefined) throw new Error('the controller does not run');
    process.kill(pid, signal);
  }

  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    return waitFor(what, look, { timeoutMs: READY_MS, giveUp: () => this.ended() });
  }

  private ended(): string | undefined {
    return this.process.running ? undefined : `it ended: ${this.process.logTail(20)}`;
  }
}
