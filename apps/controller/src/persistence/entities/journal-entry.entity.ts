import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { JournalEntry } from '#failover';
import { bigintAsNumber } from '../column-transformers.js';

@Entity({ name: 'pointsman_saga_journal' })
export class JournalEntryEntity {
  @PrimaryColumn({ name: 'saga_id', type: 'varchar', length: 64 })
  sagaId!: string;

  @PrimaryColumn({ type: 'integer' })
  seq!: number;

  @Column({ type: 'varchar', length: 60 })
  step!: JournalEntry['step'];

  @Column({ type: 'varchar', length: 20 })
  direction!: JournalEntry['direction'];

  @Column({ name: 'event_kind', type: 'varchar', length: 20 })
  event!: JournalEntry['event'];

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  term!: number;

  @Column({ name: 'happened_at', type: 'varchar', length: 40 })
  at!: string;

  @Column({ name: 'deadline_ms', type: 'bigint', nullable: true, transformer: bigintAsNumber })
  deadlineMs!: number | null;

  /** JSON. */
  @Column({ type: 'text' })
  evidence!: string;
}
