import { z } from 'zod';

/** An address with its port, as configurations write it: `kafka-a1.example:9092`, `[::1]:8080`. */
export const hostPort = () => z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[0-9a-f:]+\]:\d{1,5}$/i, 'expected host:port');

/** Of an address that {@link hostPort} took; an IPv6 host comes without its brackets. */
export function splitHostPort(address: string): Readonly<{ host: string; port: number }> {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
