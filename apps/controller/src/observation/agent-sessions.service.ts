import { status as Status } from '@grpc/grpc-js';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type AgentId, type ClusterName, type IdcName, staleAfterMs } from '#health';
import type { Command, CommandResult, Goal, GoalStatus, LeaseGrant, WatchGroup } from '#failover';
import { CLOCK, type Clock, LOGGER, type Logger } from '#platform';
import { type AgentHello, type AgentMessage, type ControllerWelcome, PROTOCOL_VERSION, type Watch } from '#rpc';
import { LEADERSHIP, type Leadership } from '../leadership/leadership.port.js';
import { AgentStream, type Refusal, type SessionCall } from './agent-stream.js';
import { GoalDistribution } from './goal-distribution.js';
import { type Candidate, helpersFirst } from './goal-roles.js';
import { mostTelling } from './goal-status.js';
import { LeaseTokens } from './lease-tokens.js';
import { fenceKey, ObservationBook } from './observation-book.js';
import { OBSERVATION_OPTIONS, type ObservationOptions } from './observation.options.js';
import { type AgentGateway, type AgentSession, GROUP_FACTS_SOURCE, type GroupFactsSource } from './observation.port.js';
import { PendingCommands, unavailable } from './pending-commands.js';
import { SnapshotBuilder, wholeMs } from './snapshot-builder.js';

/** The newest session of one configured agent. */
type Seat = {
  readonly agent: AgentId;
  readonly idc: IdcName;
  stream: AgentStream | null;
  hello: AgentHello | null; // of the newest session, also after its end
  pending: PendingCommands;
  sentWelcome: string; // what this stream was last told, to tell it only what is new
  sentGoals: string;
};

const TIMES = { helloWithinMs: 5_000, ackAfterMs: 100 } as const;

/** How often leadership, watch list and roles are compared with what the agents were told. */
const TICK_MS = 250;

/**
 * The sessions of this controller: takes reports in for every controller, and sends goals and commands while it leads.
 */
@Injectable()
export class AgentSessions implements AgentGateway, OnModuleInit, OnApplicationShutdown {
  private readonly seats: ReadonlyMap<AgentId, Seat>;
  private readonly idcOf: ReadonlyMap<ClusterName, IdcName>;
  private readonly handshaking = new Set<AgentStream>();
  private readonly goals: GoalDistribution;
  private timer: NodeJS.Timeout | null = null;
  private unsubscribe: (() => void) | null = null;

  constructor(
    @Inject(OBSERVATION_OPTIONS) private readonly options: ObservationOptions,
    @Inject(ObservationBook) private readonly book: ObservationBook,
    @Inject(SnapshotBuilder) private readonly snapshots: SnapshotBuilder,
    @Inject(GROUP_FACTS_SOURCE) private readonly source: GroupFactsSource,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(LeaseTokens) private readonly tokens: LeaseTokens,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.seats = new Map(options.observers.map((o) => [o.agent, emptySeat(o.agent, o.idc)]));
    this.idcOf = new Map(options.clusters.map((c) => [c.name, c.idc]));
    this.goals = new GoalDistribution(this.idcOf);
  }

  onModuleInit(): void {
    this.unsubscribe = this.leadership.onChange(() => this.onLeadership());
    this.onLeadership();
    this.timer = setInterval(() => this.tellAll(), TICK_MS);
  }

  onApplicationShutdown(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.unsubscribe?.();
    for (const stream of this.handshaking) stream.end('the controller is stopping');
    for (const seat of this.seats.values()) seat.stream?.end('the controller is stopping');
  }

  /** A new stream; its agent is known only after its hello. */
  accept(call: SessionCall, certified: string | null): void {
    const stream = new AgentStream(
      call,
      certified,
      {
        onHello: (s, hello) => this.onHello(s, hello),
        onMessage: (s, message) => this.onMessage(s, message),
        onEnd: (s, reason) => this.onEnd(s, reason),
      },
      TIMES,
    );
    this.handshaking.add(stream);
    const room = 2 * this.seats.size + 16;
    if (this.handshaking.size > room)
      stream.refuse({ code: Status.RESOURCE_EXHAUSTED, details: 'too many handshakes' });
  }

