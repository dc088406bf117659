import { type Answers, type Host, hostOf, listOf } from './questions.js';

export type ConfigText = Readonly<{ name: string; text: string }>;

/** JSON is YAML: whatever was typed is one scalar. */
const q = (text: string): string => JSON.stringify(text);
const list = (items: readonly string[]): string => `[${items.map(q).join(', ')}]`;

type Site = Readonly<{ idc: string; host: Host }>;

/**
 * A controller and an agent for each of the three IDCs; what must be equal on all controllers is written once. Throws for an
 * answer that {@link hostOf} does not understand.
 */
export function configTexts(answers: Answers): readonly ConfigText[] {
  const idcs = listOf(answers.idcs);
  const hosts = listOf(answers.hosts);
  const sites = idcs.map((idc, i): Site => {
    const host = hostOf(hosts[i] ?? '');
    if (host === null) throw new Error(`the host of ${idc} is "${hosts[i] ?? ''}"`);
    return { idc, host };
  });
  const shared = sharedPart(answers, idcs);
  return sites.flatMap((site) => [
    { name: `controller-${site.idc}.yaml`, text: controllerText(site, idcs, answers, shared) },
    { name: `agent-${site.idc}.yaml`, text: agentText(site, sites, answers) },
  ]);
}

/** A file in a folder of the configuration, as a scalar. */
const inEtc = ({ configDir }: Answers, file: string): string => q(`${configDir}/${file}`);
const inState = ({ stateDir }: Answers, of: string): string => q(`${stateDir}/${of}`);

const controllerText = ({ idc, host }: Site, idcs: readonly string[], answers: Answers, shared: string): string =>
  `# The controller of ${idc}. Check it: pointsman config check controller-${idc}.yaml
kind: Controller
controller: { id: ${q(`ctl-${idc}`)}, idc: ${q(idc)}, dataDir: ${inState(answers, `ctl-${idc}`)} }
http:
  listen: ${q(`0.0.0.0:${host.httpPort}`)}
  advertise: ${q(`https://${host.name}:${host.httpPort}`)} # what the other controllers and the CLI reach it by
  tokenFile: ${inEtc(answers, 'secrets/api.token')} # the first admin's; others: pointsman token create
  tls: { certFile: ${inEtc(answers, `tls/http-${idc}.pem`)}, keyFile: ${inEtc(answers, `tls/http-${idc}.key`)} } # new files are taken over while it runs
grpc:
  listen: ${q(`0.0.0.0:${host.grpcPort}`)}
  tls: ${mutualTls(answers, `ctl-${idc}`)}
store:
  type: postgres
  urlFile: ${inEtc(answers, 'secrets/store.url')} # postgres://user:password@host:5432/pointsman
  # The IDCs whose loss the store outlives, as you declare it. Without the active one in it nothing is ever moved.
  survives: ${list(idcs)}
  retention: 90d # of events and alerts; the audit stays for ever
lease: { ttl: 10s, renewDeadline: 6s, retry: 2s }

${shared}`;

function sharedPart(answers: Answers, idcs: readonly string[]): string {
  const [active = '', standby = ''] = idcs;
  const flow = (from: string, to: string): string =>
    `{ from: ${q(from)}, to: ${q(to)}, naming: identity, connectors: { source: ${q(`${from}-${to}-src`)}, checkpoint: ${q(`${from}-${to}-cp`)}, heartbeat: ${q(`${from}-${to}-hb`)} } }`;
  return `# From here on the file is equal on all controllers: while they differ, nothing is moved (CONFIG_DRIFT).
clusters:
  - { name: ${q(active)}, idc: ${q(active)}, bootstrapServers: ${list(listOf(answers.kafka))} }
  - { name: ${q(standby)}, idc: ${q(standby)}, bootstrapServers: ${list(listOf(answers.standbyKafka))} }
observers: # one agent in each IDC; the last has no Kafka and is the witness
${idcs.map((idc) => `  - { agent: ${q(`agent-${idc}`)}, idc: ${q(idc)} }`).join('\n')}
configCenters: # what clients read; survives: as of the store
  - ${centerText(answers, idcs)}
groups:
  - name: ${q(answers.group)}
    clusters: ${list([active, standby])} # rank; the first is active at the beginning
    mode: observe # computes and tells; nothing is moved before you write auto
    topics: ${list(listOf(answers.topics))} # names, or a prefix with a trailing *
    consumerGroups: ${list(listOf(answers.consumerGroups))}
    flows: # MirrorMaker 2's connectors, each on the worker beside its target; the idle direction STOPPED
      - ${flow(active, standby)}
      - ${flow(standby, active)}
    publishTo: [main]
    policy:
      # Above this a failover is held and a person is paged: what you are ready to lose.
      maxRpo: { records: ${answers.maxLoss}, duration: ${q(answers.maxLag)} }
# Add receivers of alerts: docs/alerts.md
`;
}

const centerText = (answers: Answers, idcs: readonly string[]): string =>
  answers.etcd === ''
    ? `{ name: main, type: sql, urlFile: ${inEtc(answers, 'secrets/store.url')}, survives: ${list(idcs)} }`
    : `{ name: main, type: etcd, endpoints: ${list(listOf(answers.etcd))}, survives: ${list(idcs)} }`;

const mutualTls = (answers: Answers, id: string): string =>
  `{ caFile: ${inEtc(answers, 'tls/ca.pem')}, certFile: ${inEtc(answers, `tls/${id}.pem`)}, keyFile: ${inEtc(answers, `tls/${id}.key`)} }`;

function agentText({ idc, host }: Site, sites: readonly Site[], answers: Answers): string {
  const [active, standby] = sites.map((s) => s.idc);
  const elsewhere = sites.filter((s) => s.idc !== idc);
  const cluster = (name = '', servers: string, connect: string): string =>
    `  - name: ${q(name)}
    bootstrapServers: ${list(listOf(servers))}
    security: { protocol: PLAINTEXT } # SASL and TLS: examples/agent-sasl.yaml
${idc === active || idc === standby ? `    connectUrl: ${q(connect)} # the worker whose own cluster this is\n` : ''}`;
  return `# The agent of ${idc}. Check it: pointsman config check agent-${idc}.yaml
kind: Agent
agent: { id: ${q(`agent-${idc}`)}, idc: ${q(idc)}, dataDir: ${inState(answers, `agent-${idc}`)} } # keep dataDir: it remembers fences
controllers: ${list(sites.map((s) => `${s.host.name}:${s.host.grpcPort}`))} # every one, not one address for all
tls: ${mutualTls(answers, `agent-${idc}`)} # common name agent-${idc}
http: { listen: 127.0.0.1:${host.metricsPort} } # /metrics, /healthz, /readyz
probe: { period: 2s, timeout: 2s, failures: 3 }
referenceTargets: # what answers TCP in the other IDCs and is no Kafka: tells "they are gone" from "I am cut off"
${elsewhere.map((s) => `  - { idc: ${q(s.idc)}, address: ${q(`${s.host.name}:${s.host.httpPort}`)} }`).join('\n')}
clusters: # credentials live only here
${cluster(active, answers.kafka, answers.connect)}${cluster(standby, answers.standbyKafka, answers.standbyConnect)}`;
}
