import {
  checkTopic,
  type Command,
  type CommandBody,
  type CommandOutput,
  type CommandResult,
  type Goal,
  type GoalStatus,
  type LeaseGrant,
  type OpenTransaction,
  type PartitionOffset,
  type RebuildCommand,
  type TailCommand,
} from '#failover';
import type { AgentGateway, AgentSession } from '../../apps/controller/src/observation/observation.port.js';
import type { World } from './world.js';

/** The hands of one controller in a {@link World}: commands and goals with an older term than the agents have heard are refused. */
export class FakeAgentGateway implements AgentGateway {
  constructor(private readonly world: World) {}

  agentsFor(cluster: string): readonly string[] {
    return this.world.agentsFor(cluster).map((a) => a.name);
  }

  async command(agent: string, command: Command): Promise<CommandResult> {
    const { id } = command;
    this.world.commands.push(command);
    const found = this.world.agents.find((a) => a.name === agent);
    if (!found?.alive || !found.connected || found.idc === this.world.cutIdc)
      return { id, ok: false, code: 'unavailable', detail: 'no session' };
    if (command.term < this.world.highestTerm) {
      this.world.note('stale-refused', `command ${command.body.kind}`, command.term);
      return { id, ok: false, code: 'refused_term', detail: `heard of term ${this.world.highestTerm}` };
    }
    this.world.highestTerm = command.term;
    const output = this.carryOut(command);
    return output === null
      ? { id, ok: false, code: 'failed', detail: 'the cluster does not answer' }
      : { id, ok: true, output };
  }

  setGoals(term: number, goals: readonly Goal[]): void {
    this.world.setGoals(term, goals);
  }

  issueToken(_term: number, grants: readonly LeaseGrant[]): void {
    for (const { cluster, arm } of grants) if (arm) this.world.hearToken(cluster);
  }

  goalStatus(key: string): GoalStatus | null {
    return this.world.status(key);
  }

  sessions(): readonly AgentSession[] {
    return this.world.agents.map((a) => ({
      agent: a.name,
      idc: a.idc,
      bootId: a.name,
      protocolVersion: 1,
      connected: a.alive && a.connected && a.idc !== this.world.cutIdc,
      lastReportAgeMs: 0,
      clusters: a.idc === 'c' ? [] : ['a', 'b'],
      goodbye: false,
    }));
  }

  private carryOut({ body, group, term }: Command): CommandOutput | null {
    if (body.kind === 'read_replication_position') {
      if (!this.world.answers(body.to)) return null;
      this.world.copy(body.from, body.to);
      return {
        kind: 'replication_position',
        via: 'connect',
        positions: offsets(this.world.positionsOf(body.from, body.to)),
      };
    }
    if (body.kind === 'seed_flow') return this.seed(body, term);
    if (body.kind === 'translate_group_offsets') return this.translate(body);
    if (isTail(body)) return this.world.tail.run(body, group, term);
    if (isRebuild(body)) return this.world.rebuild.run(body, term);
    if (!this.world.answers(body.cluster)) return null;
    const cluster = this.world.cluster(body.cluster);
    switch (body.kind) {
      case 'read_end_offsets':
        this.world.beforeEndsAreRead();
        return {
          kind: 'end_offsets',
          starts: offsets(cluster.ends).map((o) => ({ ...o, offset: 0 })),
          ends: offsets(cluster.ends),
        };
      case 'read_group_offsets':
        return {
          kind: 'group_offsets',
          offsets: body.groups.flatMap((group) =>
            offsets(cluster.groups.get(group) ?? new Map<string, number>()).map((o) => ({ ...o, group })),
          ),
          states: Object.fromEntries(
            body.groups.map((group) => [
              group,
              this.world.activeGroups.has(`${body.cluster}/${group}`) ? ('STABLE' as const) : ('EMPTY' as const),
            ]),
          ),
        };
      case 'apply_group_offsets': {
        const held = cluster.groups.get(body.group) ?? new Map<string, number>();
        for (const o of body.offsets) held.set(`${o.topic}/${o.partition}`, o.offset);
        cluster.groups.set(body.group, held);
        this.world.note('offsets-applied', `${body.cluster}/${body.group}`, term);
        return { kind: 'applied', outcome: 'applied', offsets: offsets(held) };
      }
      case 'count_records':
        return {
          kind: 'record_counts',
          counts: body.ranges.map(({ topic, partition, from, to }) => {
            const key = `${topic}/${partition}`;
            const dataEnd = (cluster.ends.get(key) ?? 0) - (cluster.markers.get(key) ?? 0);
            const records = Math.max(0, Math.min(to, dataEnd) - from);
            return { topic, partition, records, openFrom: cluster.openTransaction ? from : null };
          }),
        };
      case 'list_transactions':
        return { kind: 'open_transactions', open: cluster.openTransaction ? [OPEN_TRANSACTION] : [] };
      case 'abort_transactions':
        cluster.openTransaction = false;
        this.world.note('transactions-aborted', body.transactionalIds.join(), term);
        return { kind: 'aborted_transactions', aborted: body.transactionalIds, refused: [] };
      case 'canary':
        if (body.topic === checkTopic('orders') && !cluster.hasCheckTopic) {
          return { kind: 'canary', accepted: false, errorCode: 3, detail: 'UNKNOWN_TOPIC_OR_PARTITION' };
        }
        return cluster.fenced
          ? { kind: 'canary', accepted: false, errorCode: 10, detail: 'MESSAGE_TOO_LARGE' }
          : { kind: 'canary', accepted: true, errorCode: null, detail: 'accepted' };
    }
  }

