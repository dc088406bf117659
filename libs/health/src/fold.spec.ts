import { describe, expect, it } from 'vitest';
import { assess } from './assess.js';
import { foldSample, type HealthMemory, INITIAL_HEALTH_MEMORY } from './fold.js';
import { DEFAULT_HEALTH_SETTINGS as S } from './settings.js';
import type { BrokerProbe, CanaryProbe, ClusterReport, ClusterSample, ProbeErrorKind } from './types.js';

const P = S.periodMs;

const broker = (brokerId: number | null, error: ProbeErrorKind | null): BrokerProbe => ({
  address: `b${brokerId ?? 'boot'}:9092`,
  brokerId,
  error,
  latencyMs: error === null ? 1 : null,
});

const brokers = (...errors: readonly (ProbeErrorKind | null)[]): readonly BrokerProbe[] =>
  errors.map((e, i) => broker(i + 1, e));

const canaries = (...errors: readonly (ProbeErrorKind | number | null)[]): readonly CanaryProbe[] =>
  errors.map((e, i) => ({
    brokerId: i + 1,
    ok: e === null,
    latencyMs: e === null ? 4 : null,
    error: typeof e === 'number' ? 'broker' : e,
    errorCode: typeof e === 'number' ? e : null,
  }));

const UP: Omit<ClusterSample, 'takenAtMs'> = {
  expectedBrokers: 3,
  brokers: brokers(null, null, null),
  activeBrokers: 3,
  clusterId: 'k',
  quorumLeader: 1,
  quorumError: null,
  hotStandby: { total: 6, offline: 0, underReplicated: 0, underMinIsr: 0 },
  otherTopics: null,
  canaries: canaries(null, null, null),
  endOffsetsAdvanced: false,
  self: { healthy: true, reasons: [] },
};

const DEAD: Partial<ClusterSample> = {
  brokers: brokers('refused', 'refused', 'refused'),
  canaries: [],
  quorumLeader: null,
  hotStandby: null,
};
const SILENT: Partial<ClusterSample> = { ...DEAD, brokers: brokers('deadline', 'deadline', 'refused') };
const STUCK: Partial<ClusterSample> = { canaries: canaries('deadline', 'deadline', 'deadline') };
const DOUBT: Partial<ClusterSample> = { self: { healthy: false, reasons: ['loop delay'] } };

type Step = Partial<ClusterSample>;

/** Folds the steps a period apart, from 100 s on; the report is sent 100 ms after the last sample was taken. */
function run(steps: readonly Step[], periodMs = P): ClusterReport {
  let memory: HealthMemory = INITIAL_HEALTH_MEMORY;
  let at = 100_000;
  for (const step of steps) {
    memory = foldSample(memory, { ...UP, takenAtMs: at, ...step }, S);
    at = (memory.sample?.takenAtMs ?? at) + periodMs;
  }
  return assess('a', memory, (memory.sample?.takenAtMs ?? 0) + 100, S);
}

const times = (n: number, step: Step): readonly Step[] => Array.from({ length: n }, () => step);
const up = (n: number): readonly Step[] => times(n, {});

