import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { GroupKeeper } from './group-keeper.js';
import { PublishingService } from './publishing-service.js';

/** Begins when everything is composed; ends after leadership was given up. */
@Injectable()
export class PublishingLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(PublishingService) private readonly publishing: PublishingService,
    @Inject(GroupKeeper) private readonly keeper: GroupKeeper,
  ) {}

  onApplicationBootstrap(): void {
    this.publishing.begin();
    this.keeper.begin();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.keeper.end();
    await this.publishing.end();
  }
}
