import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot, type Lab, labLogin, type LabProcess, waitFor } from '#lab';
import { GROUP } from '../installation/index.js';
import { type LoadEvent, type LoadOptions, parseLoadEvent } from './options.js';

export type LoadStats = Readonly<{
  sent: number;
  acknowledged: number;
  failed: number;
  consumed: number;
  unanswered: number;
  cluster: string;
  lastAckCluster: string;
  lastConsumedCluster: string;
}>;

/** The load process: applications over the switching wrapper that live in c and reach both clusters from there. */
export class Load {
  private constructor(
    private readonly lab: Lab,
    readonly process: LabProcess,
    private readonly logFile: string,
  ) {}

  static async start(lab: Lab, overrides: Partial<LoadOptions> = {}): Promise<Load> {
    const logFile = join(lab.dir, 'orders.log');
    const sasl = labLogin(lab.security, 'app');
    const options: LoadOptions = {
      group: GROUP,
      pointers: { type: 'sql', url: await lab.postgresUrl('c') },
      clusters: { a: lab.bootstrapServers('a', 'c'), b: lab.bootstrapServers('b', 'c') },
      ...(sasl === undefined ? {} : { sasl }),
      topic: 'orders',
      consumerGroup: 'billing',
      producers: 2,
      consumers: 1,
      ordersPerSecond: 60,
      logFile,
      stateFile: join(lab.dir, 'load-pointer.json'),
      ...overrides,
    };
    const process_ = lab.spawn({
      idc: 'c',
      name: 'load',
      command: process.execPath,
      args: [join(checkoutRoot(), 'dist/tools/load/main.js'), JSON.stringify(options)],
    });
    await process_.waitForLine(/^ready$/, 60_000);
    return new Load(lab, process_, logFile);
  }

  /** What it printed last; null in its first second. */
  get stats(): LoadStats | null {
    const line = this.process.lines.findLast((l) => l.startsWith('stats '));
    return line === undefined ? null : (JSON.parse(line.slice('stats '.length)) as LoadStats);
  }

  async waitForStats(what: string, want: (stats: LoadStats) => boolean, timeoutMs = 30_000): Promise<LoadStats> {
    return waitFor(
      `the load: ${what}`,
      () => {
        const { stats } = this;
        return stats !== null && want(stats) ? stats : undefined;
      },
      {
        timeoutMs,
        giveUp: () => (this.process.running ? undefined : `it ended: ${this.process.logTail(10)}`),
      },
    );
  }

  /** Stops producing, waits until every order is answered, and ends the process. */
  async stop(): Promise<void> {
    await this.lab.stop({ process: 'load' });
  }

  /** Everything it noted so far; complete after `stop`. A line that is being written is left for the next time. */
  events(): LoadEvent[] {
    const text = readFileSync(this.logFile, 'utf8');
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .flatMap((line) => parseLoadEvent(line) ?? []);
  }
}
