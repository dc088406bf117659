/** Receives one line per thing the set-up or the lab begins or ends; never called in a tight loop. */
export type Progress = (line: string) => void;

/** Progress goes to stderr: stdout belongs to the result (`--json` must stay parseable). */
export const progressToStderr: Progress = (line) => {
  process.stderr.write(`${line}\n`);
};
