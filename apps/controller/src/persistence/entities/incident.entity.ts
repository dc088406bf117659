import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { IncidentRow } from '../alerts.port.js';
import { jsonAsText } from '../column-transformers.js';

@Entity({ name: 'pointsman_incident' })
export class IncidentEntity {
  @PrimaryColumn({ type: 'varchar', length: 300 })
  incident!: string;

  @Column({ name: 'group_name', type: 'varchar', length: 200 })
  group!: string;

  @Column({ name: 'opened_at', type: 'varchar', length: 40 })
  openedAt!: string;

  /** Null while the story goes on. */
  @Column({ name: 'resolved_at', type: 'varchar', length: 40, nullable: true })
  resolvedAt!: string | null;

  @Column({ type: 'text', transformer: jsonAsText })
  body!: IncidentRow;
}
