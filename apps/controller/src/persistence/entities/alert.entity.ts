import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Alert } from '../authority-store.port.js';
import { bigintAsNumber, jsonAsText } from '../column-transformers.js';

@Entity({ name: 'pointsman_alert' })
export class AlertEntity {
  @PrimaryColumn({ type: 'varchar', length: 200 })
  id!: string;

  /** Order of enqueueing. */
  @Column({ type: 'bigint', transformer: bigintAsNumber })
  seq!: number;

  @Column({ type: 'text', transformer: jsonAsText })
  body!: Alert;

  /** How often an operator sent it again. */
  @Column({ type: 'integer', default: 0 })
  resends!: number;

  /** Null while somebody may still owe a delivery. */
  @Column({ name: 'settled_at', type: 'varchar', length: 40, nullable: true })
  settledAt!: string | null;
}
