import type { Finding, Sides } from './types.js';

export const CHECKPOINTS_EVERY_S = 'emit.checkpoints.interval.seconds';

/**
 * Settings of MirrorMaker that decide how long things take. `of`: the connector that reads the key; `fallback`: what
 * MirrorMaker takes when the key is missing; `from`: the first value that is said.
 */
const INTERVALS = [
  {
    key: 'refresh.topics.interval.seconds',
    of: 'source',
    fallback: 600,
    from: 61,
    wanted: '5',
    why: 'new topics are not copied for so many seconds',
  },
  {
    key: 'refresh.groups.interval.seconds',
    of: 'checkpoint',
    fallback: 600,
    from: 61,
    wanted: '5',
    why: 'new consumer groups have no position for so many seconds',
  },
  {
    key: CHECKPOINTS_EVERY_S,
    of: 'checkpoint',
    fallback: 60,
    from: 31,
    wanted: '1',
    why: 'positions on the standby are so many seconds old',
  },
  // A stop waits for these while the source is dead: 41 s with the defaults, about 1 s with the wanted ones (measured).
  ...(
    [
      ['source.admin.request.timeout.ms', 30_000, '2000'],
      ['source.admin.default.api.timeout.ms', 60_000, '3000'],
      ['source.consumer.request.timeout.ms', 30_000, '2500'],
      ['source.consumer.default.api.timeout.ms', 60_000, '3000'],
    ] as const
  ).map(([key, fallback, wanted]) => ({
    key,
    of: 'source' as const,
    fallback,
    from: 10_001,
    wanted,
    why: 'the flow stops so much later when its source is dead',
  })),
] as const;

const SYNCS_LOCATION = 'offset-syncs.topic.location';
const MAX_REQUEST = 'producer.override.max.request.size';
const KAFKAS_MAX_REQUEST = 1_048_576;
/** A topic that nobody has set takes 12 bytes more than a producer that nobody has set sends. */
const UNSET_SLACK = 12;

/** What an agent sends of a flow's connectors: never all, for a configuration holds passwords. */
export const JUDGED_KEYS: Readonly<Record<'source' | 'checkpoint', readonly string[]>> = {
  source: [...INTERVALS.filter((r) => r.of === 'source').map((r) => r.key), SYNCS_LOCATION, MAX_REQUEST],
  checkpoint: INTERVALS.filter((r) => r.of === 'checkpoint').map((r) => r.key),
};

export function connectorLines(sides: Sides): readonly Finding[] {
  const config = sides.forwardSettings?.connectorConfig;
  if (config === undefined)
    return [
      {
        level: 'unknown',
        what: 'intervals and time-outs of the connectors were not read',
        fix: 'give an agent connectUrl',
      },
    ];
  const lines = [...intervalLines(config), ...syncsLines(config), ...sizeLines(config, sides)];
  return lines.length === 0 ? [{ level: 'ok', what: 'intervals and time-outs of the connectors are short' }] : lines;
}

/** What is younger than this is not missing yet. */
export function refreshText(sides: Sides, of: 'topics' | 'groups'): string {
  const config = sides.forwardSettings?.connectorConfig;
  const interval = config === undefined ? 'an unknown time' : `${config[`refresh.${of}.interval.seconds`] ?? '600'} s`;
  return `a new one is taken in within ${interval} (refresh.${of}.interval.seconds)`;
}

const intervalLines = (config: Readonly<Record<string, string>>): readonly Finding[] =>
  INTERVALS.flatMap(({ key, wanted, fallback, from, why }): readonly Finding[] => {
    const said = config[key];
    const value = said === undefined ? fallback : Number(said);
    if (value < from) return [];
    const what = `${key} is ${value}${said === undefined ? ' (default)' : ''}: ${why}`;
    return [{ level: 'warn', what, fix: `${key}=${wanted}` }];
  });

const syncsLines = (config: Readonly<Record<string, string>>): readonly Finding[] =>
  config[SYNCS_LOCATION] === 'target'
    ? []
    : [
        {
          level: 'warn',
          what: 'offset syncs lie on the source: they die with it, and agents must have read them before',
          fix: `${SYNCS_LOCATION}=target on source and checkpoint connector`,
        },
      ];

/** A record that the topic takes and MirrorMaker's producer does not send ends the task. */
function sizeLines(config: Readonly<Record<string, string>>, sides: Sides): readonly Finding[] {
  const limit = Number(config[MAX_REQUEST] ?? KAFKAS_MAX_REQUEST);
  const larger = (sides.settings(sides.active)?.topics ?? []).filter(
    (t) => t.maxMessageBytes !== null && t.maxMessageBytes > limit + UNSET_SLACK,
  );
  const first = larger[0];
  if (first === undefined) return [];
  return [
    {
      level: 'warn',
      what: `${first.topic} takes records of ${first.maxMessageBytes} bytes, MirrorMaker's producer sends ${limit} (${larger.length} topics)`,
      fix: `${MAX_REQUEST}=${first.maxMessageBytes}, unless the worker's own producer settings allow it`,
    },
  ];
}