describe('DOWN', () => {
  it('needs three consecutive failed samples; until then the cluster is degraded, with the count as the reason', () => {
    expect(run([...up(2), ...times(2, DEAD)])).toMatchObject({ state: 'DEGRADED', failingForMs: P });
    expect(run([...up(2), ...times(2, DEAD)]).reasons).toContain('2 of 3 failed samples');
    const down = run([...up(2), ...times(3, DEAD)]);
    expect(down).toMatchObject({ state: 'DOWN', kind: 'UNREACHABLE', everyBrokerRefused: true });
    expect(down).toMatchObject({
      failingForMs: 2 * P,
      refusedForMs: 2 * P,
      lastAnsweredAgeMs: 3 * P + 100,
      sampleAgeMs: 100,
    });
  });

  it('an agent that never had an answer abstains until it is sure: "answers with faults" would be a claim', () => {
    expect(run(times(2, DEAD)).state).toBe('ABSTAIN');
    expect(run(times(3, DEAD)).state).toBe('DOWN');
  });

  it('one success in between ends the run', () => {
    expect(run([...up(1), ...times(2, DEAD), {}, ...times(2, DEAD)]).state).toBe('DEGRADED');
  });

  it('is attested only while every broker refuses', () => {
    const mixed = run([...up(1), ...times(3, DEAD), SILENT]);
    expect(mixed).toMatchObject({ state: 'DOWN', everyBrokerRefused: false, refusedForMs: 0, failingForMs: 3 * P });
    const again = run([...up(1), ...times(3, SILENT), ...times(2, DEAD)]);
    expect(again).toMatchObject({ everyBrokerRefused: true, refusedForMs: P, failingForMs: 4 * P });
  });

  it('a mixed run is of the kind with the longer window', () => {
    expect(run([...up(1), ...times(2, STUCK), ...times(2, DEAD)]).kind).toBe('NO_SERVICE');
    expect(run([...up(1), ...times(2, STUCK), ...times(3, DEAD)]).kind).toBe('UNREACHABLE');
  });

  it.each<[string, Step]>([
    ['dns', { ...DEAD, brokers: brokers('dns', 'dns', 'dns') }],
    ['tls', { ...DEAD, brokers: brokers('tls', 'tls', 'tls') }],
    ['authentication', { ...DEAD, brokers: brokers('authentication', 'authentication', 'authentication') }],
    ['authorization', { ...DEAD, brokers: brokers('authorization', 'refused', 'refused') }],
    ['unknown', { ...DEAD, brokers: brokers('other', 'other', 'other') }],
    ['a broker error on ApiVersions', { ...DEAD, brokers: brokers('broker', 'broker', 'broker') }],
    ['canary quota', { canaries: canaries('quota', 'quota', 'quota') }],
    ['canary with error 29', { canaries: canaries(29, 29, 29) }],
  ])('never by %s: MISCONFIGURED abstains', (_name, step) => {
    const report = run([...up(2), ...times(20, step)]);
    expect(report).toMatchObject({ state: 'ABSTAIN', failingForMs: 0 });
    expect(report.marks).toContain('MISCONFIGURED');
  });
});

describe('time nobody watched', () => {
  it('a gap of more than 2·(p + t) sets failingFor to zero and counts anew', () => {
    const gap = { ...DEAD, takenAtMs: 200_000 };
    const report = run([...up(1), ...times(5, DEAD), gap]);
    expect(report).toMatchObject({ state: 'ABSTAIN', failingForMs: 0 });
    expect(run([...up(1), ...times(5, DEAD), gap, ...times(2, DEAD)])).toMatchObject({
      state: 'DOWN',
      failingForMs: 2 * P,
    });
  });

  it('a gap of exactly 2·(p + t) is none', () => {
    expect(run(times(3, DEAD), 2 * (S.periodMs + S.timeoutMs))).toMatchObject({ state: 'DOWN' });
    expect(run(times(3, DEAD), 2 * (S.periodMs + S.timeoutMs) + 1)).toMatchObject({ state: 'ABSTAIN' });
  });

  it('a doubt of the agent ends the run', () => {
    expect(run([...up(1), ...times(5, DEAD), DOUBT])).toMatchObject({
      state: 'ABSTAIN',
      failingForMs: 0,
      reasons: ['loop delay'],
    });
    expect(run([...up(1), ...times(5, DEAD), DOUBT, DEAD])).toMatchObject({ state: 'ABSTAIN', failingForMs: 0 });
  });

  it('a sample older than the last one is a gap, not a success', () => {
    expect(run([...up(1), ...times(5, DEAD), { ...DEAD, takenAtMs: 1_000 }]).state).toBe('ABSTAIN');
  });
});

describe('NO_SERVICE', () => {
  it('every sampled canary fails, at least two or all that answer', () => {
    expect(run([...up(1), ...times(3, STUCK)])).toMatchObject({ state: 'DOWN', kind: 'NO_SERVICE' });
    expect(run([...up(1), ...times(9, { canaries: canaries('deadline') })]).state).toBe('DEGRADED');
    const alone = { ...STUCK, brokers: brokers(null, 'refused', 'refused'), canaries: canaries('deadline') };
    expect(run([...up(1), ...times(3, alone)])).toMatchObject({ state: 'DOWN', kind: 'NO_SERVICE' });
  });

  it.each([5, 6, 7, 19, 20])('the canary answer %i counts as down', (code) => {
    expect(run([...up(1), ...times(3, { canaries: canaries(code, code, code) })]).kind).toBe('NO_SERVICE');
  });

  it('never while end offsets advance', () => {
    const report = run([...up(1), ...times(20, { ...STUCK, endOffsetsAdvanced: true })]);
    expect(report.state).toBe('DEGRADED');
  });

  it('not where the canary was not run', () => {
    expect(run([...up(1), ...times(5, { canaries: [] })]).state).toBe('UP');
  });
});

