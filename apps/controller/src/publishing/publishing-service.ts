import type { ClientReport, ConfigCenter, Pointer, PublishResult } from '#config-center';
import type { Leadership, LeadershipView } from '../leadership/leadership.port.js';
import { FollowerSync, type FollowerLog, type FollowerTime } from './follower-sync.js';
import { ClaimLostError, type Publishing } from './publishing.port.js';

export type PublishingOptions = Readonly<{
  controller: string;
  /** `publishTo` of each group, in order: the first is authoritative. */
  groups: readonly Readonly<{ name: string; publishTo: readonly string[] }>[];
  canaryMs: number;
  callMs: number; // deadline of one call to a center
  follower: Readonly<{ attempts: number; retryMs: number }>;
}>;

export const PUBLISHING_DEFAULTS = {
  canaryMs: 10_000,
  callMs: 5_000,
  follower: { attempts: 60, retryMs: 5_000 },
} as const;

type Canary = Readonly<{ okAtMs: number | null; error: string | null }>;

/**
 * Claims, publications and the write canary over the config centers. Only the authoritative center of a group can refuse
 * a publication; the others are brought along in the background and can never hold up a switch.
 */
export class PublishingService implements Publishing {
  private readonly claims = new Map<string, number>(); // group → term claimed by this process
  private readonly ready = new Set<string>(); // centers that were prepared
  private readonly canaries = new Map<string, Canary>(); // center → last look
  private readonly followers: FollowerSync;
  private readonly routes: ReadonlyMap<string, readonly string[]>;
  private unsubscribe: () => void = () => undefined;
  private running: AbortSignal | null = null;
  private term = 0;
  private readonly stopping = new AbortController();

  constructor(
    private readonly centers: ReadonlyMap<string, ConfigCenter>,
    private readonly leadership: Leadership,
    private readonly time: FollowerTime,
    log: FollowerLog,
    private readonly options: PublishingOptions,
  ) {
    this.routes = new Map(options.groups.map((g) => [g.name, g.publishTo]));
    this.followers = new FollowerSync(time, log, options.follower);
  }

  /**
   * Begins to write canaries. Standbys write them too: each must know whether it could publish *before* it has to, and a
   * new leader must not wait for its first look.
   */
  begin(): void {
    void this.canaryLoop(this.stopping.signal);
    this.unsubscribe = this.leadership.onChange((view) => this.onLeadership(view));
    this.onLeadership(this.leadership.current());
  }

  async end(): Promise<void> {
    this.unsubscribe();
    this.stopping.abort(new Error('this controller stops'));
    await this.followers.idle();
  }

  authoritative(group: string): ConfigCenter {
    return this.center(this.route(group)[0] ?? '', group);
  }

  async claim(group: string, term: number): Promise<void> {
    if (this.claims.get(group) === term) return;
    const center = await this.prepared(this.route(group)[0] ?? '', group);
    if (await this.call(center.claim(group, term), `claim of group ${group}`)) {
      this.claims.set(group, term);
      return;
    }
    const claimedTerm = await this.call(center.claimedTerm(group), `claimed term of group ${group}`);
    this.leadership.heardTerm(claimedTerm);
    throw new ClaimLostError(group, term, claimedTerm);
  }

  async publish(pointer: Pointer, guard: Readonly<{ expectedEpoch: number; term: number }>): Promise<PublishResult> {
    const first = await this.publishOnce(pointer, guard);
    // A center restored from a backup has forgotten the claim: claim again, once. A higher claim is another leader's.
    if (first.ok || first.reason !== 'stale-term' || first.claimedTerm > guard.term) return first;
    this.claims.delete(pointer.group);
    await this.claim(pointer.group, guard.term);
    return await this.publishOnce(pointer, guard);
  }

  private async publishOnce(
    pointer: Pointer,
    guard: Readonly<{ expectedEpoch: number; term: number }>,
  ): Promise<PublishResult> {
    const center = this.authoritative(pointer.group);
    const result = await this.call(center.publish(pointer, guard), `publication of group ${pointer.group}`);
    if (result.ok) this.bringAlong(pointer);
    else if (result.claimedTerm > guard.term) this.leadership.heardTerm(result.claimedTerm);
    return result;
  }

  async read(group: string): Promise<Pointer | null> {
    return await this.call(this.authoritative(group).read(group), `read of group ${group}`);
  }

  async adoptions(group: string): Promise<readonly ClientReport[]> {
    const center = await this.prepared(this.route(group)[0] ?? '', group);
    return await this.call(center.adoptions(group), `client reports of group ${group}`);
  }

  async prove(group: string): Promise<void> {
    const error = await this.writeCanary(this.route(group)[0] ?? '');
    if (error !== null) throw error;
  }

  writable(group: string): Readonly<{ ageMs: number | null; error: string | null }> {
    const seen = this.canaries.get(this.route(group)[0] ?? '');
    if (seen === undefined) return { ageMs: null, error: null };
    return { ageMs: seen.okAtMs === null ? null : this.time.monotonicMs() - seen.okAtMs, error: seen.error };
  }

  behind(group: string): readonly string[] {
    return this.followers.behind(group);
  }

  /** Brings the followers of a group to what the authoritative center holds: after a publication, and once at take-over. */
  bringAlong(pointer: Pointer): void {
    for (const name of this.route(pointer.group).slice(1)) {
      this.followers.bring(name, this.center(name, pointer.group), pointer, this.running);
    }
  }

  private onLeadership(view: LeadershipView): void {
    if (!view.leading || view.signal === null || view.term === this.term) return;
    this.term = view.term;
    this.running = AbortSignal.any([view.signal, this.stopping.signal]);
  }

  /** Ends with the process; every failure is kept as the answer to `writable`. */
  private async canaryLoop(signal: AbortSignal): Promise<void> {
    const names = [...new Set([...this.routes.values()].map((route) => route[0] ?? ''))];
    while (!signal.aborted) {
      await Promise.all(names.map((name) => this.writeCanary(name)));
      try {
        await this.time.sleep(this.options.canaryMs, signal);
      } catch {
        return; // only the signal ends a sleep
      }
    }
  }

  private async writeCanary(name: string): Promise<Error | null> {
    const before = this.canaries.get(name);
    try {
      const center = await this.prepared(name, '');
      await this.call(center.canary(), `canary of ${name}`);
      this.canaries.set(name, { okAtMs: this.time.monotonicMs(), error: null });
      return null;
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      // An old success must not stand beside a new failure: not writable now is what counts.
      this.canaries.set(name, { okAtMs: before?.error === null ? before.okAtMs : null, error: error.message });
      return error;
    }
  }

  /** The center with what it needs in place: made by whoever comes first, once. */
  private async prepared(name: string, group: string): Promise<ConfigCenter> {
    const center = this.center(name, group);
    if (!this.ready.has(name)) {
      await this.call(center.prepare(), `preparation of ${name}`);
      this.ready.add(name);
    }
    return center;
  }

  private async call<T>(promise: Promise<T>, what: string): Promise<T> {
    return await this.time.limit(promise, this.options.callMs, `${what} at the config center`);
  }

  private route(group: string): readonly string[] {
    const route = this.routes.get(group);
    if (route === undefined) throw new Error(`group ${group} is not configured on this controller`);
    return route;
  }

  private center(name: string, group: string): ConfigCenter {
    const center = this.centers.get(name);
    if (center === undefined)
      throw new Error(`config center "${name}" (group ${group}) is not configured on this controller`);
    return center;
  }
}
