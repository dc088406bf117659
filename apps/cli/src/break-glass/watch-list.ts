import type { WatchGroup } from '#failover';
import { CliError } from '../exit-codes.js';
import { Centers } from './centers.js';
import { centersOf, type ControllerView, type FileGroup } from './controller-view.js';
import type { Plan } from './plan.js';

/**
 * Whom each group's pointer names: a fence that closes a whole cluster must know to whom else it would close it. A pointer that
 * cannot be read counts as served everywhere.
 */
export async function watchList(view: ControllerView, chosen: FileGroup, plan: Plan): Promise<readonly WatchGroup[]> {
  const { activeCluster, epoch } = plan.pointer;
  return await Promise.all(
    view.groups.map(async (group): Promise<WatchGroup> => {
      if (group === chosen) return { ...group.watch, active: activeCluster, epoch };
      const found = await pointerOf(view, group);
      return { ...group.watch, active: found?.activeCluster ?? null, epoch: found?.epoch ?? 0 };
    }),
  );
}

async function pointerOf(view: ControllerView, group: FileGroup) {
  const centers = new Centers(centersOf(view, group));
  try {
    return (await centers.standing(group.watch.name)).pointer;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return null;
  } finally {
    await centers.close();
  }
}