  /** Both logs of this world are the same: a group resumes where it is, as far as the target's log goes. */
  private translate(body: Extract<Command['body'], { kind: 'translate_group_offsets' }>): CommandOutput | null {
    if (!this.world.answers(body.to)) return null;
    const { ends } = this.world.cluster(body.to);
    return {
      kind: 'translated_offsets',
      syncs: { noted: 2, pairs: 2, readAgeMs: 0, detail: '' },
      topics: [{ topic: 'orders', sourceTopic: 'orders', sourcePartitions: ends.size, targetPartitions: ends.size }],
      offsets: body.consumerGroups.flatMap((group) =>
        offsets(this.world.cluster(body.from).groups.get(group) ?? new Map<string, number>()).map((o) => ({
          group,
          topic: o.topic,
          partition: o.partition,
          upstream: o.offset,
          upstreamBy: 'committed' as const,
          upstreamAgeMs: 0,
          offset: Math.min(o.offset, ends.get(`${o.topic}/${o.partition}`) ?? 0),
          confidence: 'EXACT' as const,
          rereadAtMost: 0,
          checkpoint: null,
        })),
      ),
    };
  }

  private seed(body: Extract<Command['body'], { kind: 'seed_flow' }>, term: number): CommandOutput | null {
    const key = `${body.from}->${body.to}`;
    if (!this.world.answers(body.to) || this.world.workers.has(body.to)) return null;
    if (this.world.flows.get(key) !== 'stopped') {
      return { kind: 'seeded', outcome: 'not_stopped', equal: 0, different: [], detail: `${key} runs` };
    }
    this.world.seeds.set(key, new Map(body.positions.map((p) => [`${p.topic}/${p.partition}`, p.offset])));
    this.world.note('flow-seeded', key, term);
    return { kind: 'seeded', outcome: 'seeded', equal: body.positions.length, different: [], detail: '' };
  }
}

const OPEN_TRANSACTION: OpenTransaction = {
  transactionalId: 'payments-1',
  state: 'ongoing',
  startedAtMs: 1,
  partitions: [{ topic: 'orders', partition: 0 }],
};
const TAIL_KINDS: ReadonlySet<string> = new Set(['prove_seam', 'report_tail', 'export_tail', 'replay_tail']);
const isRebuild = (body: CommandBody): body is RebuildCommand =>
  body.kind === 'describe_topics' || body.kind === 'remake_topics';
const isTail = (body: CommandBody): body is TailCommand => TAIL_KINDS.has(body.kind);

function offsets(map: ReadonlyMap<string, number>): PartitionOffset[] {
  return [...map].map(([key, offset]) => {
    const at = key.lastIndexOf('/');
    return { topic: key.slice(0, at), partition: Number(key.slice(at + 1)), offset };
  });
}
