import { PLAINTEXT, PlatformaticEyes } from '#kafka';
import { type Lab, type LabClusterName, waitFor } from '#lab';

/** What is true on the clusters and workers, asked past the proxy and past Pointsman. */

const DEADLINE_MS = 5_000;
const TOPIC_RESOURCE = 2;

export type ConnectorState = Readonly<{ state: string; tasks: readonly string[] }>;

/** A connector's state from the worker beside `worker`, e.g. `{state: 'STOPPED', tasks: []}`. */
export async function connectorState(lab: Lab, worker: LabClusterName, connector: string): Promise<ConnectorState> {
  const response = await fetch(`${lab.directConnectUrl(worker)}/connectors/${connector}/status`, {
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (!response.ok) throw new Error(`${connector} on ${worker}: ${response.status} ${await response.text()}`);
  const status = (await response.json()) as {
    readonly connector: { readonly state: string };
    readonly tasks: readonly { readonly state: string }[];
  };
  return { state: status.connector.state, tasks: status.tasks.map((task) => task.state) };
}

/** A connector's configuration on the worker beside `worker`; with `changes` it is replaced by itself and these. */
export async function connectorConfig(
  lab: Lab,
  worker: LabClusterName,
  connector: string,
  changes: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, string>>> {
  const url = `${lab.directConnectUrl(worker)}/connectors/${connector}/config`;
  const config = (await answered(await fetch(url, { signal: AbortSignal.timeout(DEADLINE_MS) }))) as Record<
    string,
    string
  >;
  if (Object.keys(changes).length > 0) {
    const [headers, body] = [{ 'content-type': 'application/json' }, JSON.stringify({ ...config, ...changes })];
    await answered(await fetch(url, { method: 'PUT', headers, body, signal: AbortSignal.timeout(DEADLINE_MS) }));
  }
  return config;
}

/** What a person does with a connector whose tasks have failed. */
export async function restartConnector(lab: Lab, worker: LabClusterName, connector: string): Promise<void> {
  const path = `/connectors/${connector}/restart?includeTasks=true&onlyFailed=true`;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  await answered(await fetch(`${lab.directConnectUrl(worker)}${path}`, { method: 'POST', signal }));
}

async function answered(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** State of the connectors that copy records and offsets of a flow, on the worker of its target. */
export async function flowStates(lab: Lab, from: LabClusterName, to: LabClusterName): Promise<string[]> {
  const names = [`${from}-${to}-src`, `${from}-${to}-cp`];
  return Promise.all(names.map(async (name) => (await connectorState(lab, to, name)).state));
}

/** Whether the topic carries Pointsman's fence of clusters without an authorizer. */
export async function isFenced(lab: Lab, cluster: LabClusterName, topic: string): Promise<boolean> {
  const admin = lab.kafka(cluster).admin();
  await admin.connect();
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: TOPIC_RESOURCE, name: topic, configNames: ['max.message.bytes'] }],
    });
    return resources[0]?.configEntries.find((e) => e.configName === 'max.message.bytes')?.configValue === '1';
  } finally {
    await admin.disconnect();
  }
}

/** The node id of the quorum's leader, which metadata does not tell: in KRaft a broker names any controller there. */
export async function quorumLeader(lab: Lab, cluster: LabClusterName): Promise<number> {
  const bootstrapServers = lab.directBootstrapServers(cluster);
  const eyes = new PlatformaticEyes({ clientId: 'e2e', bootstrapServers, security: PLAINTEXT });
  try {
    return await waitFor(
      `cluster ${cluster} names its quorum leader`,
      async () => {
        const answers = await Promise.all(bootstrapServers.map((address) => eyes.quorumLeader(address, DEADLINE_MS)));
        return answers.flatMap((a) => (a.ok && a.value !== null ? [a.value] : []))[0];
      },
      { timeoutMs: 20_000 },
    );
  } finally {
    eyes.close();
  }
}
