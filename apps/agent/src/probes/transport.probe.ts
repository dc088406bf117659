import type { BrokerProbe, Ms } from '#health';
import type { Address, Answer, BrokerNode, ClusterEyes, OffsetList, PartitionSet } from '#kafka';

export type BrokerFinding = Readonly<{ probe: BrokerProbe; offsets: OffsetList | null }>;

/**
 * One request to one broker: the end offsets of what it led last, else ApiVersions. Either proves that the process
 * behind the socket lives, which an accepted connection does not (a frozen process accepts).
 */
export async function probeBroker(
  eyes: ClusterEyes,
  broker: BrokerNode,
  part: PartitionSet | undefined,
  deadlineMs: Ms,
): Promise<BrokerFinding> {
  if (part === undefined || part.size === 0) {
    return {
      probe: toProbe(broker.address, broker.id, await eyes.apiVersions(broker.address, deadlineMs)),
      offsets: null,
    };
  }
  const answer = await eyes.offsets(broker.address, part, 'end', deadlineMs);
  return { probe: toProbe(broker.address, broker.id, answer), offsets: answer.ok ? answer.value : null };
}

export async function probeStranger(eyes: ClusterEyes, address: Address, deadlineMs: Ms): Promise<BrokerProbe> {
  return toProbe(address, null, await eyes.apiVersions(address, deadlineMs));
}

export function toProbe(address: Address, brokerId: number | null, answer: Answer<unknown>): BrokerProbe {
  if (answer.ok) return { address, brokerId, error: null, latencyMs: answer.latencyMs };
  // An error code is an answer: the broker lives. Only silence and refusal are transport's findings.
  const answered = answer.kind === 'broker';
  return { address, brokerId, error: answered ? null : answer.kind, latencyMs: answered ? answer.latencyMs : null };
}
