import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate } from '@nestjs/common';
import { LEADERSHIP } from '../../leadership/leadership.port.js';
import type { Leadership } from '../../leadership/leadership.port.js';
import { requireLeading } from './write.guard.js';

/** For writes that are about no group and so about no epoch. */
@Injectable()
export class LeaderGuard implements CanActivate {
  constructor(@Inject(LEADERSHIP) private readonly leadership: Leadership) {}

  canActivate(): boolean {
    requireLeading(this.leadership);
    return true;
  }
}
