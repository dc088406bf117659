import { checkTopic, type ClusterGoal, type FenceOffer } from '#failover';
import { KafkaCallError, monotonicMs, pause, type AclQuery, type ClusterHands } from '#kafka';
import { aclOffer, type AuthorizerProbe } from '../probes/authorizer.probe.js';
import {
  aclResources,
  observeAcl,
  viewOf,
  whomToDeny,
  writersOf,
  type AclResource,
  type AclView,
} from '../probes/acl-rules.js';
import { planAclFence, planAclOpen } from './acl-plan.js';
import type { Fence, FenceReading } from './fence.js';
import type { GroupReaders, ReadersReading } from './group-readers.js';
import { ensureGroupTopic, goalTopics } from './group-topics.js';

const CALL_MS = 3_000;
const READ_BACK_MS = 10_000;
const READ_BACK_PAUSE_MS = 100;
const ENTRIES_PER_REQUEST = 1_000;
const DENIED: AclQuery = { resource: 'topic', operation: 'write', permission: 'deny' };
const AUTHORIZATION = 'authorization';

type Scope = Readonly<{ topics: readonly string[]; resources: readonly AclResource[] }>;

/**
 * Fence 1: DENY WRITE. Checked at every request, so it ends the writes of existing connections at once, while consumers
 * and MirrorMaker (a super user, or exempt by name) go on.
 */
export class AclFence implements Fence {
  readonly kind = 'acl';
  readonly #hands: ClusterHands;
  readonly #probe: AuthorizerProbe;
  readonly #exempt: readonly string[] | null;
  readonly #hasOrdinary: boolean;
  readonly #readers: GroupReaders;

  constructor(
    parts: Readonly<{
      hands: ClusterHands;
      probe: AuthorizerProbe;
      exempt: readonly string[] | null;
      hasOrdinary: boolean;
      readers: GroupReaders;
    }>,
  ) {
    this.#hands = parts.hands;
    this.#probe = parts.probe;
    this.#exempt = parts.exempt;
    this.#hasOrdinary = parts.hasOrdinary;
    this.#readers = parts.readers;
  }

