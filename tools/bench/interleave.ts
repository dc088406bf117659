/**
 * Visits two sides in the order A B B A, `rounds` times over, after one visit to each that does not count: whatever
 * else the machine does in the meantime, and whatever warms up, meets both sides alike.
 */
export async function interleave<A, B>(
  a: () => Promise<A> | A,
  b: () => Promise<B> | B,
  rounds: number,
): Promise<Readonly<{ a: readonly A[]; b: readonly B[] }>> {
  await a();
  await b();
  const seen: { a: A[]; b: B[] } = { a: [], b: [] };
  for (let round = 0; round < rounds; round += 1) {
    seen.a.push(await a());
    seen.b.push(await b());
    seen.b.push(await b());
    seen.a.push(await a());
  }
  return seen;
}

/** CPU time that `work` takes in this process, user and system, in µs. */
export function cpuMicros(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
