import type { Command, TailCommand, TailOutput } from '#failover';
import type { ClusterHands, RecordLog } from '#kafka';
import { exportToFileWork, exportToTopicWork } from './export-tail.hand.js';
import type { TimeLeft } from './offset-commands.js';
import { proveSeamWork } from './prove-seam.hand.js';
import { replayTailWork } from './replay-tail.hand.js';
import { reportTailWork, tailPath } from './report-tail.hand.js';
import { loadResolver } from './resolver-module.js';
import { TailJobs, type TailWork } from './tail-job.js';

export type TailCluster = Readonly<{ hands: ClusterHands; log: RecordLog }>;

/** The commands about a tail: each is work that goes on behind its answers. */
export class TailHands {
  readonly #clusterOf: (name: string) => TailCluster;
  readonly #dataDir: string;
  readonly #resolverModule: string | undefined;
  readonly #jobs = new TailJobs();

  constructor(
    clusterOf: (name: string) => TailCluster,
    of: Readonly<{ dataDir: string; resolverModule?: string | undefined }>,
  ) {
    this.#clusterOf = clusterOf;
    this.#dataDir = of.dataDir;
    this.#resolverModule = of.resolverModule;
  }

  run({ group }: Pick<Command, 'group'>, body: TailCommand, left: TimeLeft): Promise<TailOutput> {
    return this.#jobs.ask(group, body, left, () => this.#work(group, body));
  }

  close(): void {
    this.#jobs.close();
  }

  #work(group: string, body: TailCommand): TailWork {
    const pathOf = (what: string): string => tailPath(this.#dataDir, group, what, body);
    switch (body.kind) {
      case 'prove_seam':
        return proveSeamWork(this.#clusterOf(body.from), this.#clusterOf(body.to), body);
      case 'report_tail':
        return reportTailWork(this.#clusterOf(body.cluster), body, pathOf('report'));
      case 'export_tail':
        return body.destination === 'file'
          ? exportToFileWork(this.#clusterOf(body.from), body, pathOf('export'))
          : exportToTopicWork(this.#clusterOf(body.from), this.#clusterOf(body.to), group, body);
      case 'replay_tail':
        return replayTailWork(this.#clusterOf(body.from), this.#clusterOf(body.to), body, () =>
          loadResolver(this.#resolverModule),
        );
    }
  }
}
