import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { EventRow } from '../authority-store.port.js';
import { bigintAsNumber } from '../column-transformers.js';

/** `seq` is given by the writer, not by the database: guarded transactions are serial, so it has no holes and no late row. */
@Entity({ name: 'pointsman_event' })
export class EventEntity {
  @PrimaryColumn({ type: 'bigint', transformer: bigintAsNumber })
  seq!: number;

  @Column({ name: 'happened_at', type: 'varchar', length: 40 })
  at!: string;

  @Column({ name: 'group_name', type: 'varchar', length: 200, nullable: true })
  group!: string | null;

  @Column({ name: 'event_type', type: 'varchar', length: 40 })
  type!: EventRow['type'];

  @Column({ name: 'matrix_row', type: 'integer', nullable: true })
  row!: number | null;

  @Column({ type: 'text' })
  summary!: string;

  /** JSON. */
  @Column({ type: 'text' })
  detail!: string;

  @Column({ type: 'bigint', transformer: bigintAsNumber })
  term!: number;

  @Column({ type: 'bigint', nullable: true, transformer: bigintAsNumber })
  epoch!: number | null;
}
