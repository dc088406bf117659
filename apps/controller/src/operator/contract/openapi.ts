import { z } from 'zod';
import { problemExample } from './examples/problem.example.js';
import { parametersOf } from './openapi-parameters.js';
import { problemsOf } from './problems-of.js';
import { PROBLEM_CODES, PROBLEMS, type ProblemCode } from './problem-codes.js';
import type { Answer, Route } from './route.js';
import { ALL_ROUTES } from './routes.js';
import { problem } from './schemas/problem.schema.js';
import { answerShapes, requestShapes } from './shapes.js';

type Members = Record<string, unknown>;

/** Of the API, not of the program: it rises with the contract. */
const API_VERSION = '1.0.0';
const DESCRIPTION =
  'Reads are answered by every controller from what it knows itself; a write goes to the leader. ' +
  'docs/api.md tells it in words.';

/** The contract as OpenAPI 3.1, made of the table of routes alone; the same text at every call. */
export function openApiDocument(): Members {
  const paths: Record<string, Members> = {};
  for (const route of ALL_ROUTES) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Pointsman',
      version: API_VERSION,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'the controller that serves this document' }],
    tags: [...new Set(ALL_ROUTES.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description:
            'The token of the configuration file (an admin), one made by `pointsman token create`, or a JWT of the issuer that the configuration trusts.',
        },
      },
      examples: problemExamples(),
      responses: problemResponses(),
      headers: { 'X-Request-Id': header('The id of this request, in the log of the controller too') },
      schemas: { ...schemasOf(requestShapes, 'input'), ...schemasOf(answerShapes, 'output') },
    },
  };
}

function operationOf(route: Route): Members {
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.says,
    ...(route.role === null ? { security: [] } : { security: [{ bearer: [] }], 'x-role': route.role }),
    ...(route.kind === 'read' ? {} : { description: 'Done by the leader; a standby answers 421 and names it.' }),
    parameters: parametersOf(route),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: json(route.body) } }),
    responses: { ...goodAnswers(route), ...problemAnswers(route) },
  };
}

function goodAnswers(route: Route): Members {
  const responses: Record<string, Members> = {};
  for (const { status } of route.answers) {
    const same = route.answers.filter((answer) => answer.status === status);
    responses[String(status)] = {
      description: same.map(({ says }) => says).join('; or '),
      headers: { ...REQUEST_ID, ...headersOf(same) },
      content: Object.assign({}, ...same.map(contentOf)) as Members,
    };
  }
  return responses;
}

const contentOf = (answer: Answer): Members =>
  answer.media === undefined
    ? json({ schema: answer.schema, example: answer.example })
    : { [answer.media]: { schema: { type: 'string' }, example: answer.example } };

/** Answers with the same problems are one component, named by their codes. */
const responseName = (codes: readonly ProblemCode[]): string => codes.join('.');

const problemAnswers = (route: Route): Members =>
  Object.fromEntries(
    [...problemsOf(route)].map(([status, codes]) => [
      String(status),
      { $ref: `#/components/responses/${responseName(codes)}` },
    ]),
  );

function problemResponses(): Members {
  const all = ALL_ROUTES.flatMap((route) => [...problemsOf(route)]);
  return Object.fromEntries(all.map(([status, codes]) => [responseName(codes), problemResponse(status, codes)]));
}

const problemResponse = (status: number, codes: readonly ProblemCode[]): Members => ({
  description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].todo}`).join('\n\n'),
  headers: { ...REQUEST_ID, ...(RETRIED.has(status) ? RETRY_AFTER : {}), ...(status === 401 ? CHALLENGE : {}) },
  content: {
    'application/problem+json': {
      schema: refTo(answerShapes, problem),
      examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
    },
  },
});

const problemExamples = (): Members =>
  Object.fromEntries(PROBLEM_CODES.map((code) => [code, { value: problemExample(code) }]));

const header = (description: string, schema: Members = { type: 'string' }): Members => ({ description, schema });
const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } };
/** What passes by itself. */
const RETRIED = new Set([429, 503]);
const RETRY_AFTER = { 'Retry-After': header('seconds', { type: 'integer', minimum: 0 }) };
const CHALLENGE = { 'WWW-Authenticate': header('`Bearer`, and what is wrong with the token') };

const headersOf = (answers: readonly Answer[]): Members =>
  Object.fromEntries(
    answers.flatMap(({ headers }) => Object.entries(headers ?? {}).map(([name, says]) => [name, header(says)])),
  );

function json({ schema, example }: Readonly<{ schema?: z.ZodType | undefined; example: unknown }>): Members {
  const shown =
    schema === undefined ? { type: 'object' } : (refTo(requestShapes, schema) ?? refTo(answerShapes, schema));
  if (shown === null) throw new Error('a body of the table of routes has no name: make it with asked() or answered()');
  return { 'application/json': { schema: shown, example } };
}

const refTo = (shapes: typeof answerShapes, schema: z.ZodType): Members | null => {
  const named = shapes.get(schema);
  return named === undefined ? null : { $ref: `#/components/schemas/${named.id}` };
};

/** A caller may send only what is known; what is answered may grow, so clients must not refuse what they do not know. */
function schemasOf(shapes: typeof answerShapes, io: 'input' | 'output'): Members {
  const { schemas } = z.toJSONSchema(shapes, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      // What `format` and `type` say already, at length.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return Object.fromEntries(
    Object.entries(schemas)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { $schema: _schema, $id: _id, id: _name, ...schema }]) => [id, schema]),
  );
}
