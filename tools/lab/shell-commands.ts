import type { Lab } from './lab.js';
import type { LabClusterName, LabIdc, LabTarget } from './types.js';

export const shellHelp = `commands:
  status                          what runs, with pids
  addresses                       bootstrap servers and URLs per viewing IDC
  kill|freeze|thaw|stop|start T   T: idc a | cluster a | broker a 1 | connect a | postgres | etcd
  cut a b      heal a b           the link between two IDCs, both ways
  stats        reset              what passed the proxy, by viewer and target
  log broker-a1                   the end of a part's log
  quit                            takes everything down
`;

const actions = ['kill', 'freeze', 'thaw', 'stop', 'start'] as const;

/** Executes one line typed by a person; returns what to print, or undefined for `quit`. A line that makes no sense throws. */
export async function runShellLine(lab: Lab, line: string): Promise<string | undefined> {
  const [command = '', ...words] = line.trim().split(/\s+/);
  const action = actions.find((each) => each === command);
  if (action !== undefined) {
    const began = performance.now();
    await lab[action](parseTarget(words));
    return `${command} ${words.join(' ')}: done after ${((performance.now() - began) / 1000).toFixed(1)} s`;
  }
  switch (command) {
    case '':
      return '';
    case 'cut':
    case 'heal':
      await lab[command](parseIdc(words[0]), parseIdc(words[1]));
      return `${command} ${words.join(' ')}: done`;
    case 'status':
      return lab.status().join('\n');
    case 'addresses':
      return describeAddresses(lab);
    case 'stats':
      return JSON.stringify(await lab.proxyStats(), null, 2);
    case 'reset':
      await lab.resetProxyStats();
      return 'counters are zero';
    case 'log':
      return lab.logTail(words[0] ?? '', 30);
    case 'quit':
    case 'exit':
      return undefined;
    case 'help':
      return shellHelp;
    default:
      throw new Error(`no command ${command}; try help`);
  }
}

export function parseTarget(words: readonly string[]): LabTarget {
  const [kind = '', first, second] = words;
  switch (kind) {
    case 'idc':
      return { idc: parseIdc(first) };
    case 'cluster':
      return { cluster: parseCluster(first) };
    case 'connect':
      return { connect: parseCluster(first) };
    case 'broker':
      return { broker: [parseCluster(first), Number(second)] };
    case 'process':
      return { process: first ?? '' };
    case 'postgres':
      return { postgres: true };
    case 'etcd':
      return { etcd: true };
    default:
      throw new Error(`no target ${words.join(' ')}; one of: idc a, cluster a, broker a 1, connect a, postgres, etcd`);
  }
}

function parseIdc(word: string | undefined): LabIdc {
  if (word === 'a' || word === 'b' || word === 'c') return word;
  throw new Error(`no IDC ${word ?? ''}; one of a, b, c`);
}

function parseCluster(word: string | undefined): LabClusterName {
  if (word === 'a' || word === 'b') return word;
  throw new Error(`no cluster ${word ?? ''}; one of a, b`);
}

/** Where everything is, for each IDC that one may stand in. */
export async function describeAddresses(lab: Lab): Promise<string> {
  const lines: string[] = [];
  for (const viewer of lab.idcs) {
    lines.push(`seen from ${viewer}:`);
    for (const cluster of lab.clusterNames)
      lines.push(`  Kafka ${cluster}    ${lab.bootstrapServers(cluster, viewer).join(',')}`);
    for (const cluster of lab.connectNames) lines.push(`  Connect ${cluster}  ${lab.connectUrl(cluster, viewer)}`);
    if (lab.has('postgres')) lines.push(`  PostgreSQL ${await lab.postgresUrl(viewer)}`);
    if (lab.has('etcd')) lines.push(`  etcd       ${await lab.etcdUrl(viewer)}`);
  }
  return lines.join('\n');
}