  agentsFor(cluster: ClusterName): readonly AgentId[] {
    const idc = this.idcOf.get(cluster);
    const able = [...this.seats.values()].filter((s) => isOpen(s) && s.hello?.clusters.includes(cluster) === true);
    const others = able.filter((s) => s.idc !== idc);
    return [...able.filter((s) => s.idc === idc), ...helpersFirst(others, this.idcOf)].map((s) => s.agent);
  }

  command(agent: AgentId, command: Command, signal?: AbortSignal): Promise<CommandResult> {
    const seat = this.seats.get(agent);
    if (!this.leads(command.term)) {
      return Promise.resolve(unavailable(command.id, `this controller does not lead term ${command.term}`));
    }
    if (seat === undefined || !isOpen(seat)) return Promise.resolve(unavailable(command.id, `no session to ${agent}`));
    return seat.pending.wait(command, signal, () => seat.stream?.send({ kind: 'command', command }));
  }

  setGoals(term: number, goals: readonly Goal[]): void {
    if (this.goals.keep(term, goals)) this.tellAll();
    else this.logger.warn({ term }, 'goals of an earlier term: not sent');
  }

  issueToken(term: number, grants: readonly LeaseGrant[]): void {
    if (!this.leads(term)) return;
    const number = this.tokens.nextNumber();
    for (const seat of this.seats.values()) {
      if (!isOpen(seat)) continue;
      const mine = grants.filter((grant) => this.concerns(seat, grant));
      if (mine.length === 0) continue;
      const now = wholeMs(this.clock);
      // Before it is written: an agent counts from an earlier instant still.
      for (const { group, cluster } of mine) this.tokens.issued(group, cluster, now);
      seat.stream?.send({ kind: 'lease_token', term, number, grants: mine });
    }
  }

  goalStatus(key: string): GoalStatus | null {
    const now = wholeMs(this.clock);
    const cluster = key.includes('/flow/') ? key.split('->').at(-1) : key.split('/cluster/').at(-1);
    const idc = this.idcOf.get(cluster ?? '');
    const heard = [...this.seats.values()].flatMap(({ agent, idc: at }) => {
      const found = this.book.agent(agent)?.statuses.get(key);
      if (found === undefined) return [];
      return [{ own: at === idc, status: { ...found.value, ageMs: found.value.ageMs + now - found.atMs } }];
    });
    return mostTelling(heard);
  }

  sessions(): readonly AgentSession[] {
    const now = wholeMs(this.clock);
    return [...this.seats.values()].map((seat) => {
      const record = this.book.agent(seat.agent);
      const reportAtMs = record?.reportAtMs ?? null;
      return {
        agent: seat.agent,
        idc: seat.idc,
        bootId: seat.hello?.bootId ?? '',
        protocolVersion: seat.hello?.protocolVersion ?? 0,
        connected: isOpen(seat),
        lastReportAgeMs: reportAtMs === null ? null : now - reportAtMs,
        clusters: seat.hello?.clusters ?? [],
        goodbye: record?.goodbyeAtMs != null,
      };
    });
  }

  private onLeadership(): void {
    const { leading, term } = this.leadership.current();
    if (leading) this.tokens.begin(term, wholeMs(this.clock));
    else this.tokens.end();
    this.tellAll();
  }

  /** An agent that keeps no self-fence is not told at each tick to keep none. */
  private concerns({ agent, idc }: Seat, { group, cluster, arm }: LeaseGrant): boolean {
    if (this.idcOf.get(cluster) !== idc) return false;
    return arm || (this.book.agent(agent)?.selfFences.has(fenceKey(group, cluster)) ?? false);
  }

  private leads(term: number): boolean {
    const view = this.leadership.current();
    return view.leading && view.term === term;
  }

  private onHello(stream: AgentStream, hello: AgentHello): Refusal | null {
    const seat = this.seats.get(hello.agent);
    if (seat === undefined) {
      const details = `agent "${hello.agent}" is no observer of this controller: add it under observers`;
      return { code: Status.PERMISSION_DENIED, details };
    }
    if (seat.idc !== hello.idc) {
      const details = `agent "${hello.agent}" says it stands in "${hello.idc}", the controller's observers say "${seat.idc}"`;
      return { code: Status.FAILED_PRECONDITION, details };
    }
    this.handshaking.delete(stream);
    seat.stream?.end('replaced by a newer session of the same agent');
    Object.assign(seat, { ...emptySeat(seat.agent, seat.idc), stream, hello });
    stream.welcome(hello);
    this.book.hello(hello.agent);
    if (hello.highestTerm > this.leadership.current().term) this.leadership.heardTerm(hello.highestTerm);
    this.logger.info({ agent: hello.agent, bootId: hello.bootId, version: hello.softwareVersion }, 'agent connected');
    this.tell(seat, this.welcome());
    return null;
  }

