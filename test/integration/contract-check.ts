import type { NextFunction, Request, Response } from 'express';
import { problemsOf } from '../../apps/controller/src/operator/contract/problems-of.js';
import type { Route } from '../../apps/controller/src/operator/contract/route.js';
import { ALL_ROUTES } from '../../apps/controller/src/operator/contract/routes.js';
import { problem } from '../../apps/controller/src/operator/contract/schemas/problem.schema.js';

/** Holds every answer of an application to the table of routes: status, media type, and each member of its body. */
export class ContractCheck {
  readonly violations: string[] = [];

  /** Express middleware, before everything else. */
  readonly watch = (req: Request, res: Response, next: NextFunction): void => {
    const send = res.send.bind(res);
    let sent: unknown;
    res.send = (body?: unknown) => {
      sent = body;
      return send(body);
    };
    res.once('finish', () => {
      const path = (req.route as Readonly<{ path: string }> | undefined)?.path;
      const route = ALL_ROUTES.find((each) => each.method === req.method && each.path === path);
      if (route === undefined) return;
      const media = (res.getHeader('content-type')?.toString() ?? '').split(';')[0] ?? '';
      const wrong = contractBreach(route, { status: res.statusCode, media, body: sent });
      if (wrong !== null) this.violations.push(`${route.method} ${req.originalUrl} ${res.statusCode}: ${wrong}`);
      if ([429, 503].includes(res.statusCode) && media === 'application/problem+json' && !res.hasHeader('retry-after'))
        this.violations.push(`${req.originalUrl} ${res.statusCode}: no Retry-After`);
      if (!res.hasHeader('x-request-id')) this.violations.push(`${req.originalUrl}: no X-Request-Id`);
    });
    next();
  };
}

/** What an answer has that the table does not say; null: nothing. */
export function contractBreach(
  route: Route,
  { status, media, body }: Readonly<{ status: number; media: string; body: unknown }>,
): string | null {
  if (media === 'application/problem+json') {
    const parsed = problem.safeParse(parsedJson(body));
    if (!parsed.success) return String(parsed.error);
    const { code } = parsed.data;
    return problemsOf(route).get(status)?.includes(code) === true ? null : `${code} is not a documented problem`;
  }
  const answer = route.answers.find((each) => each.status === status && (each.media ?? 'application/json') === media);
  if (answer === undefined) return `no answer of ${media} is documented`;
  const parsed = answer.schema?.safeParse(parsedJson(body));
  return parsed === undefined || parsed.success ? null : String(parsed.error);
}

const parsedJson = (body: unknown): unknown => (typeof body === 'string' ? JSON.parse(body) : body);
