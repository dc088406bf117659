import type { ClusterGoal } from '#failover';
import { KafkaCallError, monotonicMs, pause, type AclChange, type AclQuery, type ClusterHands } from '#kafka';
import {
  deniedEverywhere,
  GROUP_READS,
  readersToDeny,
  viewOf,
  type AclResource,
  type AclView,
  type Kept,
} from '../probes/acl-rules.js';
import type { AuthorizerProbe } from '../probes/authorizer.probe.js';
import { planAclFence, planAclOpen } from './acl-plan.js';

const CALL_MS = 3_000;
const READ_BACK_MS = 10_000;
const READ_BACK_PAUSE_MS = 100;
const DENIED: AclQuery = { ...GROUP_READS, permission: 'deny' };

/** `left`: entries of ours are there, whatever they deny. */
export type ReadersReading = Readonly<{ denied: readonly string[]; left: boolean; detail: string | null }>;

/**
 * DENY READ on the consumer groups of an old side, beside fence 1 and tagged as it is: their members are refused at the next
 * heartbeat, and nobody joins. It closes nothing by itself, so what goes wrong here is said and keeps no fence from standing.
 */
export class GroupReaders {
  readonly #hands: Pick<ClusterHands, 'acls'>;
  readonly #probe: Pick<AuthorizerProbe, 'findings'>;
  readonly #kept: Omit<Kept, 'agentIsSuperUser'>;

  constructor(
    hands: Pick<ClusterHands, 'acls'>,
    probe: Pick<AuthorizerProbe, 'findings'>,
    kept: Omit<Kept, 'agentIsSuperUser'>,
  ) {
    this.#hands = hands;
    this.#probe = probe;
    this.#kept = kept;
  }

  /** Refuses the goal's groups and admits every other that was refused before, and reads back. */
  async refuse(goal: ClusterGoal, signal: AbortSignal): Promise<ReadersReading> {
    try {
      return await this.#refuse(goal, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof KafkaCallError)) throw error;
      return { denied: [], left: true, detail: `consumer groups are not refused: ${error.message}` };
    }
  }

  /** Takes away what was ours, and reads back. */
  async admit(goal: ClusterGoal, signal: AbortSignal): Promise<ReadersReading> {
    const views = await this.#views(goal);
    const { remove } = planAclOpen([], views, GROUP_READS);
    if (remove.length === 0) return reading(goal, views, null);
    signal.throwIfAborted(); // the goal was replaced: its opposite waits for us to let go
    await this.#hands.acls.remove(remove, CALL_MS);
    return this.#readBack(goal, null, signal, (read) => !read.left);
  }

  async read(goal: ClusterGoal): Promise<ReadersReading> {
    return reading(goal, await this.#views(goal), null);
  }

  async #refuse(goal: ClusterGoal, signal: AbortSignal): Promise<ReadersReading> {
    const { deniedGroups = [] } = goal;
    const { groupAcls, agentIsSuperUser } = this.#probe.findings;
    const kept = { ...this.#kept, agentIsSuperUser: agentIsSuperUser === true };
    const whom = readersToDeny(groupAcls, deniedGroups, kept);
    const principals = 'principals' in whom ? whom.principals : [];
    const views = await this.#views(goal);
    const plan = planAclFence(goal, resourcesOf(goal), principals, views, GROUP_READS);
    await this.#change(plan, signal);
    const changed = plan.create.length + plan.remove.length > 0;
    const wanted = principals.length === 0 ? 0 : deniedGroups.length;
    const read = changed
      ? await this.#readBack(goal, principals, signal, ({ denied }) => denied.length === wanted)
      : reading(goal, views, principals);
    if (deniedGroups.length === 0) return read;
    if ('undecidable' in whom) return { ...read, detail: `consumer groups are not refused: ${whom.undecidable}` };
    const said = `${read.denied.length} of ${deniedGroups.length} consumer groups refused`;
    const to =
      principals.length === 0 ? ', nobody may read there by an ACL' : ` to ${principals.slice(0, 10).join(', ')}`;
    return { ...read, detail: [`${said}${to}`, ...plan.remarks.slice(0, 10)].join('; ') };
  }

  async #change(plan: Readonly<{ create: readonly AclChange[]; remove: readonly AclChange[] }>, signal: AbortSignal) {
    signal.throwIfAborted(); // the goal was replaced: its opposite waits for us to let go
    await this.#hands.acls.create(plan.create, CALL_MS);
    await this.#hands.acls.remove(plan.remove, CALL_MS);
  }

  async #readBack(
    goal: ClusterGoal,
    principals: readonly string[] | null,
    signal: AbortSignal,
    isDone: (read: ReadersReading) => boolean,
  ): Promise<ReadersReading> {
    const endsAtMs = monotonicMs() + READ_BACK_MS;
    for (;;) {
      const read = reading(goal, await this.#views(goal), principals);
      if (isDone(read) || signal.aborted || monotonicMs() > endsAtMs) return read;
      await pause(READ_BACK_PAUSE_MS, signal);
    }
  }

  async #views(goal: ClusterGoal): Promise<readonly AclView[]> {
    const lists = await this.#hands.acls.listEverywhere(DENIED, CALL_MS);
    return (lists ?? []).map((list) => viewOf(list, goal.group, GROUP_READS));
  }
}

/** The configuration names consumer groups one by one. */
const resourcesOf = ({ deniedGroups = [] }: ClusterGoal): readonly AclResource[] =>
  deniedGroups.map((name) => ({ name, pattern: 'literal' }));

/** `principals` null: by what is ours, whomever it denies. */
const reading = (
  goal: ClusterGoal,
  views: readonly AclView[],
  principals: readonly string[] | null,
): ReadersReading => ({
  denied: principals?.length === 0 ? [] : deniedEverywhere(resourcesOf(goal), views, principals).map((r) => r.name),
  left: views.some((v) => v.tags.size > 0),
  detail: null,
});
