import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { GroupMetrics } from './group-metrics.js';

@Controller('metrics')
export class MetricsController {
  constructor(@Inject(GroupMetrics) private readonly metrics: GroupMetrics) {}

  @Get()
  async scrape(@Res() res: Response): Promise<void> {
    const text = await this.metrics.render();
    res.set('content-type', this.metrics.registry.contentType).set('cache-control', 'no-store').send(text);
  }
}
