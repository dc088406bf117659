import type { WatchGroup, WriteLack } from '#failover';
import { isInternalTopic, matchesPattern, topicMatcher, type AclEntry } from '#kafka';

/**
 * The rules of fence 1. Kafka's ACLs have no place for a name of ours, so each entry of a fence has a twin: the same
 * entry for a host that no client can have, `pointsman:<group>:<epoch>`. It has no effect of its own; it says whose the
 * entry is and since which epoch, on the cluster itself, so that any agent can take away exactly what Pointsman placed,
 * also one whose disk was lost.
 */

export const EVERYBODY = 'User:*';
export const ANY_HOST = '*';
export const TAG = 'pointsman';

/** What a fence takes away: from applications the writing, from consumer groups that were left behind the reading. */
export const WRITES = { resource: 'topic', operation: 'write' } as const;
export const GROUP_READS = { resource: 'group', operation: 'read' } as const;
export type Right = typeof WRITES | typeof GROUP_READS;

export type AclResource = Readonly<{ name: string; pattern: AclEntry['pattern'] }>;

export const keyOf = (e: Pick<AclEntry, 'name' | 'pattern' | 'principal'>): string =>
  `${e.pattern} ${e.name} ${e.principal}`;

/** Null: not a tag of this group. */
export function tagEpoch(host: string, group: string): number | null {
  const epoch = host.startsWith(`${TAG}:${group}:`) ? Number(host.slice(TAG.length + group.length + 2)) : Number.NaN;
  return Number.isSafeInteger(epoch) ? epoch : null;
}

/**
 * A pattern with a trailing `*` becomes one prefixed entry, which closes topics created later before anybody can write to
 * them. Not where the prefix also reaches topics that Kafka, Connect or Pointsman keep for themselves: there each existing topic
 * gets its own.
 */
export function aclResources(patterns: readonly string[], existing: readonly string[]): readonly AclResource[] {
  const found = patterns.flatMap((pattern): AclResource[] => {
    if (!pattern.endsWith('*')) return [{ name: pattern, pattern: 'literal' }];
    const prefix = pattern.slice(0, -1);
    const reachesInternal =
      prefix === '' ||
      TAG.startsWith(prefix) ||
      prefix.startsWith('_') ||
      existing.some((t) => isInternalTopic(t) && t.startsWith(prefix));
    if (!reachesInternal) return [{ name: prefix, pattern: 'prefixed' }];
    return existing
      .filter((t) => matchesPattern(pattern, t) && !isInternalTopic(t))
      .map((name) => ({ name, pattern: 'literal' }));
  });
  return [...new Map(found.map((r) => [`${r.pattern} ${r.name}`, r])).values()];
}

export const reaches = (e: Pick<AclEntry, 'name' | 'pattern'>, topic: string): boolean =>
  e.pattern === 'prefixed' ? topic.startsWith(e.name) : e.name === '*' || e.name === topic;

export type Writers = Readonly<{ principals: readonly string[] } | { undecidable: string }>;

/**
 * Whom to deny. Everybody, where no exempt principal has its right to write from an ACL: an exempt one that writes
 * nevertheless is a super user, whom no DENY touches. Else each writer by name. Where `User:*` may write and somebody is
 * exempt, neither would do: a super user cannot be told from one that writes as everybody does.
 */
export function whomToDeny(writers: readonly string[], exempt: readonly string[]): Writers {
  const exemptWriters = writers.filter((w) => exempt.includes(w));
  if (writers.includes(EVERYBODY) && exempt.length > 0) {
    return { undecidable: `${EVERYBODY} may write by an ACL: grant WRITE to each application by name` };
  }
  if (exemptWriters.length === 0) return { principals: [EVERYBODY] };
  return { principals: writers.filter((w) => !exempt.includes(w)) };
}

const allows = (e: AclEntry, operation: 'read' | 'write'): boolean =>
  e.permission === 'allow' && (e.operation === operation || e.operation === 'all');

/** Principals with WRITE on any of these topics by an ACL. */
export const writersOf = (acls: readonly AclEntry[], topics: readonly string[]): readonly string[] => [
  ...new Set(acls.filter((e) => allows(e, 'write') && topics.some((t) => reaches(e, t))).map((e) => e.principal)),
];

/** Who must go on reading in consumer groups that applications are refused. */
export type Kept = Readonly<{ exempt: readonly string[]; own: string | null; agentIsSuperUser: boolean }>;

/**
 * Whom to refuse in consumer groups. As a rule by name: agents set positions of the same groups, and MirrorMaker syncs them, by
 * the very right that is taken away. Everybody, where the agent is a super user and whoever is exempt needs no ACL either.
 * `own` null: an agent with a certificate cannot know how brokers name it, and would lock itself out.
 */
