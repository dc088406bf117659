import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { GroupFacts, SagaKind, SagaRecord } from '#failover';
import { CLOCK, type Clock, LOGGER, type Logger, packageVersion } from '#platform';
import type { ControllerConfig, GroupConfig } from '../config/compile.js';
import { CONTROLLER_CONFIG } from '../config/load.js';
import {
  AUTHORITY_STORE,
  type AuthorityStore,
  type ControllerRow,
  type FleetRow,
  type GroupRow,
  NEW_FLEET,
} from '../persistence/authority-store.port.js';
import type { IncidentRow } from '../persistence/alerts.port.js';
import { AwakeSince } from './awake-since.js';
import { EventMemory } from './event-memory.js';
import { groupFacts } from './group-facts.js';
import { HandWatch } from './hand-watch.js';

/** Far more than there are groups and families of alerts. */
const MAX_INCIDENTS = 500;
/** Names of incidents looked back at per group when this process starts: the numbers of new ones go on from there. */
const USED_NAMES = 500;

type Peer = Readonly<{ row: ControllerRow; changedAtMs: number }>;
type OpenSaga = Readonly<{ id: string; kind: SagaKind; seenAtMs: number }>;

/**
 * What this process last read of the authority store: group rows, live controllers, used incident names. The tick never
 * waits for SQL; while the store is down the last reading stands, and its age says so.
 */
@Injectable()
export class StoreView implements OnModuleInit, OnApplicationShutdown {
  private groups: ReadonlyMap<string, GroupRow> = new Map();
  private fleet: FleetRow = NEW_FLEET;
  private readonly peers = new Map<string, Peer>();
  private stories: readonly IncidentRow[] = [];
  private readonly events = new EventMemory();
  private openSagas: ReadonlyMap<string, OpenSaga> = new Map();
  private readonly hands = new HandWatch();
  private readonly awake: AwakeSince;
  private readAtMs: number | null = null;
  private beats = 0;
  private readings = 0;
  private used: readonly string[] = []; // names of incidents from before this process
  private timer: NodeJS.Timeout | null = null;
  private reading: Promise<void> | null = null;

  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(CONTROLLER_CONFIG) private readonly config: ControllerConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.awake = new AwakeSince(clock.monotonicMs(), config.lease.ttlMs / 4);
  }

  onModuleInit(): void {
    this.timer = setInterval(() => this.refresh(), this.config.tickMs);
    this.refresh();
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.reading;
  }

  /** Age of the last complete reading; null before the first. */
  ageMs(): number | null {
    return this.readAtMs === null ? null : this.clock.monotonicMs() - this.readAtMs;
  }

  /** For how long the store has answered nothing while this process ran to hear it; null before the first reading. */
  silentForMs(): number | null {
    const nowMs = this.clock.monotonicMs();
    const awakeSinceMs = this.awake.look(nowMs);
    return this.readAtMs === null ? null : nowMs - Math.max(this.readAtMs, awakeSinceMs);
  }

  /** The group at this instant. Before the first reading: as configured, at epoch 0. */
  facts(group: GroupConfig): GroupFacts {
    const saga = this.openSagas.get(group.name);
    const openSaga =
      saga === undefined ? null : { id: saga.id, openForMs: this.clock.monotonicMs() - saga.seenAtMs, kind: saga.kind };
    const row = this.groups.get(group.name) ?? null;
    const wallMs = this.clock.wallMs();
    const nowMs = Math.floor(this.clock.monotonicMs());
    const ages = this.hands.ages(row, this.fleet, nowMs, wallMs);
    const reloadedMs = this.hands.reloadedMs(group.name, group, nowMs);
    const changes = [ages.modeChangedMs, reloadedMs].filter((ms) => ms !== null);
    const modeChangedMs = changes.length === 0 ? null : Math.min(...changes);
    const noSagaMs = this.readAtMs === null ? null : this.hands.noSagaMs(group.name, saga !== undefined, nowMs);
    return groupFacts(group, row, this.fleet, openSaga, { ...ages, modeChangedMs, noSagaMs }, wallMs);
  }

  row(group: string): GroupRow | null {
    return this.groups.get(group) ?? null;
  }

  /** Policy digests of the controllers whose row changed within the lease's ttl, by this process's clock. */
  policyDigests(): Readonly<Record<string, string>> {
    const oldest = this.clock.monotonicMs() - this.config.lease.ttlMs;
    const live = [...this.peers.values()].filter((p) => p.changedAtMs >= oldest);
    return Object.fromEntries([
      ...live.map((p) => [p.row.id, p.row.policyDigest] as const),
      [this.config.id, this.config.policyDigest] as const,
    ]);
  }

  /** Rises with each complete reading. */
  revision(): number {
    return this.readings;
  }

  /** Incident names that the store holds or held, the newest events' last; `open`: not over. */
  knownIncidents(): readonly Readonly<{ incident: string; open: boolean }>[] {
    const open = new Set(this.stories.map((s) => s.incident));
    const names = new Set([...this.used, ...open, ...this.events.incidents()]);
    return [...names].map((incident) => ({ incident, open: open.has(incident) }));
  }

  /** Ids of the alerts that the store holds, oldest first. */
  knownAlerts(): readonly string[] {
    return this.events.alertIds();
  }

  /** The group's incidents that the alerts have not closed yet. */
  openIncidents(group: string): readonly IncidentRow[] {
    return this.stories.filter((row) => row.group === group);
  }

  /** Open incidents of groups that are not configured, except of those that a saga still has in hand. */
  strayIncidents(): readonly IncidentRow[] {
    const configured = new Set(this.config.groups.map((group) => group.name));
    return this.stories.filter(({ group }) => !configured.has(group) && !this.openSagas.has(group));
  }

  /** How long a saga has been open is counted on this process's own clock, from when it was first seen. */
  private seen({ id, kind, group }: SagaRecord, nowMs: number): OpenSaga {
    const known = this.openSagas.get(group);
    return known?.id === id ? known : { id, kind, seenAtMs: nowMs };
  }

  private refresh(): void {
    if (this.reading !== null) return;
    this.reading = this.read()
      .catch((error: unknown) => this.logger.warn({ error }, 'authority store not readable: the last reading stands'))
      .finally(() => {
        this.reading = null;
      });
  }

  private async read(): Promise<void> {
    this.beats += 1;
    await this.store.announceController({
      id: this.config.id,
      idc: this.config.idc,
      advertise: this.config.http.advertise,
      policyDigest: this.config.policyDigest,
      beats: this.beats,
      version: packageVersion(),
    });
    const [groups, fleet, controllers, sagas, stories] = await Promise.all([
      this.store.groups(),
      this.store.fleet(),
      this.store.controllers(),
      this.store.openSagas(),
      this.store.openIncidents(MAX_INCIDENTS),
    ]);
    await this.events.read(
      this.store,
      groups.map((g) => g.name),
    );
    if (this.readings === 0) {
      const used = groups.map((g) => this.store.incidentNames(g.name, USED_NAMES));
      this.used = (await Promise.all(used)).flat();
    }
    const nowMs = this.clock.monotonicMs();
    for (const row of controllers) {
      if (this.peers.get(row.id)?.row.beats !== row.beats) this.peers.set(row.id, { row, changedAtMs: nowMs });
    }
    this.groups = new Map(groups.map((g) => [g.name, g]));
    this.fleet = fleet;
    this.openSagas = new Map(sagas.map((saga) => [saga.group, this.seen(saga, nowMs)]));
    this.stories = stories;
    this.readAtMs = nowMs;
    this.readings += 1;
  }
}
