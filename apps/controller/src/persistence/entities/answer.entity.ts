import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity({ name: 'pointsman_answer' })
export class AnswerEntity {
  @PrimaryColumn({ name: 'answer_key', type: 'varchar', length: 500 })
  key!: string;

  @Column({ name: 'body_hash', type: 'varchar', length: 128 })
  bodyHash!: string;

  @Column({ name: 'http_status', type: 'integer' })
  status!: number;

  /** JSON. */
  @Column({ type: 'text' })
  body!: string;

  @Column({ name: 'answered_at', type: 'varchar', length: 40 })
  at!: string;
}
