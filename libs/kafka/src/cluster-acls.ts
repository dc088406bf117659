import { createAclsV3, deleteAclsV3, describeAclsV3, findCoordinatorV4, type Connection } from '@platformatic/kafka';
import type { Ms } from '#health';
import { Budget, tolerate, UNKNOWN_TOPIC, type RoutedCalls } from './routed-calls.js';
import { failureOfCode, KafkaCallError } from './kafka-error.js';
import type { AclChange, AclEntry, AclQuery, ClusterAcls } from './ports.js';

const RESOURCE = { topic: 2, group: 3 } as const;
const PATTERN = { literal: 3, prefixed: 4 } as const;
const PATTERN_ANY = 1;
const PATTERN_MATCH = 2; // every pattern that reaches the name, `*` included
const OPERATION = { all: 2, read: 3, write: 4 } as const;
const OPERATION_ANY = 1;
const PERMISSION = { deny: 2, allow: 3 } as const;
const PERMISSION_ANY = 1;
const GROUP_KEY = 0;
const SECURITY_DISABLED = 54;
const TOPIC_AUTHORIZATION_FAILED = 29;
const GROUP_AUTHORIZATION_FAILED = 30;

type WireAcl = Parameters<typeof createAclsV3.createRequest>[0][number];
type WireFilter = Parameters<typeof describeAclsV3.createRequest>[0];
type DescribeAclsResponse = ReturnType<typeof describeAclsV3.parseResponse>;

/** {@link ClusterAcls} on the connections of the hands that it belongs to. */
export class PlatformaticAcls implements ClusterAcls {
  readonly #calls: RoutedCalls;

  constructor(calls: RoutedCalls) {
    this.#calls = calls;
  }

  async list(query: AclQuery, deadlineMs: Ms): Promise<readonly AclEntry[] | null> {
    return this.#calls.any('DescribeAcls', new Budget(deadlineMs), (c) => describe(c, query));
  }

  async listEverywhere(query: AclQuery, deadlineMs: Ms): Promise<readonly (readonly AclEntry[])[] | null> {
    const budget = new Budget(deadlineMs);
    const { brokers } = await this.#calls.layout([], budget);
    const leftMs = budget.require('DescribeAcls');
    const answers = await Promise.allSettled(
      brokers.map((b) => this.#calls.at(b.address, 'DescribeAcls', leftMs, (c) => describe(c, query))),
    );
    const lists = answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value] : []));
    const failed = answers.find((a) => a.status === 'rejected');
    if (lists.length === 0 && failed) throw failed.reason;
    return lists.includes(null) ? null : lists.filter((l) => l !== null);
  }

  async create(entries: readonly AclChange[], deadlineMs: Ms): Promise<void> {
    if (entries.length === 0) return;
    await this.#calls.any('CreateAcls', new Budget(deadlineMs), (c) => createAclsV3.api.async(c, entries.map(toWire)));
  }

  async remove(entries: readonly AclChange[], deadlineMs: Ms): Promise<void> {
    if (entries.length === 0) return;
    await this.#calls.any('DeleteAcls', new Budget(deadlineMs), (c) => deleteAclsV3.api.async(c, entries.map(toWire)));
  }

  async mayDescribe(resource: AclQuery['resource'], name: string, deadlineMs: Ms): Promise<boolean> {
    const budget = new Budget(deadlineMs);
    if (resource === 'topic') {
      const found = (await this.#calls.layout([name], budget)).topics.get(name);
      return (found?.errorCode ?? UNKNOWN_TOPIC) !== TOPIC_AUTHORIZATION_FAILED;
    }
    const reply = await this.#calls.any('FindCoordinator', budget, (c) =>
      tolerate(findCoordinatorV4.api.async(c, GROUP_KEY, [name])),
    );
    return reply.coordinators.every((c) => c.errorCode !== GROUP_AUTHORIZATION_FAILED);
  }
}

async function describe(c: Connection, query: AclQuery): Promise<readonly AclEntry[] | null> {
  const filter: WireFilter = {
    resourceType: RESOURCE[query.resource],
    resourceName: query.reaching ?? null,
    resourcePatternType: query.reaching === undefined ? PATTERN_ANY : PATTERN_MATCH,
    principal: null,
    host: null,
    operation: query.operation === undefined ? OPERATION_ANY : OPERATION[query.operation],
    permissionType: query.permission === undefined ? PERMISSION_ANY : PERMISSION[query.permission],
  };
  const reply = await tolerate(describeAclsV3.api.async(c, filter));
  if (reply.errorCode === SECURITY_DISABLED) return null;
  if (reply.errorCode !== 0)
    throw new KafkaCallError('DescribeAcls', failureOfCode(reply.errorCode, reply.errorMessage ?? ''));
  return fromWire(reply, query.resource);
}

const operationName = (code: number): AclEntry['operation'] =>
  (['read', 'write', 'all'] as const).find((name) => OPERATION[name] === code) ?? 'other';

const toWire = (e: AclChange): WireAcl => ({
  resourceType: RESOURCE[e.resource],
  resourceName: e.name,
  resourcePatternType: PATTERN[e.pattern],
  principal: e.principal,
  host: e.host,
  operation: OPERATION[e.operation],
  permissionType: PERMISSION[e.permission],
});

function fromWire(reply: DescribeAclsResponse, resource: AclEntry['resource']): readonly AclEntry[] {
  return reply.resources.flatMap(({ resourceName: name, resourcePatternType, acls }) =>
    acls.map(({ principal, host, operation, permissionType }) => ({
      resource,
      name,
      pattern: resourcePatternType === PATTERN.prefixed ? ('prefixed' as const) : ('literal' as const),
      principal,
      host,
      operation: operationName(operation),
      permission: permissionType === PERMISSION.deny ? ('deny' as const) : ('allow' as const),
    })),
  );
}