  async offer(goal: ClusterGoal): Promise<FenceOffer> {
    if (this.#exempt === null) return aclOffer(this.#probe.findings, [], null, this.#hasOrdinary);
    const found = await this.#probe.look(CALL_MS);
    if (found.authorizer !== true) return aclOffer(found, [], this.#exempt, this.#hasOrdinary);
    const { topics } = await this.#scope(goal);
    return aclOffer(found, topics, this.#exempt, this.#hasOrdinary);
  }

  async place(goal: ClusterGoal, signal: AbortSignal): Promise<FenceReading> {
    const { acls } = await this.#probe.look(CALL_MS);
    const { layout, topics } = await goalTopics(this.#hands, goal, CALL_MS);
    const scope = await this.#scope(goal);
    const whom = whomToDeny(writersOf(acls, scope.topics), this.#exempt ?? []);
    if ('undecidable' in whom)
      throw new KafkaCallError('fence by ACL', { kind: 'other', errorCode: null, detail: whom.undecidable });
    const plan = planAclFence(goal, scope.resources, whom.principals, await this.#views(goal));
    await this.#change(plan.create, (part) => this.#hands.acls.create(part, CALL_MS), signal);
    await this.#change(plan.remove, (part) => this.#hands.acls.remove(part, CALL_MS), signal);
    const reading = await this.#readBack(goal, scope, whom.principals, plan.remarks, 'fenced', signal);
    // After the topics that applications write to are closed: to make a topic takes a returning cluster seconds.
    await ensureGroupTopic(this.#hands, layout, checkTopic(goal.group), topics, {}, CALL_MS);
    return withReaders(reading, await this.#readers.refuse(goal, signal));
  }

  async lift(goal: ClusterGoal, signal: AbortSignal): Promise<FenceReading> {
    const seen = await this.#viewsIfAny(goal);
    if (typeof seen === 'string') return nothing(seen);
    const scope = await this.#scope(goal);
    const plan = planAclOpen(scope.resources, seen);
    await this.#change(plan.remove, (part) => this.#hands.acls.remove(part, CALL_MS), signal);
    const reading =
      plan.remove.length === 0
        ? this.#reading(scope, seen, null, plan.remarks)
        : await this.#readBack(goal, scope, null, plan.remarks, 'open', signal);
    return unlessLeft(reading, await this.#readers.admit(goal, signal));
  }

  async read(goal: ClusterGoal): Promise<FenceReading> {
    const seen = await this.#viewsIfAny(goal);
    if (typeof seen === 'string') return nothing(seen);
    const reading = this.#reading(await this.#scope(goal), seen, null, []);
    const readers = await this.#readers.read(goal);
    return goal.state === 'open' ? unlessLeft(reading, readers) : withReaders(reading, readers);
  }

  async #scope(goal: ClusterGoal): Promise<Scope> {
    const { layout, topics } = await goalTopics(this.#hands, goal, CALL_MS);
    const check = checkTopic(goal.group);
    const patterns = [...new Set([...goal.topics, check])];
    return { topics: [...new Set([...topics, check])], resources: aclResources(patterns, [...layout.topics.keys()]) };
  }

  async #views(goal: ClusterGoal): Promise<readonly AclView[]> {
    const lists = await this.#hands.acls.listEverywhere(DENIED, CALL_MS);
    return (lists ?? []).map((list) => viewOf(list, goal.group));
  }

  /** Without an authorizer, or for an agent that may neither read nor change ACLs, there is no such fence to look for. */
  async #viewsIfAny(goal: ClusterGoal): Promise<readonly AclView[] | string> {
    const found = await this.#probe.look(CALL_MS);
    if (found.authorizer === false) return 'no authorizer';
    try {
      return await this.#views(goal);
    } catch (error) {
      if (this.#exempt === null && error instanceof KafkaCallError && error.kind === AUTHORIZATION)
        return error.message;
      throw error;
    }
  }

  async #change<T>(all: readonly T[], send: (part: readonly T[]) => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < all.length; at += ENTRIES_PER_REQUEST) {
      signal.throwIfAborted(); // the goal was replaced: its opposite waits for us to let go
      await send(all.slice(at, at + ENTRIES_PER_REQUEST));
    }
  }

  async #readBack(
    goal: ClusterGoal,
    scope: Scope,
    principals: readonly string[] | null,
    remarks: readonly string[],
    until: 'fenced' | 'open',
    signal: AbortSignal,
  ): Promise<FenceReading> {
    const endsAtMs = monotonicMs() + READ_BACK_MS;
    for (;;) {
      const reading = this.#reading(scope, await this.#views(goal), principals, remarks);
      if (reading.state === until || reading.state === 'foreign' || signal.aborted || monotonicMs() > endsAtMs)
        return reading;
      await pause(READ_BACK_PAUSE_MS, signal);
    }
  }

  #reading(
    { resources }: Scope,
    views: readonly AclView[],
    principals: readonly string[] | null,
    remarks: readonly string[],
  ): FenceReading {
    const state = observeAcl(resources, views, principals);
    const whom = principals === null ? '' : ` for ${principals.slice(0, 10).join(', ')}`;
    const said = `ACLs of ${resources.length} resources ${state}${whom} at ${views.length} brokers`;
    return { state, readAtMs: monotonicMs(), detail: [said, ...remarks.slice(0, 10)].join('; '), previous: {} };
  }
}

function withReaders(reading: FenceReading, { denied, detail }: ReadersReading): FenceReading {
  return {
    ...reading,
    detail: detail === null ? reading.detail : `${reading.detail}; ${detail}`,
    ...(denied.length === 0 ? {} : { deniedGroups: denied }),
  };
}

/** Open is a cluster only when its consumer groups may read there as well. */
const unlessLeft = (reading: FenceReading, { left }: ReadersReading): FenceReading =>
  left && reading.state === 'open'
    ? { ...reading, state: 'partial', detail: `${reading.detail}; consumer groups are still refused` }
    : reading;

const nothing = (why: string): FenceReading => ({ state: 'open', readAtMs: monotonicMs(), detail: why, previous: {} });
