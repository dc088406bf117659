import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { LEADERSHIP } from '../leadership/leadership.port.js';
import type { Leadership } from '../leadership/leadership.port.js';
import type { IncidentRow } from '../persistence/alerts.port.js';
import { AUTHORITY_STORE } from '../persistence/authority-store.port.js';
import type { AuthorityStore } from '../persistence/authority-store.port.js';
import { ALERTING_OPTIONS, compileAlertingOptions } from './alerting.options.js';
import type { AlertingOptions, AlertmanagerReceiver, CompiledAlertingOptions } from './alerting.options.js';
import { watchdogRequest } from './receivers/alertmanager.js';
import type { OutgoingRequest } from './receivers/format.js';
import { JSON_HEADERS } from './receivers/format.js';
import { requestFor } from './receivers/formats.js';
import { GuardedPost } from './receivers/guarded-post.js';
import { receiversFor } from './routes.js';

const MAX_INCIDENTS = 500;

/**
 * What is told again and again while this controller leads: to Alertmanagers each incident that still fires (they forget
 * what is not repeated) and one alert that always fires; to the heartbeat's receiver that Pointsman lives. Whoever hears
 * the last two fall silent watches the watcher. Losing one repetition costs nothing, so none of it is in the outbox.
 */
@Injectable()
export class AlertKeeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly log = new Logger('alerting');
  private readonly options: CompiledAlertingOptions;
  private readonly post: GuardedPost;
  private readonly alertmanagers: readonly AlertmanagerReceiver[];
  private readonly stopping = new AbortController();
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly failing = new Set<string>();
  private known: readonly IncidentRow[] = [];
  private running = new Set<Promise<void>>();

  constructor(
    @Inject(AUTHORITY_STORE) private readonly store: AuthorityStore,
    @Inject(LEADERSHIP) private readonly leadership: Leadership,
    @Inject(ALERTING_OPTIONS) options: AlertingOptions,
  ) {
    this.options = compileAlertingOptions(options);
    this.post = new GuardedPost(this.options.allowPrivate, this.options.timeoutMs);
    this.alertmanagers = this.options.receivers.filter((r) => r.kind === 'alertmanager');
  }

  onApplicationBootstrap(): void {
    const { heartbeat, repeatMs } = this.options;
    if (this.alertmanagers.length > 0) this.each(repeatMs, () => this.repeat());
    if (heartbeat !== null) this.each(heartbeat.everyMs, () => this.beat(heartbeat.url));
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.running);
    await this.post.close();
  }

  /** At once, then at each interval, while leading; never two at a time. */
  private each(everyMs: number, work: () => Promise<void>): void {
    let busy = false;
    const run = (): void => {
      if (busy || !this.leadership.current().leading) return;
      busy = true;
      const running = work().finally(() => {
        busy = false;
        this.running.delete(running);
      });
      this.running.add(running);
    };
    const timer = setInterval(run, everyMs);
    timer.unref();
    this.timers.push(timer);
    run();
  }

  private async repeat(): Promise<void> {
    try {
      this.known = await this.store.openIncidents(MAX_INCIDENTS);
    } catch (e) {
      this.log.warn(`incidents not readable, the last reading is told again: ${String(e)}`);
    }
    const context = { nowMs: Date.now(), runbookUrl: this.options.runbookUrl };
    for (const receiver of this.alertmanagers) {
      await this.tell(receiver.name, watchdogRequest(receiver, this.leadership.current().me, Date.now()));
      for (const { last, openedAt } of this.known) {
        if (!receiversFor(last, this.options).includes(receiver)) continue;
        await this.tell(receiver.name, requestFor(receiver, { ...last, at: openedAt }, context));
      }
    }
  }

  private beat(url: string): Promise<void> {
    const { me, term } = this.leadership.current();
    const body = JSON.stringify({ type: 'heartbeat', controller: me, term, at: new Date().toISOString() });
    return this.tell('heartbeat', { url, headers: JSON_HEADERS, body });
  }

  private async tell(name: string, request: OutgoingRequest): Promise<void> {
    const failure = await this.post
      .send(request, this.stopping.signal)
      .then(({ status }) => (status >= 200 && status < 300 ? null : `answered ${status}`))
      .catch((e: unknown) => (e instanceof Error ? e.message : String(e)));
    if (failure === null) this.failing.delete(name);
    else if (!this.failing.has(name) && !this.stopping.signal.aborted) {
      this.failing.add(name);
      this.log.warn(`${name}: ${failure}; told again at its next interval`);
    }
  }
}
