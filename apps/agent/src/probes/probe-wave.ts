import type { BrokerProbe, CanaryProbe } from '#health';
import type { Answer, ClusterLayout } from '#kafka';
import type { BrokerFinding } from './transport.probe.js';

/** What the first wave of one round brought. */
export type Wave = Readonly<{
  findings: readonly BrokerFinding[];
  strangers: readonly BrokerProbe[];
  metadata: ClusterLayout | null;
  quorum: Answer<number | null> | null;
  canaries: readonly CanaryProbe[];
}>;

export const valueOf = <T>(answer: Answer<T> | null | undefined): T | null => (answer?.ok ? answer.value : null);
export const asPair = (topic: string, value: number | null): readonly (readonly [string, number])[] =>
  value === null ? [] : [[topic, value]];

export function answeredBy(wave: Wave): ReadonlySet<string> {
  const probes = [...wave.findings.map((f) => f.probe), ...wave.strangers];
  return new Set(probes.filter((p) => p.error === null).map((p) => p.address));
}
