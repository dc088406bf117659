import {
  applyDecorators,
  type CanActivate,
  Get,
  Header,
  HttpCode,
  Post,
  StandardSchemaValidationPipe,
  type Type,
  UseGuards,
  UsePipes,
} from '@nestjs/common';
import type { Route, RouteKind } from '../contract/route.js';
import { BearerGuard } from './bearer.guard.js';
import { invalidBody } from './problem.js';
import { RateGuard } from './rate.guard.js';
import { KeyGuard, WriteGuard } from './write.guard.js';

const GUARDS: Readonly<Record<RouteKind, readonly Type<CanActivate>[]>> = {
  read: [],
  'keyed-write': [KeyGuard],
  'epoch-write': [WriteGuard],
};

/** The method serves this route of the table: its verb and path, first status, guards in their order, checked body. */
export function Serves(route: Route): MethodDecorator {
  const guards = route.role === null ? [] : [BearerGuard, RateGuard, ...GUARDS[route.kind]];
  return applyDecorators(
    route.method === 'GET' ? Get(route.path) : Post(route.path),
    HttpCode(route.answers[0].status),
    Header('cache-control', 'no-store'),
    UseGuards(...guards),
    UsePipes(new StandardSchemaValidationPipe({ exceptionFactory: invalidBody })),
  );
}
