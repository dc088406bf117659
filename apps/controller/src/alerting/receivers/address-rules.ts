import { BlockList, isIP } from 'node:net';

/** Nothing of the open internet lives there: loopback, private, link-local (cloud metadata), shared, multicast, reserved. */
const CLOSED: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
];

const closed = new BlockList();
const loopback = new BlockList();
for (const [net, prefix] of CLOSED) closed.addSubnet(net, prefix, net.includes(':') ? 'ipv6' : 'ipv4');
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** `[::1]` in a URL, `::1` elsewhere; names without their last dot. */
export const bareHost = (host: string): string =>
  host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();

/**
 * May a receiver at `host` be at `address`? Closed addresses only if the host is allowed by name, or is itself written as
 * a loopback address (or `localhost`): that can only mean this machine.
 */
export function mayConnect(host: string, address: string, allowed: readonly string[]): boolean {
  const name = bareHost(host);
  if (!closed.check(address, family(address))) return true;
  if (allowed.some((each) => bareHost(each) === name)) return true;
  const saysLoopback = name === 'localhost' || (isIP(name) !== 0 && loopback.check(name, family(name)));
  return saysLoopback && loopback.check(address, family(address));
}

/** Null: fine, or only to be told after the name was resolved. Else what is wrong with a URL written like that. */
export function refusedUrl(url: string, allowed: readonly string[]): string | null {
  const { hostname, protocol } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return `expected http or https, got ${protocol.slice(0, -1)}`;
  const host = bareHost(hostname);
  if (isIP(host) === 0 || mayConnect(host, host, allowed)) return null;
  return `${host} is a private or link-local address: name it in alerts.allowPrivate if that is meant`;
}
