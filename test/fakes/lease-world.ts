import { MemoryAuthorityDatabase } from './memory-authority-database.js';
import type { FakeProcess } from './fake-time.js';
import { FakeTime } from './fake-time.js';
import type { LeadershipView } from '../../apps/controller/src/leadership/leadership.port.js';
import { LeaseLoop } from '../../apps/controller/src/leadership/lease-loop.js';

const TIMINGS = { ttlMs: 10_000, renewDeadlineMs: 6_000, retryMs: 2_000 };

export type LeaseInstance = Readonly<{
  id: string;
  loop: LeaseLoop;
  process: FakeProcess;
  views: LeadershipView[];
  errors: unknown[];
}>;

/** Several controllers' lease loops over one store in memory and one fake time, watched for two leaders at once. */
export class LeaseWorld {
  readonly time = new FakeTime();
  readonly database = new MemoryAuthorityDatabase();
  /** Kept, because the loop reports what a listener throws and goes on. */
  private readonly violations: string[] = [];
  private readonly instances: LeaseInstance[] = [];

  /** At no instant may two say that they lead; a frozen one says nothing. */
  checkOneLeader(): void {
    const leaders = this.instances.filter((i) => !i.process.frozen && i.loop.current().leading).map((i) => i.id);
    if (leaders.length > 1) this.violations.push(`at ${this.time.nowMs()} ms all of these lead: ${leaders.join(', ')}`);
    if (this.violations.length > 0) throw new Error(this.violations.join('\n'));
  }

  instance(id: string, advertise = `http://${id}`): LeaseInstance {
    const process = this.time.process();
    const errors: unknown[] = [];
    const loop = new LeaseLoop({
      store: this.database.connect(id),
      me: { id, advertise },
      timings: TIMINGS,
      ...{
        clock: process.clock,
        timers: process.timers,
        random: () => 0,
        onError: (e: unknown) => void errors.push(e),
      },
    });
    const made = { id, loop, process, views: [] as LeadershipView[], errors };
    loop.onChange((view) => {
      made.views.push(view);
      this.checkOneLeader();
    });
    this.instances.push(made);
    return made;
  }

  async started(id: string, advertise?: string): Promise<LeaseInstance> {
    const made = this.instance(id, advertise);
    made.loop.start();
    await this.time.advance(0);
    return made;
  }

  /** In steps of 100 ms, looking after each. */
  async pass(ms: number): Promise<void> {
    for (let done = 0; done < ms; done += 100) {
      await this.time.advance(100);
      this.checkOneLeader();
    }
  }

  lease() {
    return this.database.connect('test').readLease();
  }
}