export function readersToDeny(acls: readonly AclEntry[], groups: readonly string[], kept: Kept): Writers {
  const reading = acls.filter((e) => allows(e, 'read') && groups.some((g) => reaches(e, g)));
  const readers = [...new Set(reading.map((e) => e.principal))];
  if (kept.agentIsSuperUser) return whomToDeny(readers, kept.exempt);
  if (kept.own === null) return { undecidable: 'the agent logs in by certificate and would be refused too' };
  if (readers.includes(EVERYBODY)) {
    return { undecidable: `${EVERYBODY} may read by an ACL: grant READ on groups to each application by name` };
  }
  return { principals: readers.filter((r) => r !== kept.own && !kept.exempt.includes(r)) };
}

/** Principals of a group whom no ACL lets write a topic of it; what a super user may do shows in no ACL. */
export const writeLacks = (
  acls: readonly AclEntry[],
  groups: readonly Pick<WatchGroup, 'name' | 'topics' | 'principals'>[],
  hotTopics: readonly string[],
): readonly WriteLack[] =>
  groups.flatMap(({ name, topics, principals }) => {
    const isOfGroup = topicMatcher(topics);
    return hotTopics.filter(isOfGroup).flatMap((topic) => {
      const may = writersOf(acls, [topic]);
      if (may.includes(EVERYBODY)) return [];
      return principals.filter((p) => !may.includes(p)).map((principal) => ({ group: name, principal, topic }));
    });
  });

/** Topics that no ACL reaches: under `allow.everyone.if.no.acl.found=true` a DENY there would also end all reading. */
export const uncovered = (acls: readonly AclEntry[], topics: readonly string[]): readonly string[] =>
  topics.filter((t) => !acls.some((e) => reaches(e, t)));

/** What one group's fence consists of, as one broker sees it. */
export type AclView = Readonly<{
  denied: ReadonlyMap<string, AclEntry>; // in force, by keyOf
  tags: ReadonlyMap<string, readonly AclEntry[]>; // this group's twins, by keyOf
  epoch: number | null; // the newest tag's
}>;

export function viewOf(entries: readonly AclEntry[], group: string, right: Right = WRITES): AclView {
  const denied = new Map<string, AclEntry>();
  const tags = new Map<string, AclEntry[]>();
  let epoch: number | null = null;
  for (const e of entries) {
    if (e.permission !== 'deny' || e.operation !== right.operation) continue;
    const tagged = tagEpoch(e.host, group);
    if (e.host === ANY_HOST) denied.set(keyOf(e), e);
    if (tagged === null) continue;
    tags.set(keyOf(e), [...(tags.get(keyOf(e)) ?? []), e]);
    epoch = Math.max(epoch ?? 0, tagged);
  }
  return { denied, tags, epoch };
}

/** What somebody else denies to everybody on any of these resources. */
export function foreignDenials(resources: readonly AclResource[], views: readonly AclView[]): readonly string[] {
  const found = views.flatMap((v) =>
    [...v.denied].flatMap(([key, e]) =>
      e.principal === EVERYBODY && !v.tags.has(key) && resources.some((r) => overlap(r, e)) ? [key] : [],
    ),
  );
  return [...new Set(found)];
}

function overlap(a: AclResource, b: AclResource): boolean {
  if (a.pattern === 'literal') return reaches(b, a.name);
  return b.pattern === 'literal'
    ? reaches(a, b.name) || b.name === '*'
    : a.name.startsWith(b.name) || b.name.startsWith(a.name);
}

/**
 * Fenced only if every answering broker denies on each resource by an entry of ours: each of `principals`, or, where it is
 * not known whom to deny, at least one.
 */
export function observeAcl(
  resources: readonly AclResource[],
  views: readonly AclView[],
  principals: readonly string[] | null,
): 'fenced' | 'open' | 'partial' | 'foreign' {
  const closed = resources.flatMap((r) => views.map((v) => isClosed(v, r, principals)));
  if (closed.length > 0 && closed.every((c) => c)) return 'fenced';
  if (closed.some((c) => c) || views.some((v) => v.tags.size > 0)) return 'partial';
  return foreignDenials(resources, views).length > 0 ? 'foreign' : 'open';
}

/** Resources on which every answering broker denies; `principals` as of {@link observeAcl}. */
export const deniedEverywhere = (
  resources: readonly AclResource[],
  views: readonly AclView[],
  principals: readonly string[] | null,
): readonly AclResource[] =>
  views.length === 0 ? [] : resources.filter((r) => views.every((v) => isClosed(v, r, principals)));

function isClosed(view: AclView, resource: AclResource, principals: readonly string[] | null): boolean {
  if (principals !== null) return principals.every((p) => view.denied.has(keyOf({ ...resource, principal: p })));
  const own = [...view.tags.values()].flat().filter((t) => t.name === resource.name && t.pattern === resource.pattern);
  return own.some((t) => view.denied.has(keyOf(t)));
}
