import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterName } from '#health';
import type { ClusterIdentity } from '#kafka';
import { createLogger, type Logger } from '#platform';
import { writeDurably } from './hands/durable-file.js';

const FOLDER = 'cluster-ids';

/**
 * Which Kafka cluster each configured name means: the first one whose broker answered under it, by its cluster id. On disk,
 * one file each, so that an agent that restarts while an alias leads elsewhere does not take the wrong cluster for the right
 * one. A cluster that was built anew has another id, and nobody but a person can tell that from a wrong address: who removes
 * the file accepts it, at once.
 */
export class ClusterIds {
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #ids = new Map<ClusterName, ClusterIdentity>();

  constructor(dataDir: string, logger: Logger = createLogger('pointsman-agent', 'silent')) {
    this.#folder = join(dataDir, FOLDER);
    this.#logger = logger;
  }

  of(cluster: ClusterName): ClusterIdentity {
    let id = this.#ids.get(cluster);
    if (id === undefined) {
      id = new KeptId(cluster, join(this.#folder, encodeURIComponent(cluster)), this.#logger);
      this.#ids.set(cluster, id);
    }
    return id;
  }
}

class KeptId implements ClusterIdentity {
  readonly #cluster: ClusterName;
  readonly #file: string;
  readonly #logger: Logger;
  readonly #told = new Set<string>();
  #known: string | null = null;
  #disk: 'unwritten' | 'writing' | 'written' = 'unwritten';

  constructor(cluster: ClusterName, file: string, logger: Logger) {
    this.#cluster = cluster;
    this.#file = file;
    this.#logger = logger;
  }

  /** @throws {Error} when the file is there and cannot be read: then nothing is known of whom to believe. */
  objection(clusterId: string): string | null {
    this.#known ??= this.#read();
    // Another one than the disk knew: has a person removed the file meanwhile?
    if (this.#known !== null && this.#known !== clusterId && this.#disk === 'written') this.#known = this.#read();
    if (this.#known === null || this.#known === clusterId) {
      if (this.#known === null || this.#disk === 'unwritten') this.#keep(clusterId);
      this.#known = clusterId;
      return null;
    }
    const says = `the cluster that answers is ${clusterId}, and ${this.#cluster} is ${this.#known}: an address leads to another cluster, or ${this.#cluster} was built anew (then remove ${this.#file})`;
    this.#tell(clusterId, says);
    return says;
  }

  #read(): string | null {
    try {
      const id = readFileSync(this.#file, 'utf8').trim();
      if (id === '') return null;
      this.#disk = 'written';
      return id;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw new Error(`cannot read ${this.#file}, which says who ${this.#cluster} is`, { cause: error });
    }
  }

  /** A disk that takes nothing blinds no agent: the id stands in memory, and is written at the next connection. */
  #keep(clusterId: string): void {
    this.#disk = 'writing';
    writeDurably(this.#file, `${clusterId}\n`).then(
      () => {
        this.#disk = 'written';
        this.#logger.info(
          { cluster: this.#cluster, clusterId },
          'this cluster id is taken for the cluster from now on',
        );
      },
      (error: unknown) => {
        this.#disk = 'unwritten';
        this.#logger.warn({ cluster: this.#cluster, error }, `the cluster's id could not be kept in ${this.#file}`);
      },
    );
  }

  #tell(clusterId: string, says: string): void {
    if (this.#told.has(clusterId)) return;
    this.#told.add(clusterId);
    this.#logger.error({ cluster: this.#cluster }, says);
  }
}
