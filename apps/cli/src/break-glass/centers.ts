import { bringAlong, type ConfigCenter, ConfigCenterError, openConfigCenter, type Pointer } from '#config-center';
import { CliError, EXIT } from '../exit-codes.js';
import type { FileCenter } from './controller-view.js';
import type { Standing } from './plan.js';

type Named = Readonly<{ name: string; isStore: boolean; center: ConfigCenter }>;
export type Follower = Readonly<{ center: string; followed: boolean; detail: string }>;

/** The config centers of one group, spoken to without any controller. The first is authoritative. */
export class Centers {
  private readonly all: readonly Named[];

  /** @throws CliError for an entry that cannot be opened */
  constructor(files: readonly FileCenter[]) {
    this.all = files.map(({ spec, isStore }) => ({ name: spec.name, isStore, center: open(spec) }));
  }

  async standing(group: string): Promise<Standing> {
    const { center } = this.first;
    return await this.ask(async () => ({
      pointer: await center.read(group),
      claimedTerm: await center.claimedTerm(group),
    }));
  }

  /** From here on no living leader can publish. False: another one has claimed meanwhile. */
  async claim({ group, term }: Pointer): Promise<boolean> {
    return await this.ask(() => this.first.center.claim(group, term));
  }

  /** By the center's own rule: the epoch that was read and the claimed term, in one transaction. Null: published. */
  async publish(pointer: Pointer, before: Pointer): Promise<string | null> {
    const guard = { expectedEpoch: before.epoch, term: pointer.term };
    const result = await this.ask(() => this.first.center.publish(pointer, guard));
    if (result.ok) return null;
    const { current, reason } = result;
    return `${reason}: it holds ${current === null ? 'nothing' : `${current.activeCluster} at epoch ${current.epoch}`}`;
  }

  /** The others may be down: they are brought along by the controllers later. */
  async follow(pointer: Pointer): Promise<readonly Follower[]> {
    return await Promise.all(
      this.all.slice(1).map(async ({ name, center }): Promise<Follower> => {
        try {
          const followed = await bringAlong(center, pointer);
          return { center: name, followed, detail: followed ? `at epoch ${pointer.epoch}` : 'it refused' };
        } catch (error) {
          return { center: name, followed: false, detail: error instanceof Error ? error.message : String(error) };
        }
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map(({ center }) => center.close()));
  }

  private get first(): Named {
    const [first] = this.all;
    if (first === undefined) throw new CliError('the group publishes to no config center', EXIT.usage);
    return first;
  }

  private async ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof ConfigCenterError)) throw error;
      throw new CliError(this.silence(error), EXIT.refused, { cause: error });
    }
  }

  private silence(error: ConfigCenterError): string {
    const { name, isStore } = this.first;
    if (!isStore)
      return `the config center ${name} cannot be used, so nothing can be published: ${error.message}; ${error.remedy}`;
    return (
      `the config center ${name} IS the SQL store, and it does not answer: ${error.message}\n` +
      'Nothing can be published without it: clients keep the last pointer, and no cluster was touched. ' +
      'Bring that PostgreSQL back, or send clients elsewhere by their own means.'
    );
  }
}

function open(spec: FileCenter['spec']): ConfigCenter {
  try {
    return openConfigCenter(spec);
  } catch (error) {
    if (!(error instanceof ConfigCenterError)) throw error;
    throw new CliError(`${error.message}; ${error.remedy}`, EXIT.usage, { cause: error });
  }
}
