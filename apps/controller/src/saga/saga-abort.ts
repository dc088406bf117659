import type { SagaPlan, SagaRecord } from '#failover';
import { LostLeadershipError } from '../persistence/authority-store.port.js';

/** `too-late`: the point of no return was reached; the saga goes on. `finished`: it reached its good end meanwhile. */
export type AbortAnswer = 'aborted' | 'too-late: publish' | 'finished';

/** Why a step was cut short by a person: it is no failure of the step. */
export class AbortedByPerson extends Error {
  override readonly name = 'AbortedByPerson';
}

type Wish = Readonly<{
  reason: string;
  answer: (how: AbortAnswer) => void;
  reject: (error: unknown) => void;
}>;

/**
 * A person's wish to end a saga. It cuts the running step short and is answered when the journal says which way it went:
 * once publish has been begun it is too late, before that everything is walked back. Nothing is promised from memory: if
 * this leader dies first, the wish gets no answer and is asked again.
 */
export class SagaAborts {
  private wishes: readonly Wish[] = [];
  private readonly cut = new AbortController();

  constructor(
    private readonly plan: SagaPlan,
    private readonly leading: AbortSignal,
    private readonly term: number,
  ) {}

  /** Aborts with the first wish: for the signal of a step before the point of no return. */
  get signal(): AbortSignal {
    return this.cut.signal;
  }

  /** Rejects with {@link LostLeadershipError} when this leader cannot go on. */
  async ask(saga: SagaRecord, reason: string): Promise<AbortAnswer> {
    if (this.isTooLate(saga)) return 'too-late: publish';
    return await new Promise<AbortAnswer>((answer, reject) => {
      const lost = (): void => reject(new LostLeadershipError(this.term));
      if (this.leading.aborted) return lost();
      this.leading.addEventListener('abort', lost, { once: true });
      this.wishes = [...this.wishes, { reason, answer, reject }];
      this.cut.abort(new AbortedByPerson(reason));
    });
  }

  pending(): Readonly<{ reason: string }> | null {
    return this.wishes[0] ?? null;
  }

  /** What a step that was cut short failed of; null while nobody wants the end. */
  cause(): AbortedByPerson | null {
    const [wish] = this.wishes;
    return wish === undefined ? null : new AbortedByPerson(wish.reason);
  }

  /** After each commit: answers whoever waits, if the journal decides it. */
  answer(saga: SagaRecord): void {
    if (this.wishes.length === 0) return;
    const how = this.howItWent(saga);
    if (how === null) return;
    for (const wish of this.wishes) wish.answer(how);
    this.wishes = [];
  }

  /** The drive ended without saying which way it went. */
  giveUp(error: unknown): void {
    for (const wish of this.wishes) wish.reject(error);
    this.wishes = [];
  }

  /** Null: the journal has not decided yet. */
  private howItWent(saga: SagaRecord): AbortAnswer | null {
    if (this.isTooLate(saga)) return 'too-late: publish';
    if (saga.outcome === 'DONE' || saga.outcome === 'DONE_WITH_DEBT') return 'finished';
    return saga.outcome !== null || walksBack(saga) ? 'aborted' : null;
  }

  private isTooLate(saga: SagaRecord): boolean {
    const turn = this.plan.steps.find((p) => p.phase === 'return');
    const begun = saga.journal.some((e) => e.step === turn?.step && e.direction === 'do' && e.event === 'intent');
    return begun && !walksBack(saga);
  }
}

const walksBack = (saga: SagaRecord): boolean => saga.journal.some((e) => e.direction === 'undo');
