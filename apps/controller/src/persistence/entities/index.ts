import { AlertDeliveryEntity } from './alert-delivery.entity.js';
import { AlertEntity } from './alert.entity.js';
import { AnswerEntity } from './answer.entity.js';
import { AuditEntity } from './audit.entity.js';
import { ControllerEntity } from './controller.entity.js';
import { EventEntity } from './event.entity.js';
import { FleetEntity } from './fleet.entity.js';
import { GoalEntity } from './goal.entity.js';
import { GroupEntity } from './group.entity.js';
import { IncidentEntity } from './incident.entity.js';
import { JournalEntryEntity } from './journal-entry.entity.js';
import { LeaseEntity } from './lease.entity.js';
import { LedgerEntity } from './ledger.entity.js';
import { SagaEntity } from './saga.entity.js';
import { TokenEntity } from './token.entity.js';

export const ENTITIES = [
  AlertDeliveryEntity,
  AlertEntity,
  AnswerEntity,
  AuditEntity,
  ControllerEntity,
  EventEntity,
  FleetEntity,
  GoalEntity,
  GroupEntity,
  IncidentEntity,
  JournalEntryEntity,
  LeaseEntity,
  LedgerEntity,
  SagaEntity,
  TokenEntity,
];
