import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { checkoutRoot, type Lab, type LabIdc, type LabProcess, waitFor } from '#lab';
import { openConfigCenter, type Pointer, type PointerSource } from '#config-center';
import { Api } from './api.js';
import {
  type FurtherGroup,
  type FurtherReceivers,
  GROUP,
  type GroupOptions,
  type InstallationPlan,
  secretFile,
  type TlsFiles,
  type Webhook,
  writeAgentConfig,
  writeControllerConfig,
} from './config-files.js';
import type { Profile } from './profiles.js';

export type InstallationOptions = Readonly<{
  lab: Lab;
  profile: Profile;
  group?: Partial<GroupOptions>;
  furtherGroups?: readonly FurtherGroup[];
  configCenter?: 'sql' | 'etcd';
  webhooks?: readonly Webhook[];
  receivers?: FurtherReceivers;
  tls?: (commonName: string) => Promise<TlsFiles>;
  firstLeader?: LabIdc; // started first, so that it leads; default a
  controllerEnv?: Readonly<Record<string, string>>;
  controllerEnvIn?: Readonly<Partial<Record<LabIdc, Readonly<Record<string, string>>>>>; // one controller's own, on top
  logLevel?: string;
}>;

const IDCS: readonly LabIdc[] = ['a', 'b', 'c'];
const READY_MS = 60_000;

/** What the API says of a group; only the fields that tools and tests look at. */
export type GroupStatus = Readonly<{
  group: string;
  active: string;
  epoch: number;
  row: number | null; // null before the first tick
  name: string; // of the row
  gate: readonly string[];
  blockers: readonly Readonly<{ name: string; liftedBy: string }>[]; // of a due action, each with what lifts it
  leader: Readonly<{ id: string; term: number }> | null;
  evaluatedAt: string | null;
  window: Readonly<{ fillMs: number; complete: boolean }> | null;
  lag: Readonly<{ records: number | null }>;
}>;

/** Three controllers and three agents on a lab, one of each per IDC: the built programs, as a user runs them. */
export class Installation {
  /** Process names of controllers that were started again in another environment. */
  private readonly replaced = new Map<LabIdc, string>();

  private constructor(
    private readonly plan: InstallationPlan,
    private readonly env: (idc: LabIdc) => Readonly<Record<string, string>>,
    private readonly center: PointerSource,
  ) {}

  static async start(options: InstallationOptions): Promise<Installation> {
    const { lab } = options;
    const dir = join(lab.dir, 'pointsman');
    await mkdir(dir, { recursive: true });
    const ports = async (): Promise<Record<LabIdc, number>> => ({
      a: await lab.freePort(),
      b: await lab.freePort(),
      c: await lab.freePort(),
    });
    const plan: InstallationPlan = {
      lab,
      dir,
      profile: options.profile,
      group: {
        mode: 'auto',
        topics: ['orders'],
        consumerGroups: ['billing'],
        maxRpo: { records: 10_000, duration: '30s' },
        cooldown: '1h',
        naming: 'identity',
        ...options.group,
      },
      furtherGroups: options.furtherGroups ?? [],
      configCenter: options.configCenter ?? 'sql',
      webhooks: options.webhooks ?? [],
      receivers: options.receivers ?? {},
      tokenFile: await secretFile({ dir }, 'api.token', randomBytes(24).toString('base64url')),
      grpcPorts: await ports(),
      httpPorts: await ports(),
      agentHttpPorts: await ports(),
      tls: options.tls ?? null,
    };
    const center =
      plan.configCenter === 'sql'
        ? openConfigCenter({ name: 'main', type: 'sql', url: await lab.postgresUrl('c') })
        : openConfigCenter({ name: 'main', type: 'etcd', endpoints: [await lab.etcdUrl('c')] });
    const installation = new Installation(
      plan,
      (idc) => ({ ...options.controllerEnv, ...options.controllerEnvIn?.[idc] }),
      center,
    );
    await installation.startAll(options.firstLeader ?? 'a');
    return installation;
  }

  get dir(): string {
    return this.plan.dir;
  }

  get tokenFile(): string {
    return this.plan.tokenFile;
  }

  api(idc: LabIdc): Api {
    return new Api(`http://127.0.0.1:${this.plan.httpPorts[idc]}`, this.plan.tokenFile);
  }

  apiUrls(): string[] {
    return IDCS.map((idc) => this.api(idc).url);
  }

  metricsUrl(kind: 'controller' | 'agent', idc: LabIdc): string {
    const port = kind === 'controller' ? this.plan.httpPorts[idc] : this.plan.agentHttpPorts[idc];
    return `http://127.0.0.1:${port}/metrics`;
  }

  /** The group as the controller in `idc` sees it now. */
  async group(idc: LabIdc, name = GROUP): Promise<GroupStatus> {
    return this.api(idc).get<GroupStatus>(`/v1/groups/${name}`);
  }

  /** The published pointer, past every controller. */
  pointer(group = GROUP): Promise<Pointer | null> {
    return this.center.read(group);
  }