  private onMessage(stream: AgentStream, message: Exclude<AgentMessage, { kind: 'hello' }>): void {
    const seat = this.seats.get(stream.hello?.agent ?? '');
    if (seat === undefined || seat.stream !== stream) return; // a replaced session speaks for nobody
    const now = wholeMs(this.clock);
    switch (message.kind) {
      case 'report':
        if (!this.book.report(seat.agent, message.report, now)) stream.send({ kind: 'full_report_wanted' });
        return;
      case 'goal_status':
        if (!this.book.status(seat.agent, message.status, now)) return;
        if (this.goals.heard(seat.agent, message.status)) this.tellAll();
        return;
      case 'command_result':
        return seat.pending.result(message.result);
      case 'goodbye':
        this.book.goodbye(seat.agent, now);
        this.logger.info({ agent: seat.agent, reason: message.reason }, 'agent said goodbye');
    }
  }

  private onEnd(stream: AgentStream, reason: string): void {
    this.handshaking.delete(stream);
    const seat = this.seats.get(stream.hello?.agent ?? '');
    if (seat === undefined || seat.stream !== stream) return;
    seat.stream = null;
    seat.pending.fail(`the session to ${seat.agent} ended: ${reason}`);
    this.logger.info({ agent: seat.agent, reason }, 'agent disconnected');
  }

  private tellAll(): void {
    const welcome = this.welcome();
    for (const seat of this.seats.values()) if (isOpen(seat)) this.tell(seat, welcome);
  }

  /** Sends what is new for this agent: who leads, what to watch, and its part of the goals. */
  private tell(seat: Seat, welcome: ControllerWelcome): void {
    const json = JSON.stringify(welcome);
    if (json !== seat.sentWelcome) {
      seat.sentWelcome = json;
      seat.stream?.send({ kind: 'welcome', welcome });
    }
    if (!this.leads(this.goals.term)) return;
    const graceOver = this.snapshots.graceOver(wholeMs(this.clock));
    const goalSet = this.goals.of(seat.agent, this.candidates(), graceOver);
    const goalsJson = JSON.stringify(goalSet);
    if (goalsJson === seat.sentGoals) return;
    seat.sentGoals = goalsJson;
    seat.stream?.send({ kind: 'goal_set', goalSet });
  }

  private welcome(): ControllerWelcome {
    const { leading, term } = this.leadership.current();
    return {
      protocolVersion: PROTOCOL_VERSION,
      controller: this.options.controllerId,
      leader: leading,
      term,
      watch: this.watch(),
      leaseTtlMs: this.options.leaseTtlMs,
    };
  }

  private watch(): Watch {
    const groups = this.options.groups.map(({ watch }): WatchGroup => {
      const { active, epoch } = this.source.facts(watch.name);
      return { ...watch, active: epoch > 0 ? active : null, epoch };
    });
    return { groups, clusters: this.options.clusters.map(({ name, idc }) => ({ name, idc })) };
  }

  private candidates(): readonly Candidate[] {
    const now = wholeMs(this.clock);
    const freshForMs = staleAfterMs(this.options.probe);
    return [...this.seats.values()].map((seat) => {
      const reportAtMs = this.book.agent(seat.agent)?.reportAtMs ?? null;
      const connected = isOpen(seat);
      const fresh = connected && reportAtMs !== null && now - reportAtMs <= freshForMs;
      return { agent: seat.agent, idc: seat.idc, connected, fresh, clusters: seat.hello?.clusters ?? [] };
    });
  }
}

const isOpen = (seat: Seat): boolean => seat.stream?.open === true;

const emptySeat = (agent: AgentId, idc: IdcName): Seat => ({
  agent,
  idc,
  stream: null,
  hello: null,
  pending: new PendingCommands(),
  sentWelcome: '',
  sentGoals: '',
});
