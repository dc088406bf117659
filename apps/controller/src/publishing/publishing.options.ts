import type { ConfigCenter } from '#config-center';
import type { GroupKeeperOptions } from './group-keeper.js';
import type { PublishingOptions } from './publishing-service.js';

/** Everything the feature must be told, from the configuration. */
export type PublishingModuleOptions = Readonly<{
  /** By the names that `publishTo` uses; opened by the composition root, which also closes them. */
  centers: ReadonlyMap<string, ConfigCenter>;
  publishing: PublishingOptions;
  keeper: GroupKeeperOptions;
}>;

export const PUBLISHING_OPTIONS = Symbol('PublishingModuleOptions');