  /** Waits until `want` holds of the group as seen by every controller of `seenBy`. */
  async waitForGroup(
    what: string,
    want: (g: GroupStatus, idc: LabIdc) => boolean,
    options: Readonly<{ seenBy?: readonly LabIdc[]; timeoutMs: number }>,
  ): Promise<void> {
    let last: readonly unknown[] = [];
    const attempt = async (): Promise<true | undefined> => {
      const seenBy = options.seenBy ?? IDCS;
      const seen = await Promise.all(seenBy.map(async (idc) => ({ idc, group: await this.group(idc) })));
      last = seen.map(
        ({ idc, group }) =>
          `${idc}: ${group.row} ${group.name} [${group.gate.join()}] ${group.blockers.map((b) => b.name).join()}`,
      );
      return seen.every(({ idc, group }) => want(group, idc)) ? true : undefined;
    };
    try {
      await waitFor(what, attempt, { timeoutMs: options.timeoutMs, pollMs: 100 });
    } catch (error) {
      throw new Error(`${what}: ${last.join(' | ')}`, { cause: error });
    }
  }

  /** Every controller says Steady. */
  async waitForSteady(timeoutMs: number, seenBy: readonly LabIdc[] = IDCS): Promise<void> {
    await this.waitForGroup('row 800 Steady', (g) => g.row === 800, { seenBy, timeoutMs });
  }

  /** Waits until the pointer names `cluster` at an epoch above `aboveEpoch`. */
  async waitForPointer(cluster: string, aboveEpoch: number, timeoutMs: number, group = GROUP): Promise<Pointer> {
    return waitFor(
      `the pointer of ${group} names ${cluster}`,
      async () => {
        const pointer = await this.pointer(group);
        return pointer !== null && pointer.activeCluster === cluster && pointer.epoch > aboveEpoch
          ? pointer
          : undefined;
      },
      { timeoutMs, pollMs: 50 },
    );
  }

  /** The IDC of the leading controller, as the controllers in `seenBy` see it. */
  async leader(seenBy: readonly LabIdc[] = IDCS): Promise<LabIdc | null> {
    const answers = await Promise.allSettled(seenBy.map((idc) => this.group(idc)));
    const ids = answers.flatMap((a) =>
      a.status === 'fulfilled' && a.value.leader !== null ? [a.value.leader.id] : [],
    );
    return IDCS.find((idc) => ids.includes(`ctl-${idc}`)) ?? null;
  }

  controller(idc: LabIdc): LabProcess {
    return this.plan.lab.process(this.replaced.get(idc) ?? `ctl-${idc}`);
  }

  /**
   * Starts the dead controller of `idc` again in another environment, as a lab process of its own: `ctl-c.2` and so on.
   * Use it only in an IDC that is not started as a whole later: `lab.start({ idc })` would start the first one too.
   */
  async restartController(idc: LabIdc, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const last = this.controller(idc);
    if (last.running) throw new Error(`${last.name} still runs`);
    const name = `ctl-${idc}.${Number(last.name.split('.')[1] ?? 1) + 1}`;
    this.replaced.set(idc, name);
    await this.startController(idc, name, env);
  }

  agent(idc: LabIdc): LabProcess {
    return this.plan.lab.process(`agent-${idc}`);
  }

  async close(): Promise<void> {
    await this.center.close();
  }

  private async startAll(first: LabIdc): Promise<void> {
    await Promise.all([this.startController(first), ...IDCS.map((idc) => this.startAgent(idc))]);
    await this.waitReady(first, true);
    const others = IDCS.filter((idc) => idc !== first);
    await Promise.all(others.map((idc) => this.startController(idc)));
    await Promise.all(others.map((idc) => this.waitReady(idc, false)));
  }

  private async startController(idc: LabIdc, name = `ctl-${idc}`, env = this.env(idc)): Promise<void> {
    const config = await writeControllerConfig(this.plan, idc);
    this.plan.lab.spawn({
      idc,
      name,
      command: process.execPath,
      args: [join(checkoutRoot(), 'dist/apps/controller/src/main.js'), '--config', config],
      env,
      ports: [this.plan.httpPorts[idc], this.plan.grpcPorts[idc]],
    });
  }

  private async startAgent(idc: LabIdc): Promise<void> {
    const config = await writeAgentConfig(this.plan, idc);
    this.plan.lab.spawn({
      idc,
      name: `agent-${idc}`,
      command: process.execPath,
      args: [join(checkoutRoot(), 'dist/apps/agent/src/main.js'), '--config', config],
      ports: [this.plan.agentHttpPorts[idc]],
    });
  }

  private async waitReady(idc: LabIdc, leads: boolean): Promise<void> {
    const name = `ctl-${idc}`;
    await waitFor(
      `${name} answers${leads ? ' and leads' : ''}`,
      async () => {
        const { leader } = await this.group(idc);
        return !leads || leader?.id === name ? true : undefined;
      },
      {
        timeoutMs: READY_MS,
        giveUp: () => (this.controller(idc).running ? undefined : `it ended: ${this.controller(idc).logTail(20)}`),
      },
    );
  }
}