describe('DEGRADED', () => {
  it('recovering: five serving samples and ten seconds make UP', () => {
    const dead = [...up(1), ...times(3, DEAD)];
    expect(run([...dead, ...up(1)])).toMatchObject({ state: 'DEGRADED', marks: ['RECOVERING'] });
    expect(run([...dead, ...up(5)]).marks).toEqual(['RECOVERING']); // 8 s
    expect(run([...dead, ...up(6)])).toMatchObject({ state: 'UP', marks: [] }); // 10 s
    expect(run([...dead, ...up(4), STUCK, ...up(5)]).marks).toContain('RECOVERING');
  });

  it('a broker that stays away does not keep the cluster recovering for ever', () => {
    const without = { brokers: brokers(null, null, 'refused'), canaries: canaries(null, null) };
    expect(run([...up(1), ...times(3, STUCK), ...times(8, without)])).toMatchObject({ state: 'DEGRADED', marks: [] });
  });

  it('no quorum leader while the canary works', () => {
    expect(run([...up(3), { quorumLeader: null }])).toMatchObject({ state: 'DEGRADED', marks: ['NO_QUORUM'] });
    expect(run([...up(3), { ...STUCK, quorumLeader: null }]).marks).not.toContain('NO_QUORUM');
    expect(run([...up(3), { quorumLeader: null, quorumError: 'deadline' }]).marks).toEqual(['NO_QUORUM']);
  });

  it.each(['authorization', 'authentication', 'tls', 'dns', 'quota'] as const)(
    'a quorum that this agent cannot ask for by %s is its own misconfiguration, and hides no failure',
    (quorumError) => {
      const report = run([...up(3), { quorumLeader: null, quorumError }]);
      expect(report).toMatchObject({ state: 'DEGRADED', marks: ['MISCONFIGURED'], fields: { quorumLeader: null } });
      expect(report.fields.errorKinds).toEqual([quorumError]);
      expect(report.reasons[0]).toContain(quorumError);
      const stuck = times(3, { ...STUCK, quorumLeader: null, quorumError });
      expect(run([...up(3), ...stuck])).toMatchObject({ state: 'DOWN', kind: 'NO_SERVICE' });
    },
  );

  it('gray: less than half of the canaries of 30 s on at least half of the brokers', () => {
    const bad = { canaries: canaries('deadline', 'deadline', null) };
    const gray = run(Array.from({ length: 15 }, (_, i) => (i % 3 === 0 ? {} : bad)));
    expect(gray.marks).toContain('GRAY');
    const one = { canaries: canaries('deadline', null, null) };
    expect(run(times(15, one)).marks).not.toContain('GRAY');
    expect(run([...times(15, bad), ...up(16)]).marks).not.toContain('GRAY');
  });

  it.each<[string, Step]>([
    ['missing brokers', { brokers: brokers(null, null, 'refused') }],
    ['an offline partition', { hotStandby: { total: 6, offline: 1, underReplicated: 1, underMinIsr: 0 } }],
    ['a partition under min ISR', { hotStandby: { total: 6, offline: 0, underReplicated: 1, underMinIsr: 1 } }],
    ['one failing canary', { canaries: canaries(null, 7, null) }],
  ])('%s', (_name, step) => {
    expect(run([...up(2), step]).state).toBe('DEGRADED');
  });
});

describe('fields', () => {
  it('count each broker once, bootstrap addresses only while no broker is known', () => {
    const both = { brokers: [broker(null, null), ...brokers(null, null, null)] };
    expect(run([both]).fields.answeringBrokers).toBe(3);
    expect(run([{ brokers: [broker(null, null), broker(null, null)] }]).fields.answeringBrokers).toBe(2);
  });

  it('without a sample nothing is claimed', () => {
    expect(assess('a', INITIAL_HEALTH_MEMORY, 5, S)).toMatchObject({ state: 'ABSTAIN', lastAnsweredAgeMs: null });
  });
});
