import { type Answers, listOf } from './questions.js';

export type ConfigText = Readonly<{ name: string; text: string }>;

/** JSON is YAML: whatever was typed is one scalar. */
const q = (text: string): string => JSON.stringify(text);
const list = (items: readonly string[]): string => `[${items.map(q).join(', ')}]`;

const HTTP_PORT = 8080;
const GRPC_PORT = 9090;
const ETC = '/etc/pointsman';

type Site = Readonly<{ idc: string; host: string }>;

/** A controller and an agent for each of the three IDCs; what must be equal on all controllers is written once. */
export function configTexts(answers: Answers): readonly ConfigText[] {
  const idcs = listOf(answers.idcs);
  const hosts = listOf(answers.hosts);
  const sites = idcs.map((idc, i): Site => ({ idc, host: hosts[i] ?? '' }));
  const shared = sharedPart(answers, idcs);
  return sites.flatMap((site) => [
    { name: `controller-${site.idc}.yaml`, text: controllerText(site, idcs, shared) },
    { name: `agent-${site.idc}.yaml`, text: agentText(site, sites, answers) },
  ]);
}

const controllerText = ({ idc, host }: Site, idcs: readonly string[], shared: string): string =>
  `# The controller of ${idc}. Check it: pointsman config check controller-${idc}.yaml
kind: Controller
controller: { id: ${q(`ctl-${idc}`)}, idc: ${q(idc)}, dataDir: ${q(`/var/lib/pointsman/ctl-${idc}`)} }
http:
  listen: ${q(`0.0.0.0:${HTTP_PORT}`)}
  advertise: ${q(`https://${host}:${HTTP_PORT}`)} # what the other controllers and the CLI reach it by
  tokenFile: ${ETC}/secrets/api.token # the first admin's; others: pointsman token create
  tls: { certFile: ${ETC}/tls/http.pem, keyFile: ${ETC}/tls/http.key } # new files are taken over while it runs
grpc:
  listen: ${q(`0.0.0.0:${GRPC_PORT}`)}
  tls: { caFile: ${ETC}/tls/ca.pem, certFile: ${ETC}/tls/grpc.pem, keyFile: ${ETC}/tls/grpc.key }
store:
  type: postgres
  urlFile: ${ETC}/secrets/store.url # postgres://user:password@host:5432/pointsman
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

const centerText = ({ etcd }: Answers, idcs: readonly string[]): string =>
  etcd === ''
    ? `{ name: main, type: sql, urlFile: ${ETC}/secrets/store.url, survives: ${list(idcs)} }`
    : `{ name: main, type: etcd, endpoints: ${list(listOf(etcd))}, survives: ${list(idcs)} }`;

function agentText({ idc }: Site, sites: readonly Site[], answers: Answers): string {
  const [active, standby] = sites.map((s) => s.idc);
  const elsewhere = sites.filter((s) => s.idc !== idc);
  const cluster = (name = '', servers: string, connect: string): string =>
    `  - name: ${q(name)}
    bootstrapServers: ${list(listOf(servers))}
    security: { protocol: PLAINTEXT } # SASL and TLS: examples/agent-sasl.yaml
${idc === active || idc === standby ? `    connectUrl: ${q(connect)} # the worker whose own cluster this is\n` : ''}`;
  return `# The agent of ${idc}. Check it: pointsman config check agent-${idc}.yaml
kind: Agent
agent: { id: ${q(`agent-${idc}`)}, idc: ${q(idc)}, dataDir: ${q(`/var/lib/pointsman/agent-${idc}`)} } # keep dataDir: it remembers fences
controllers: ${list(sites.map((s) => `${s.host}:${GRPC_PORT}`))} # every one, not one address for all
tls: { caFile: ${ETC}/tls/ca.pem, certFile: ${ETC}/tls/agent.pem, keyFile: ${ETC}/tls/agent.key } # common name agent-${idc}
http: { listen: 127.0.0.1:9464 } # /metrics, /healthz, /readyz
probe: { period: 2s, timeout: 2s, failures: 3 }
referenceTargets: # what answers TCP in the other IDCs and is no Kafka: tells "they are gone" from "I am cut off"
${elsewhere.map((s) => `  - { idc: ${q(s.idc)}, address: ${q(`${s.host}:${HTTP_PORT}`)} }`).join('\n')}
clusters: # credentials live only here
${cluster(active, answers.kafka, answers.connect)}${cluster(standby, answers.standbyKafka, answers.standbyConnect)}`;
}
