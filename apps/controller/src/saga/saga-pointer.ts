import { isPastReturn, publishOutcomeOpen, type SagaPlan, type SagaRecord, type SagaWorld } from '#failover';
import { LostLeadershipError } from '../persistence/authority-store.port.js';
import { ClaimLostError, type Publishing } from '../publishing/publishing.port.js';
import type { SagaTimes } from './saga-options.js';
import { within, type SagaTime } from './saga-time.js';

type Deps = Readonly<{ publishing: Publishing; time: SagaTime; times: SagaTimes }>;
type Of = Readonly<{ plan: SagaPlan; group: string; term: number; leading: AbortSignal; openForMs: () => number }>;

/** What the config center says to one drive of a saga. */
export class SagaPointer {
  private seen: SagaWorld['pointer'] | null = null;

  constructor(
    private readonly deps: Deps,
    private readonly of: Of,
  ) {}

  /** The pointer matters when the drive begins and from the moment publish is attempted; asking oftener only costs time. */
  async look(saga: SagaRecord): Promise<SagaWorld['pointer']> {
    const { plan, term } = this.of;
    const known = this.seen !== null && this.seen !== 'silent';
    const settled = this.seen !== null && isPastReturn(plan, saga, { pointer: this.seen, term, openForMs: 0 });
    if (!known || (publishOutcomeOpen(saga) && !settled)) this.seen = await this.read(this.seen === null);
    return this.seen ?? 'silent';
  }

  private async read(first: boolean): Promise<SagaWorld['pointer']> {
    const { publishing, time, times } = this.deps;
    const { group, term, leading } = this.of;
    const deadline = time.deadline(times.pointerReadMs);
    const signal = AbortSignal.any([deadline.signal, leading]);
    try {
      if (first) await within(publishing.claim(group, term), signal);
      const pointer = await within(publishing.read(group), signal);
      if (pointer === null) return 'absent';
      return { active: pointer.activeCluster, epoch: pointer.epoch, sagaId: pointer.sagaId };
    } catch (error) {
      if (leading.aborted || error instanceof ClaimLostError) throw new LostLeadershipError(term);
      return 'silent'; // whatever the reason: nothing is known of the pointer, and the rule has an answer to that
    } finally {
      deadline.stop();
    }
  }
}
