/** A figure measured on the way, for the person who reads the test's output: vitest shows no more than pass or fail. */
export const figure = (text: string): void => {
  process.stdout.write(`      ${text}\n`);
};
