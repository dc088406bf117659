import { describe, expect, it } from 'vitest';
import {
  batchBytesForLatency,
  estimatedLossRecords,
  failoverTimeMs,
  knownLossRecords,
  replicationLatencyMs,
  seedFailoverTime,
} from './estimate.js';

describe("the seed documents' examples", () => {
  it('failover time: 10 s × 3 + 30 s + 60 s = 2.0 min', () => {
    const t = seedFailoverTime({ intervalMs: 10_000, threshold: 3, decisionDelayMs: 30_000, propagationMs: 60_000 });
    expect(t).toEqual({
      detectionMs: 30_000,
      decisionMs: 30_000,
      executionMs: 60_000,
      totalMs: 120_000,
      totalMinutes: 2,
    });
  });

  it('replication latency: 50 ms, 16,384 B, 1,000 Mbps', () => {
    expect(replicationLatencyMs({ rttMs: 50, batchBytes: 16_384, throughputMbps: 1_000 })).toBeCloseTo(50.131, 3);
  });

  it('batch size for 100 ms over 50 ms at 1,000 Mbps', () => {
    expect(batchBytesForLatency({ targetMs: 100, rttMs: 50, throughputMbps: 1_000 })).toBe(6_250_000);
  });

  it('no batch size reaches a target at or below the round trip', () => {
    expect(batchBytesForLatency({ targetMs: 50, rttMs: 50, throughputMbps: 1_000 })).toBe(0);
    expect(batchBytesForLatency({ targetMs: 40, rttMs: 50, throughputMbps: 1_000 })).toBe(0);
  });
});

describe('our own estimators', () => {
  const input = {
    periodMs: 2_000,
    timeoutMs: 2_000,
    windowMs: 20_000,
    leaderDiedToo: null,
    tickMs: 500,
    commitMs: 20,
    fenceWaitMs: 0,
    publishMs: 50,
    clientSwitchMs: 200,
  };

  it('hides the election of a new leader in the window', () => {
    const withElection = { ...input, leaderDiedToo: { leaseMs: 10_000, retryMs: 2_000 } };
    expect(failoverTimeMs(withElection)).toBe(failoverTimeMs(input));
    expect(failoverTimeMs(input)).toBe(24_770);
  });

  it('is the election where that takes longer', () => {
    const slow = { ...input, windowMs: 3_000, leaderDiedToo: { leaseMs: 10_000, retryMs: 2_000 } };
    expect(failoverTimeMs(slow)).toBe(12_400 + 770);
  });

  it('counts known loss per partition, never negative, unknown as unknown', () => {
    expect(
      knownLossRecords([
        { sourceEnd: 100, replicated: 90 },
        { sourceEnd: 5, replicated: 7 },
      ]),
    ).toBe(10);
    expect(knownLossRecords([{ sourceEnd: null, replicated: 7 }])).toBeNull();
  });

  it('adds what may have arrived until the fence', () => {
    const o = { knownRecords: 10, peakRecordsPerMs: 0.5, sourceEndAgeMs: 3_000, fenceConfirmedInMs: 5_000 };
    expect(estimatedLossRecords(o)).toBe(4_010);
  });
});
