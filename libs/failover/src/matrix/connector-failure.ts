/** What Connect itself says of a connector, or of one of its tasks, that is FAILED. Connect starts neither again by itself. */
export type ConnectorFailure = Readonly<{
  connector: string;
  task: number | null; // null: the connector itself
  trace: string; // of Connect's own words the first line and the last cause, bounded
}>;

/** Told of one flow at most: a connector with a hundred tasks fails in all of them for one reason. */
export const MOST_FAILURES = 8;
/** Of one trace. */
export const TRACE_CHARACTERS = 400;

export const connectorFailureText = ({ connector, task, trace }: ConnectorFailure): string =>
  `${connector}${task === null ? '' : ` task ${task}`} failed: ${trace}`;
