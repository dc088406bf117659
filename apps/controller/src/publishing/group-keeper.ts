import { breakGlassId, type Pointer } from '#config-center';
import { breakGlassGoals, type Mode, type SagaRecord, type WatchGroup } from '#failover';
import { rfc3339 } from '#platform';
import type { Leadership, LeadershipView } from '../leadership/leadership.port.js';
import type { AgentGateway } from '../observation/observation.port.js';
import {
  LostLeadershipError,
  type AuthorityStore,
  type AuthorityTx,
  type GroupRow,
  movedTo,
  newGroupRow,
} from '../persistence/authority-store.port.js';
import type { FollowerLog, FollowerTime } from './follower-sync.js';
import { agree, judgeGroup, type GroupFinding } from './judge-group.js';
import { ClaimLostError } from './publishing.port.js';
import type { PublishingService } from './publishing-service.js';

export type KeptGroup = Readonly<{
  name: string;
  mode: Mode;
  clusters: readonly Readonly<{ name: string; bootstrapServers: readonly string[] }>[];
  watch: Pick<WatchGroup, 'name' | 'clusters' | 'topics' | 'flows'>;
}>;

export type GroupKeeperOptions = Readonly<{
  controller: string;
  groups: readonly KeptGroup[];
  checkMs: number; // between two comparisons of store and config center
  retryMs: number; // while one of them does not answer
}>;

export const GROUP_KEEPER_DEFAULTS = { checkMs: 10_000, retryMs: 1_000 } as const;

type Deps = Readonly<{
  store: AuthorityStore;
  publishing: PublishingService;
  leadership: Leadership;
  gateway: Pick<AgentGateway, 'setGoals'>;
  time: FollowerTime & Readonly<{ wallMs(): number }>;
  log: FollowerLog;
}>;

/**
 * At take-over, and every few seconds of leadership: claims each group with the own term, creates what nobody knows yet,
 * and compares store and config center. What does not fit together freezes the group; nothing is overwritten (I3).
 */
export class GroupKeeper {
  private unsubscribe: () => void = () => undefined;
  private readonly stopping = new AbortController();
  private term = 0;
  private loop: Promise<void> = Promise.resolve();
  private readonly readRows = (): Promise<readonly GroupRow[]> => this.deps.store.groups();

  constructor(
    private readonly deps: Deps,
    private readonly options: GroupKeeperOptions,
  ) {}

  begin(): void {
    this.unsubscribe = this.deps.leadership.onChange((view) => this.onLeadership(view));
    this.onLeadership(this.deps.leadership.current());
  }

  /** Does not wait for leadership to end: at a planned stop either may come first. */
  async end(): Promise<void> {
    this.unsubscribe();
    this.stopping.abort(new Error('this controller stops'));
    await this.loop;
  }

  /**
   * One comparison of one group; what was found and done about it. `rows`: the groups as this round has read them; the pool
   * is the lease's too, so a group that agrees costs no question of its own.
   */
  async keep(group: KeptGroup, term: number, rows = this.readRows): Promise<GroupFinding['kind']> {
    const { publishing } = this.deps;
    await publishing.claim(group.name, term);
    const pointer = await publishing.read(group.name);
    if (agree(rowOf(group, await rows()), pointer)) {
      if (pointer !== null) publishing.bringAlong(pointer);
      return 'agree';
    }
    return this.settle(group, term);
  }

  /** They differ, or did when one of them was read: looked at anew, with the sagas before and after. */
  private async settle(group: KeptGroup, term: number): Promise<GroupFinding['kind']> {
    const { store, publishing } = this.deps;
    const before = await this.openSaga(group.name);
    const pointer = await publishing.read(group.name);
    const row = rowOf(group, await this.readRows());
    const named = typeof pointer?.sagaId === 'string' ? await store.saga(pointer.sagaId) : null;
    const publisher = named?.group === group.name ? named : null;
    const finding = judgeGroup({
      row,
      pointer,
      hasOpenSaga: before || (await this.openSaga(group.name)),
      publisher,
      firstCluster: group.clusters[0]?.name ?? '',
    });
    if (finding.kind === 'create' || finding.kind === 'finish-creation') await this.create(group, term, pointer);
    else if (finding.kind === 'adopt') await this.adopt(group, term, row, finding.pointer, publisher);
    else if (finding.kind === 'freeze') await this.freeze(group, term, row, finding);
    else if (pointer !== null) publishing.bringAlong(pointer);
    return finding.kind;
  }

  private async openSaga(group: string): Promise<boolean> {
    return (await this.deps.store.openSagas()).some((s) => s.group === group);
  }

  private onLeadership(view: LeadershipView): void {
    if (!view.leading || view.signal === null || view.term === this.term) return;
    this.term = view.term;
    this.loop = this.run(view.term, AbortSignal.any([view.signal, this.stopping.signal]));
  }

