import { metadataV12, type Connection } from '@platformatic/kafka';
import { KafkaCallError } from './kafka-error.js';

/** Which cluster some addresses are meant to lead to: an alias can be flipped, an address given to another machine. */
export interface ClusterIdentity {
  /** Null: it is the one that is meant, and the first that is ever met is; else why not, naming both ids. */
  objection(clusterId: string): string | null;
}

/**
 * Asked once per connection: behind one there is one broker as long as it stands. A broker that tells no id is believed.
 * @throws {KafkaCallError} of kind `other`, which is evidence neither of a failure nor of health.
 */
export async function requireCluster(
  connection: Connection,
  identity: ClusterIdentity,
  address: string,
): Promise<void> {
  const { clusterId } = await metadataV12.api.async(connection, [], false, false);
  const objection = clusterId === null || clusterId === undefined ? null : identity.objection(clusterId);
  if (objection !== null) throw new KafkaCallError(address, { kind: 'other', errorCode: null, detail: objection });
}
