import { randomBytes } from 'node:crypto';
import type { FenceOffer } from '#failover';
import type { Ms } from '#health';
import { failureOf, KafkaCallError, monotonicMs, type AclEntry, type ClusterHands } from '#kafka';
import { uncovered, whomToDeny, writersOf } from './acl-rules.js';

/** What an authorizer was found to do, as far as the cluster shows it: Kafka hides `super.users` from every client. */
export type AuthorizerFindings = Readonly<{
  authorizer: boolean | null; // null: nobody could say
  acls: readonly AclEntry[]; // on topics
  groupAcls: readonly AclEntry[]; // on consumer groups
  denyByDefault: boolean | null;
  agentIsSuperUser: boolean | null;
  mayAlter: boolean | null; // the agent may create and delete ACLs
  trouble: string | null;
}>;

const UNKNOWN: AuthorizerFindings = {
  authorizer: null,
  acls: [],
  groupAcls: [],
  denyByDefault: null,
  agentIsSuperUser: null,
  mayAlter: null,
  trouble: 'not looked at yet',
};
const NO_AUTHORIZER: AuthorizerFindings = { ...UNKNOWN, authorizer: false, trouble: null };
const LOOK_EVERY_MS = 60_000;
const CLUSTER_AUTHORIZATION_FAILED = 31;

/**
 * Finds out by asking what fence 1 needs to know. All of it changes seldom: looked at once a minute; what could not be
 * read keeps its last finding, for a cluster that is silent now has not lost its authorizer.
 */
export class AuthorizerProbe {
  readonly #hands: ClusterHands;
  readonly #ordinary: ClusterHands | null;
  #findings: AuthorizerFindings = UNKNOWN;
  #askedAtMs: Ms | null = null;

  /** `ordinary`: the principal with an application's rights; null or the agent's own: nothing is found by its refusals. */
  constructor(hands: ClusterHands, ordinary: ClusterHands | null) {
    this.#hands = hands;
    this.#ordinary = ordinary === hands ? null : ordinary;
  }

  get findings(): AuthorizerFindings {
    return this.#findings;
  }

  async look(deadlineMs: Ms): Promise<AuthorizerFindings> {
    const now = monotonicMs();
    if (this.#askedAtMs !== null && now - this.#askedAtMs < LOOK_EVERY_MS) return this.#findings;
    try {
      this.#findings = await this.#ask(deadlineMs);
      this.#askedAtMs = now;
    } catch (error) {
      this.#findings = { ...this.#findings, trouble: failureOf(error).detail };
    }
    return this.#findings;
  }

  async #ask(deadlineMs: Ms): Promise<AuthorizerFindings> {
    const acls = await this.#hands.acls.list({ resource: 'topic' }, deadlineMs);
    if (acls === null) return NO_AUTHORIZER;
    const groupAcls = (await this.#hands.acls.list({ resource: 'group' }, deadlineMs)) ?? [];
    const stranger = `nobody-${randomBytes(6).toString('hex')}`;
    const mayAlter = await this.#mayAlter(stranger, deadlineMs);
    const resource = await this.#unreached(acls, stranger, deadlineMs);
    if (resource === null) return { ...UNKNOWN, authorizer: true, acls, groupAcls, mayAlter, trouble: null };
    const ordinaryMay = (await this.#ordinary?.acls.mayDescribe(resource, stranger, deadlineMs)) ?? null;
    const denyByDefault = ordinaryMay === null ? null : !ordinaryMay;
    const agentMay = await this.#hands.acls.mayDescribe(resource, stranger, deadlineMs);
    // Where an ordinary principal is refused, what lets the agent through is that it is a super user.
    const agentIsSuperUser = agentMay ? (denyByDefault === true ? true : null) : false;
    return { authorizer: true, acls, groupAcls, denyByDefault, agentIsSuperUser, mayAlter, trouble: null };
  }

  /** A kind of resource of which a name that nobody thought of is reached by no ACL: there the default alone decides. */
  async #unreached(acls: readonly AclEntry[], name: string, deadlineMs: Ms): Promise<'group' | 'topic' | null> {
    const ofGroups = await this.#hands.acls.list({ resource: 'group', reaching: name }, deadlineMs);
    if (ofGroups?.length === 0) return 'group';
    return uncovered(acls, [name]).length > 0 ? 'topic' : null;
  }

  /** Asks for the removal of an entry that cannot exist: refused only for lack of the right. */
  async #mayAlter(stranger: string, deadlineMs: Ms): Promise<boolean> {
    const nothing = {
      resource: 'topic',
      name: stranger,
      pattern: 'literal',
      principal: `User:${stranger}`,
      host: '*',
    } as const;
    try {
      await this.#hands.acls.remove([{ ...nothing, operation: 'write', permission: 'deny' }], deadlineMs);
      return true;
    } catch (error) {
      if (error instanceof KafkaCallError && error.errorCode === CLUSTER_AUTHORIZATION_FAILED) return false;
      throw error;
    }
  }
}

/** Whether fence 1 may be used for these topics, and if not, what would have to change. */
export function aclOffer(
  found: AuthorizerFindings,
  topics: readonly string[],
  exempt: readonly string[] | null,
  hasOrdinary: boolean,
): FenceOffer {
  const not = (reason: string): FenceOffer => ({ kind: 'acl', usable: false, reason });
  if (found.authorizer === false) return not('the cluster has no authorizer');
  if (exempt === null)
    return not("name MirrorMaker's principal under fence.exempt of this cluster in the agent's file");
  if (found.authorizer === null) return not(`not found out: ${found.trouble ?? 'no answer'}`);
  if (!hasOrdinary)
    return not('give the agent `ordinary` credentials: only a refused write of theirs proves the fence');
  if (found.mayAlter === false) return not('grant the agent Alter on the cluster: it may not create ACLs');
  const bare = uncovered(found.acls, topics);
  if (bare.length > 0 && found.denyByDefault !== true) {
    const why =
      found.denyByDefault === null ? 'it is not known whether' : 'an ordinary principal is allowed by default:';
    return not(
      `${why} allow.everyone.if.no.acl.found is true, and a DENY would be the first ACL of ${bare[0] ?? ''}, so it would end reading too`,
    );
  }
  const whom = whomToDeny(writersOf(found.acls, topics), exempt);
  if ('undecidable' in whom) return not(whom.undecidable);
  if (whom.principals.length === 0) return not('no principal but exempt ones has WRITE by an ACL');
  return { kind: 'acl', usable: true, reason: `denies ${whom.principals.slice(0, 20).join(', ')}` };
}
