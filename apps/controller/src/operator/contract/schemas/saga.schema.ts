import { z } from 'zod';
import { SAGA_KINDS, SAGA_OUTCOMES } from '#failover';
import { answered, count, evidence, instant, ms } from '../shapes.js';

const outcome = z.enum(SAGA_OUTCOMES).nullable().meta({ description: 'null while it is open' });
const direction = z.enum(['do', 'undo']);
const stepEvent = z.enum(['intent', 'done', 'failed']);

const head = {
  id: z.string(),
  kind: z.enum(SAGA_KINDS),
  group: z.string(),
  source: z.string(),
  target: z.string(),
  row: z.int(),
  trigger: z.enum(['auto', 'operator']),
  fromEpoch: count(),
  epoch: count(),
  term: count(),
  openedAt: instant(),
  closedAt: instant().nullable(),
  outcome,
};

export const saga = answered(
  'Saga',
  z.strictObject({
    ...head,
    journal: z.array(
      z.strictObject({
        seq: count(),
        step: z.string(),
        direction,
        event: stepEvent,
        term: count(),
        at: instant(),
        deadlineMs: ms().nullable(),
        evidence: evidence(),
      }),
    ),
  }),
);

export const sagas = answered('Sagas', z.strictObject({ group: z.string(), sagas: z.array(saga) }));

export const sagaReport = answered(
  'SagaReport',
  z.strictObject({
    saga: z.strictObject(head),
    figures: evidence(),
    begun: evidence(),
    clients: evidence(),
    steps: z.array(
      z.strictObject({
        at: instant(),
        step: z.string(),
        direction,
        event: stepEvent,
        summary: z.string().nullable(),
      }),
    ),
    acts: z.array(
      z.strictObject({
        at: instant(),
        actor: z.string(),
        authenticated: z.string().nullable(),
        action: z.string(),
        reason: z.string(),
      }),
    ),
  }),
);

export const operation = answered(
  'Operation',
  z.strictObject({
    id: z.string(),
    kind: z
      .string()
      .meta({ description: `${SAGA_KINDS.join(', ')}, or an act that is done when it is answered: pause, mode …` }),
    group: z.string(),
    source: z.string().nullable().meta({ description: 'null: an act that moves nothing' }),
    target: z.string().nullable(),
    done: z.boolean(),
    outcome,
    reason: z.string().nullable(),
    openedAt: instant(),
    closedAt: instant().nullable(),
    steps: z.array(
      z.strictObject({
        seq: count(),
        step: z.string(),
        direction,
        event: stepEvent,
        at: instant(),
        summary: z.string().nullable(),
      }),
    ),
  }),
);

const edge = z.strictObject({ offset: count(), timestampMs: z.number(), key: z.string().nullable() }).nullable();

/** What a returned cluster alone holds, as it was surveyed. */
export const tail = answered(
  'Tail',
  z.strictObject({
    group: z.string(),
    state: z.enum(['awaiting-choice', 'rejoined']),
    cluster: z.string(),
    active: z.string(),
    switchEpoch: count(),
    at: instant(),
    seam: z.strictObject({
      partitions: count(),
      compared: count(),
      tailAtMost: count(),
      choices: z.array(z.enum(['accept', 'export', 'replay', 'rebuild'])),
      objections: z.array(z.string()),
    }),
    tail: z
      .strictObject({
        records: count(),
        bytes: count(),
        path: z.string(),
        agent: z.string(),
        loss: z.strictObject({
          counted: count(),
          estimated: count().nullable(),
          withinEstimate: z.boolean().nullable(),
          says: z.string(),
        }),
        partitions: z.array(
          z.strictObject({
            topic: z.string(),
            partition: count(),
            records: count(),
            bytes: count(),
            first: edge,
            last: edge,
          }),
        ),
      })
      .nullable()
      .meta({ description: 'null: not counted, because the seam is not proved' }),
  }),
);
