import { checkTopic, type FenceFacts, type FencingFacts, type WatchGroup } from '#failover';
import type { ClusterName, Ms } from '#health';
import { isInternalTopic, monotonicMs, topicMatcher, type AclEntry, type ClusterHands, type ConfigTable } from '#kafka';
import type { ClusterFenceConfig } from '../config/agent-config.js';
import type { FenceObservation } from '../ports.js';
import { reaches, viewOf, writeLacks, writersOf, type AclView } from './acl-rules.js';
import { aclOffer, type AuthorizerProbe } from './authorizer.probe.js';
import { FENCE_KEY, FENCE_VALUE } from './fences.js';

const DENIED_EVERY_MS = 10_000;
const WRITERS_NAMED = 100;

export type FenceWatchParts = Readonly<{
  cluster: ClusterName;
  hands: ClusterHands;
  authorizer: AuthorizerProbe;
  fence: ClusterFenceConfig | undefined;
  hasOrdinary: boolean;
}>;

/** The fences that a cluster shows, and what it offers to close it; read on a slow tick inside a round. */
export class FenceWatch {
  readonly #parts: FenceWatchParts;
  #denied: readonly AclEntry[] = [];
  #deniedAtMs: Ms | null = null; // null: no authorizer, or none that this agent may ask
  #askedAtMs: Ms | null = null;
  #looked = false;
  #looking: Promise<void> | null = null;

  constructor(parts: FenceWatchParts) {
    this.#parts = parts;
  }

  /** Asks beside the rounds, one look at a time: an authorizer's answer must never hold up a sample. */
  tick(nowMs: Ms, deadlineMs: Ms): void {
    if (this.#looking !== null || (this.#askedAtMs !== null && nowMs - this.#askedAtMs < DENIED_EVERY_MS)) return;
    this.#askedAtMs = nowMs;
    this.#looking = this.#look(deadlineMs).finally(() => {
      this.#looking = null;
    });
  }

  async close(): Promise<void> {
    await this.#looking;
  }

  /** A cluster that does not answer, or an agent that may not look, leaves what was known. */
  async #look(deadlineMs: Ms): Promise<void> {
    const { authorizer, hands } = this.#parts;
    const found = await authorizer.look(deadlineMs);
    this.#looked = true;
    if (found.authorizer !== true) return;
    const query = { resource: 'topic', operation: 'write', permission: 'deny' } as const;
    const askedAtMs = monotonicMs();
    const list = await hands.acls.list(query, deadlineMs).catch(() => null); // silence: the next tick asks again
    if (list === null) return;
    this.#denied = list;
    this.#deniedAtMs = askedAtMs;
  }

  /** By artefacts of ours: all of a group's topics closed, none, or some. As old as the older of what it is made of. */
  observe(groups: readonly WatchGroup[], configs: ConfigTable, configsAgeMs: Ms | null): readonly FenceObservation[] {
    if (configsAgeMs === null) return [];
    const aclsAgeMs = this.#deniedAtMs === null ? 0 : monotonicMs() - this.#deniedAtMs;
    const ageMs = Math.max(configsAgeMs, aclsAgeMs);
    return groups.map((group) => ({
      group: group.name,
      facts: fenceOf(this.#parts.cluster, group, configs, viewOf(this.#denied, group.name), ageMs),
    }));
  }

  /** Null: not looked at yet. `topics`: all that exist. */
  fencing(groups: readonly WatchGroup[], topics: readonly string[]): FencingFacts | null {
    const { authorizer, fence, hasOrdinary } = this.#parts;
    const found = authorizer.findings;
    if (!this.#looked) return null;
    const matches = topicMatcher(groups.flatMap((g) => g.topics));
    const hot = topics.filter((t) => matches(t) && !isInternalTopic(t));
    const hook = fence?.hook ?? null;
    return {
      authorizer: found.authorizer,
      denyByDefault: found.denyByDefault,
      agentIsSuperUser: found.agentIsSuperUser,
      writers: writersOf(found.acls, hot).slice(0, WRITERS_NAMED),
      ...(found.authorizer === true
        ? { cannotWrite: writeLacks(found.acls, groups, hot).slice(0, WRITERS_NAMED) }
        : {}),
      offers: [
        aclOffer(found, [...hot, ...groups.map((g) => checkTopic(g.name))], fence?.exempt ?? null, hasOrdinary),
        {
          kind: 'topic-config',
          usable: true,
          reason: 'only while no flow writes to this cluster: it stops MirrorMaker too',
        },
        hook === null
          ? { kind: 'hook', usable: false, reason: "none in the agent's file" }
          : {
              kind: 'hook',
              usable: true,
              reason: hook.perGroup
                ? 'closes one group'
                : 'closes the whole cluster: only while no other group is active there',
            },
      ],
    };
  }
}

function fenceOf(cluster: ClusterName, group: WatchGroup, configs: ConfigTable, acls: AclView, ageMs: Ms): FenceFacts {
  const matches = topicMatcher(group.topics);
  const isOfGroup = (t: string): boolean => t === checkTopic(group.name) || (matches(t) && !isInternalTopic(t));
  const denials = [...acls.tags].flatMap(([key, tags]) => (acls.denied.has(key) ? tags.slice(0, 1) : []));
  let byAcl = 0;
  let byConfig = 0;
  let open = 0;
  for (const [topic, values] of configs) {
    if (!isOfGroup(topic)) continue;
    const closed = values.get(FENCE_KEY)?.value === FENCE_VALUE;
    const denied = denials.some((d) => reaches(d, topic));
    if (closed) byConfig += 1;
    if (denied) byAcl += 1;
    if (!closed && !denied) open += 1;
  }
  const shut = byAcl + byConfig > 0;
  const state = !shut && open === 0 ? 'unknown' : open === 0 ? 'fenced' : shut ? 'partial' : 'open';
  const kind = byAcl > 0 ? 'acl' : byConfig > 0 ? 'topic-config' : null;
  return { cluster, state, kind, epoch: byAcl > 0 ? acls.epoch : null, ageMs };
}
