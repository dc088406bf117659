import { Injectable } from '@nestjs/common';
import type { ClusterName, Ms } from '#health';

/**
 * When this leader last gave a sign of life to anyone in a cluster's IDC, on its own clock. What an earlier leader issued
 * cannot be younger than the take-over: it stopped before anyone could take its lease.
 */
@Injectable()
export class LeaseTokens {
  private term = 0;
  private number = 0;
  private takenOverAtMs: Ms | null = null; // null: this process does not lead
  private readonly issuedAtMs = new Map<string, Ms>();

  /**
   * A spell of leading begins; called again within one it changes nothing. A spell that begins anew in the same term (after a
   * stall) goes on counting: agents take no number of a term that is not above the last.
   */
  begin(term: number, now: Ms): void {
    if (this.takenOverAtMs !== null && term === this.term) return;
    if (term !== this.term) this.number = 0;
    this.term = term;
    this.takenOverAtMs = now;
    this.issuedAtMs.clear();
  }

  end(): void {
    this.takenOverAtMs = null;
  }

  nextNumber(): number {
    this.number += 1;
    return this.number;
  }

  issued(group: string, cluster: ClusterName, now: Ms): void {
    this.issuedAtMs.set(`${group}/${cluster}`, now);
  }

  /** Null: this process does not lead. */
  ageMs(group: string, cluster: ClusterName, now: Ms): Ms | null {
    if (this.takenOverAtMs === null) return null;
    return now - (this.issuedAtMs.get(`${group}/${cluster}`) ?? this.takenOverAtMs);
  }
}
