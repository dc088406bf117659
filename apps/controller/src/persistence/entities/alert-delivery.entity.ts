import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'pointsman_alert_delivery' })
export class AlertDeliveryEntity {
  @PrimaryColumn({ name: 'alert_id', type: 'varchar', length: 200 })
  alertId!: string;

  @PrimaryColumn({ type: 'varchar', length: 200 })
  receiver!: string;

  @Column({ type: 'integer' })
  attempts!: number;

  @Column({ name: 'attempted_at', type: 'varchar', length: 40 })
  attemptedAt!: string;

  @Column({ name: 'delivered_at', type: 'varchar', length: 40, nullable: true })
  deliveredAt!: string | null;

  @Column({ name: 'last_error', type: 'text', nullable: true })
  lastError!: string | null;

  @Column({ name: 'dead_at', type: 'varchar', length: 40, nullable: true })
  deadAt!: string | null;

  /** Rises with each re-sending of a dead letter. */
  @Column({ name: 'delivery_round', type: 'integer', default: 1 })
  round!: number;
}
