import { Inject, Injectable } from '@nestjs/common';
import { leaseGrants } from '#failover';
import type { GroupConfig } from '../config/compile.js';
import { AGENT_GATEWAY, type AgentGateway } from '../observation/observation.port.js';
import { SAGA_DRIVER, type SagaDriver } from '../saga/saga.port.js';
import type { Evaluation } from './decision.port.js';

/** Each tick of the leader: its sign of life to the agents, with what each is to do when the next ones stay away. */
@Injectable()
export class LeaseIssuer {
  constructor(
    @Inject(AGENT_GATEWAY) private readonly gateway: AgentGateway,
    @Inject(SAGA_DRIVER) private readonly sagas: SagaDriver,
  ) {}

  issue({ name, policy }: GroupConfig, { snapshot, decision }: Evaluation): void {
    if (!snapshot.leading) return;
    const grants = leaseGrants(snapshot, decision, policy, this.failoverFrom(name, snapshot.group));
    this.gateway.issueToken(snapshot.term, grants);
  }

  /** A saga that the store holds and nobody drives here yet may be a failover: then nothing is said. */
  private failoverFrom(group: string, { active, openSaga }: Evaluation['snapshot']['group']): string | null {
    const driven = this.sagas.open(group)?.saga;
    if (driven === undefined) return openSaga === null ? null : active;
    const givenUp = driven.journal.some((e) => e.step === 'fence-source' && e.direction === 'undo');
    return driven.kind === 'failover' && !givenUp ? driven.source : null;
  }
}
