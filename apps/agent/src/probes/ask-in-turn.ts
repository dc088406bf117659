import type { Ms } from '#health';
import { pause, type Address, type Answer } from '#kafka';

const MAX_TRIES = 3;

/**
 * Asks one broker; when it fails, or says nothing for a third of the deadline, the next one is asked as well. The first
 * answer wins, and the whole ends with the deadline: one frozen broker must not hide what the others know.
 */
export async function askInTurn<T>(
  candidates: readonly Address[],
  ask: (address: Address, deadlineMs: Ms) => Promise<Answer<T>>,
  deadlineMs: Ms,
): Promise<{ address: Address; answer: Answer<T> } | null> {
  const chosen = candidates.slice(0, MAX_TRIES);
  const patienceMs = deadlineMs / MAX_TRIES;
  const waits = new AbortController();
  const asked: Promise<{ address: Address; answer: Answer<T> }>[] = [];
  let winner: { address: Address; answer: Answer<T> } | null = null;
  for (const [i, address] of chosen.entries()) {
    const question = ask(address, deadlineMs - i * patienceMs).then((answer) => {
      if (answer.ok) winner ??= { address, answer };
      return { address, answer };
    });
    asked.push(question);
    const last = i === chosen.length - 1;
    await Promise.race([
      Promise.any(asked.map(onlyGood)).catch(() => null),
      ...(last ? [] : [pause(patienceMs, waits.signal)]),
    ]);
    if (winner) break;
  }
  waits.abort();
  if (winner) return winner;
  return (await Promise.all(asked)).find((a) => a.answer.ok) ?? (await asked[0]) ?? null;
}

async function onlyGood<T>(question: Promise<{ answer: Answer<T> }>): Promise<void> {
  const { answer } = await question;
  if (!answer.ok) throw new Error(answer.detail);
}