  /** Ends with the leadership. A group whose center is silent is asked again soon; the others need not wait for it. */
  private async run(term: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const rows = once(this.readRows);
      const kept = await Promise.all(this.options.groups.map((group) => this.keepQuietly(group, term, rows, signal)));
      try {
        await this.deps.time.sleep(kept.every(Boolean) ? this.options.checkMs : this.options.retryMs, signal);
      } catch {
        return; // only the signal ends a sleep
      }
    }
  }

  private async keepQuietly(
    group: KeptGroup,
    term: number,
    rows: () => Promise<readonly GroupRow[]>,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await this.keep(group, term, rows);
      return true;
    } catch (error) {
      const over = signal.aborted || error instanceof LostLeadershipError || error instanceof ClaimLostError;
      if (!over)
        this.deps.log.warn(
          { group: group.name, term, error },
          'the group could not be compared with its config center',
        );
      return over;
    }
  }

  /** Row, reserved epoch, publication, record; dying between any two of them, the next leader finishes. */
  private async create(group: KeptGroup, term: number, found: Pointer | null): Promise<void> {
    const { publishing, time } = this.deps;
    const [first] = group.clusters;
    if (first === undefined) throw new Error(`group ${group.name} has no clusters`);
    const at = rfc3339(time.wallMs());
    const epoch = await this.transact(term, async (tx) => {
      const known = await tx.group(group.name);
      if (known !== null) return Math.max(known.reservedEpoch, 1);
      await tx.saveGroup(newRow(group, first.name));
      const reserved = await tx.reserveEpoch(group.name, 0);
      await note(
        tx,
        this.options.controller,
        { group: group.name, at, term, epoch: reserved },
        'created',
        `${first.name} is first`,
      );
      return reserved;
    });
    const pointer: Pointer = {
      version: 1,
      group: group.name,
      activeCluster: first.name,
      mode: 'ACTIVE',
      epoch,
      term,
      sagaId: null,
      bootstrapServers: first.bootstrapServers,
      publishedAt: at,
    };
    const result = found === null ? await publishing.publish(pointer, { expectedEpoch: 0, term }) : null;
    if (result !== null && !result.ok)
      throw new Error(`the first publication of ${group.name} was refused: ${result.reason}`);
    await this.transact(term, async (tx) => {
      const row = await tx.group(group.name);
      if (row !== null && row.epoch === 0) await tx.saveGroup({ ...row, epoch: found?.epoch ?? epoch });
    });
  }

  private async adopt(
    group: KeptGroup,
    term: number,
    seen: GroupRow | null,
    pointer: Pointer,
    publisher: SagaRecord | null,
  ): Promise<void> {
    await this.change(group, term, seen, async (tx, row, at) => {
      const { activeCluster: active, epoch, publishedAt } = pointer;
      const moved = { at: publishedAt, byMatrix: publisher?.trigger === 'auto' };
      await tx.saveGroup(row.active === active ? { ...row, epoch } : movedTo({ ...row, epoch }, active, moved));
      const said = `${pointer.activeCluster} is active at epoch ${pointer.epoch} by saga ${pointer.sagaId ?? 'none'}`;
      await note(tx, this.options.controller, { group: group.name, at, term, epoch: pointer.epoch }, 'adopted', said);
    });
  }

  /**
   * The store's view follows what clients see, so that an acknowledgement is all a person has to give. Where a person moved the
   * group by break-glass, so do the goals: those of the store are older than the pointer, and would close the cluster it names.
   */
  private async freeze(
    group: KeptGroup,
    term: number,
    seen: GroupRow | null,
    finding: Extract<GroupFinding, { kind: 'freeze' }>,
  ): Promise<void> {
    const { reason, pointer } = finding;
    const member = pointer !== null && group.clusters.some((c) => c.name === pointer.activeCluster);
    const byHand = member && breakGlassId(pointer) !== null;
    await this.change(group, term, seen, async (tx, row, at) => {
      const view = member ? { active: pointer.activeCluster, epoch: pointer.epoch, reservedEpoch: pointer.epoch } : {};
      if (byHand) {
        const moved = { active: pointer.activeCluster, epoch: pointer.epoch, term };
        for (const goal of breakGlassGoals(group.watch, moved)) await tx.saveGoal(goal);
      }
      await tx.saveGroup({
        ...row,
        ...view,
        reservedEpoch: Math.max(row.reservedEpoch, pointer?.epoch ?? 0),
        frozen: reason,
        ...(byHand ? { rejoin: leftBehind(row, pointer.activeCluster) } : {}),
      });
      await note(tx, this.options.controller, { group: group.name, at, term, epoch: row.epoch }, 'frozen', reason);
    });
    if (byHand) this.deps.gateway.setGoals(term, await this.deps.store.goals());
  }

  /** Writes only if the row is still the one that was judged: a saga may have come and gone in between. */
  private async change(
    group: KeptGroup,
    term: number,
    seen: GroupRow | null,
    work: (tx: AuthorityTx, row: GroupRow, at: string) => Promise<void>,
  ): Promise<void> {
    const at = rfc3339(this.deps.time.wallMs());
    await this.transact(term, async (tx) => {
      const row = await tx.group(group.name);
      if ((row?.epoch ?? null) !== (seen?.epoch ?? null)) return;
      await work(tx, row ?? newRow(group, group.clusters[0]?.name ?? ''), at);
    });
  }

  private transact<T>(term: number, work: (tx: AuthorityTx) => Promise<T>): Promise<T> {
    return this.deps.store.transact(term, this.options.controller, work);
  }
}

const rowOf = ({ name }: KeptGroup, rows: readonly GroupRow[]): GroupRow | null =>
  rows.find((row) => row.name === name) ?? null;

/** Asked by whoever is first; all others have the same answer. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | null = null;
  return () => (asked ??= ask());
}

/** What was active until then may hold records that only it has: it comes back by a rejoin. */
const leftBehind = (row: GroupRow, active: string): readonly string[] =>
  [...new Set([...row.rejoin, row.active])].filter((cluster) => cluster !== active);

const newRow = ({ name, mode }: KeptGroup, active: string): GroupRow => newGroupRow({ name, active, mode });

async function note(
  tx: AuthorityTx,
  controller: string,
  of: Readonly<{ group: string; at: string; term: number; epoch: number }>,
  action: string,
  reason: string,
): Promise<void> {
  await tx.appendEvent({
    ...of,
    type: 'saga',
    row: null,
    summary: `group ${of.group} ${action}: ${reason}`,
    detail: { action },
  });
  await tx.appendAudit({ ...of, actor: `controller:${controller}`, action: `group ${action}`, reason, detail: null });
}
