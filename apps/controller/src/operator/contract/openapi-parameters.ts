import type { IntParam, Route, RouteKind, TextParam } from './route.js';

type Members = Record<string, unknown>;

const PATH_PARAMS: Readonly<Record<string, Readonly<{ says: string; example: string }>>> = {
  group: { says: 'name of a failover group', example: 'orders' },
  id: { says: 'as it was answered before', example: '01936e0a-0000-7000-8000-000000000001' },
};

const KEY: Members = {
  name: 'Idempotency-Key',
  in: 'header',
  required: true,
  description: 'One per intended act. The same key and body: the same answer, and the act is done once',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[!-~]+$' },
  example: '7d1f6a0e',
};
const EPOCH: Members = {
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The epoch of the group as the caller has last seen it, quoted',
  schema: { type: 'string', pattern: '^"[0-9]{1,15}"$' },
  example: '"7"',
};

const HEADERS: Readonly<Record<RouteKind, readonly Members[]>> = {
  read: [],
  'keyed-write': [KEY],
  'epoch-write': [KEY, EPOCH],
};

/** Path, query and headers of a route, as OpenAPI writes them. */
export function parametersOf(route: Route): readonly Members[] {
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const known = PATH_PARAMS[name];
    if (known === undefined) throw new Error(`path parameter ${name} of ${route.path} is not described`);
    const { says, example } = known;
    return { name, in: 'path', required: true, description: says, schema: { type: 'string', minLength: 1 }, example };
  });
  const inQuery = Object.entries(route.query ?? {}).map(([name, param]) => parameter('query', name, param));
  const inHeaders = Object.entries(route.headers ?? {}).map(([name, param]) => parameter('header', name, param));
  return [...inPath, ...inQuery, ...inHeaders, ...HEADERS[route.kind]];
}

function parameter(where: 'query' | 'header', name: string, param: IntParam | TextParam): Members {
  const common = { name, in: where, description: param.says };
  if ('min' in param) {
    const { min, max, fallback, noDefault } = param;
    const shown = noDefault === true ? {} : { default: fallback };
    return { ...common, schema: { type: 'integer', minimum: min, maximum: max, ...shown } };
  }
  const { oneOf, example, required } = param;
  return {
    ...common,
    ...(required === true ? { required } : {}),
    schema: { type: 'string', ...(oneOf === undefined ? {} : { enum: oneOf }) },
    ...(example === undefined ? {} : { example }),
  };
}
