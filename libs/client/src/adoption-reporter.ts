import { randomUUID } from 'node:crypto';
import type { AdoptionLog, ClientReport, Pointer, PointerMode } from '#config-center';
import { asError } from './client.errors.js';
import type { SettingWarning } from './client.types.js';
import { atMost, jittered, LEAVE_WITHIN_MS } from './timing.js';

/** One producer or consumer as it is now; null while it has not begun. */
export type ClientState = Pick<ClientReport, 'cluster' | 'epoch' | 'state'> | null;

export type AdoptionReporterOptions = Readonly<{
  log: AdoptionLog;
  group: string;
  ttlMs: number;
  current(): Pointer | null;
  mode(): PointerMode;
  failed(e: Error): void; // told once, until it succeeds again
}>;

type Member = Readonly<{
  instance: string;
  kind: ClientReport['kind'];
  name: string;
  state(): ClientState;
  warnings: SettingWarning[];
}> & { said: string; saidAtMs: number };

const LOOK_EVERY_MS = 200; // of the process's own memory; writes happen only when something is new, or every third of the ttl
const AT_ONCE = 8; // a process with many clients must not take all of a pool's connections

/**
 * Tells the config center which pointer each client of this process follows, so that a switch can be waited for and
 * stragglers named. Advice only: a center that takes no reports changes nothing for the service.
 */
export class AdoptionReporter {
  private readonly options: AdoptionReporterOptions;
  private readonly process = randomUUID();
  private readonly members = new Set<Member>();
  private readonly timer: NodeJS.Timeout;
  private readonly leaving = new Set<Promise<void>>();
  private count = 0;
  private round: Promise<void> | null = null;
  private failing = false;
  private closing = false;
  private closed = false;

  constructor(options: AdoptionReporterOptions) {
    this.options = options;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  add(kind: ClientReport['kind'], name: string, warnings: SettingWarning[], state: () => ClientState): () => void {
    const instance = `${this.process}.${++this.count}`;
    const member: Member = { instance, kind, name, state, warnings, said: '', saidAtMs: 0 };
    this.members.add(member);
    return () => {
      this.members.delete(member);
      const gone = this.takeBack(member).finally(() => this.leaving.delete(gone));
      this.leaving.add(gone);
    };
  }

  /** Takes back what was reported, as far as the center answers within two seconds: a process must end without it. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.closing = true;
    await atMost(LEAVE_WITHIN_MS, Promise.all([this.round, ...this.leaving])); // then the ttl takes back what is left
    this.closed = true;
  }

  /** After the round under way: a report that overtakes its withdrawal would bring the client back for a whole ttl. */
  private async takeBack(member: Member): Promise<void> {
    await this.round;
    if (this.closed || member.saidAtMs === 0) return;
    try {
      await this.options.log.withdraw(this.options.group, member.instance);
    } catch (e) {
      this.tell(e); // its ttl ends it too
    }
  }

  private look(): void {
    if (this.round !== null) return;
    const due = [...this.members].flatMap((member) => {
      const report = this.reportOf(member);
      if (report === null) return [];
      const text = JSON.stringify(report);
      const silentMs = performance.now() - member.saidAtMs;
      const wait = text === member.said ? jittered(this.options.ttlMs / 3) : this.failing ? 2_000 : 0;
      return silentMs >= wait ? [{ member, report, text }] : [];
    });
    if (due.length === 0) return;
    this.round = (async () => {
      for (let at = 0; at < due.length && !this.closing; at += AT_ONCE) {
        await Promise.all(
          due.slice(at, at + AT_ONCE).map(async ({ member, report, text }) => {
            member.saidAtMs = performance.now();
            try {
              await this.options.log.report(report, this.options.ttlMs);
              member.said = text;
              this.failing = false;
            } catch (e) {
              this.tell(e);
            }
          }),
        );
      }
    })().finally(() => {
      this.round = null;
    });
  }

  private reportOf(member: Member): ClientReport | null {
    const state = member.state();
    if (state === null || this.options.current() === null) return null;
    return {
      version: 1,
      group: this.options.group,
      instance: member.instance,
      kind: member.kind,
      name: member.name,
      ...state,
      mode: this.options.mode(),
      warnings: member.warnings.map((w) => `${w.setting}=${w.value}: ${w.risk}`),
    };
  }

  private tell(e: unknown): void {
    if (!this.failing && !this.closed) this.options.failed(asError(e));
    this.failing = true;
  }
}
