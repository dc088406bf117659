import type { PathsWithMethod, SuccessResponse } from 'openapi-typescript-helpers';
import type { ApiClient } from './client.js';
import type { paths } from './generated/openapi.js';

/** What was answered: typed by the document, and the very text of it for `-o json`. */
export type Reply<B> = Readonly<{ text: string; body: B }>;

type Operation<P extends keyof paths, M extends 'get' | 'post'> = paths[P][M];
type ParametersOf<O, In extends string> = O extends { readonly parameters: { readonly [K in In]: infer A } }
  ? A
  : object;
type QueryOf<O> = O extends { readonly parameters: { readonly query?: infer Q } } ? NonNullable<Q> : object;
type BodyOf<O> = O extends { readonly requestBody: { readonly content: { readonly 'application/json': infer B } } }
  ? B
  : undefined;
type AnswerOf<O> = O extends { readonly responses: infer R extends Record<number, unknown> }
  ? SuccessResponse<R, 'application/json'>
  : never;
/** The headers that make an act happen once, and on what the caller has seen. */
type Guards<O> = Readonly<
  (ParametersOf<O, 'header'> extends { readonly 'Idempotency-Key': string } ? { key: string } : object) &
    (ParametersOf<O, 'header'> extends { readonly 'If-Match': string } ? { epoch: number } : object)
>;

type ReadPath = PathsWithMethod<paths, 'get'>;
type WritePath = PathsWithMethod<paths, 'post'>;
type Asked<O> = Readonly<{ path?: ParametersOf<O, 'path'>; query?: QueryOf<O> }>;
type Told<O> = Readonly<{ path?: ParametersOf<O, 'path'>; body: BodyOf<O> }> & Guards<O>;

/** One read, as docs/openapi.json describes it. */
export async function read<P extends ReadPath>(
  client: ApiClient,
  path: P,
  { path: inPath, query }: Asked<Operation<P, 'get'>> = {},
): Promise<Reply<AnswerOf<Operation<P, 'get'>>>> {
  return reply(await client.get(`${filled(path, inPath)}${queryText(query)}`));
}

/** One write, as docs/openapi.json describes it. */
export async function tell<P extends WritePath>(
  client: ApiClient,
  path: P,
  told: Told<Operation<P, 'post'>>,
): Promise<Reply<AnswerOf<Operation<P, 'post'>>>> {
  const key = 'key' in told && typeof told.key === 'string' ? { key: told.key } : {};
  const epoch = 'epoch' in told && typeof told.epoch === 'number' ? told.epoch : null;
  return reply(await client.write({ path: filled(path, told.path), body: told.body ?? {}, epoch, ...key }));
}

const reply = <B>(text: string): Reply<B> => ({ text, body: JSON.parse(text) as B });

function filled(template: string, values: object = {}): string {
  const known: Readonly<Record<string, string>> = { ...values };
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(known[name] ?? ''));
}

function queryText(query: object = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  return params.size === 0 ? '' : `?${params.toString()}`;
}
