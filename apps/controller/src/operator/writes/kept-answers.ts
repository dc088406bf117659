import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Json } from '#failover';
import { AUTHORITY_STORE, AnswerExistsError } from '../../persistence/authority-store.port.js';
import type { AuthorityStore } from '../../persistence/authority-store.port.js';
import { Problem } from '../http/problem.js';

export type WriteAnswer = Readonly<{ status: number; body: Json }>;

/** One act per Idempotency-Key: a repeat gets the kept answer, also from the next leader; another body is refused. */
@Injectable()
export class KeptAnswers {
  private readonly inFlight = new Set<string>();

  constructor(@Inject(AUTHORITY_STORE) private readonly store: AuthorityStore) {}

  /** `work` must keep its answer under the key, with this hash, in its own transaction. */
  async once(key: string, what: unknown, work: (bodyHash: string) => Promise<WriteAnswer>): Promise<WriteAnswer> {
    if (this.inFlight.has(key)) throw inFlight();
    this.inFlight.add(key);
    try {
      const bodyHash = createHash('sha256').update(JSON.stringify(what)).digest('hex');
      return (await this.kept(key, bodyHash)) ?? (await this.work(key, bodyHash, work));
    } finally {
      this.inFlight.delete(key);
    }
  }

  /** A controller that led a moment ago may have been faster: then its answer is the answer, and ours was undone. */
  private async work(
    key: string,
    bodyHash: string,
    work: (bodyHash: string) => Promise<WriteAnswer>,
  ): Promise<WriteAnswer> {
    try {
      return await work(bodyHash);
    } catch (error) {
      const answer = error instanceof AnswerExistsError ? await this.kept(key, bodyHash) : null;
      if (answer === null) throw error;
      return answer;
    }
  }

  private async kept(key: string, bodyHash: string): Promise<WriteAnswer | null> {
    const answer = await this.store.idempotent(key);
    if (!answer) return null;
    if (answer.bodyHash === bodyHash) return { status: answer.status, body: answer.body };
    throw new Problem({
      status: 422,
      code: 'idempotency_key_reused',
      title: 'This Idempotency-Key was used for something else',
      detail: 'Use a new key for every intended act; the kept answer belongs to another body.',
    });
  }
}

const inFlight = (): Problem =>
  new Problem(
    {
      status: 409,
      code: 'in_flight',
      title: 'A request with this Idempotency-Key is being carried out',
      detail: 'Repeat it in a moment: you will get its answer.',
    },
    { 'retry-after': '1' },
  );
