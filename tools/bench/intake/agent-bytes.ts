import { randomUUID } from 'node:crypto';
import { sampleFields } from '#failover';
import { type AgentMessage, PROTOCOL_VERSION, requestToWire, SessionRequest } from '#rpc';

const PARTITIONS = 12; // that changed since the last report

const SEQ_TAG = 0x08; // field 1, varint

/** The bytes of one request but for its sequence number, which `frame` puts in front: protobuf takes fields in any order. */
export const encodeBody = (message: AgentMessage): Buffer =>
  Buffer.from(SessionRequest.encode(requestToWire(0, message)).finish());

export function frame(seq: number, body: Buffer): Buffer {
  const head = [SEQ_TAG];
  for (let rest = seq; ; rest >>>= 7) {
    if (rest < 0x80) {
      head.push(rest);
      return Buffer.concat([Buffer.from(head), body]);
    }
    head.push((rest & 0x7f) | 0x80);
  }
}

export const helloOf = (agent: string, idc: string): AgentMessage => ({
  kind: 'hello',
  hello: {
    protocolVersion: PROTOCOL_VERSION,
    agent,
    idc,
    bootId: randomUUID(),
    highestTerm: 1,
    goalsHeld: [],
    clusters: ['a', 'b'],
    softwareVersion: 'bench',
  },
});

/** What an agent of two clusters says each period: both clusters' reports and a flow with the partitions that moved. */
export const reportMessage = (full: boolean): AgentMessage => ({
  kind: 'report',
  report: {
    full,
    self: { healthy: true, reasons: [] },
    clusters: ['a', 'b'].map((cluster) => ({
      cluster,
      state: 'UP',
      kind: null,
      everyBrokerRefused: false,
      marks: [],
      reasons: [],
      sampleAgeMs: 12,
      failingForMs: 0,
      refusedForMs: 0,
      lastAnsweredAgeMs: 12,
      fields: sampleFields(),
    })),
    flows: [
      {
        group: 'orders',
        from: 'a',
        to: 'b',
        lagRecords: 12,
        lagMs: 400,
        heartbeatAgeMs: 900,
        observedAgeMs: 20,
        sourceConnector: 'RUNNING',
        checkpointConnector: 'RUNNING',
        whole: full,
        roundAgeMs: 20,
        partitions: Array.from({ length: PARTITIONS }, (_, partition) => ({
          topic: 'orders',
          partition,
          sourceEnd: 1_000_000 + partition,
          replicated: 999_990 + partition,
          sourceEndCurrent: true,
          replicatedCurrent: true,
          sourceEndAgeMs: null,
          replicatedAgeMs: null,
        })),
      },
    ],
    fences: [],
    clusterSettings: [],
    flowSettings: [],
    selfFences: [],
    consumerGroups: ['a', 'b'].map((cluster) => ({
      group: 'orders',
      cluster,
      consumerGroup: 'billing',
      lagRecords: 40,
      observedAgeMs: 20,
      committedAgeMs: 400,
    })),
  },
});
