import type { EtcdConfigCenter, Pointer } from '#config-center';

/** Moves a group's pointer as a controller would, without one. */
export class PointerPublisher {
  private epoch = 0;

  constructor(
    private readonly center: EtcdConfigCenter,
    private readonly group: string,
    private readonly bootstrapServers: Readonly<Record<'a' | 'b', readonly string[]>>,
  ) {}

  async publish(activeCluster: 'a' | 'b'): Promise<void> {
    if (this.epoch === 0) await this.center.claim(this.group, 1);
    const pointer: Pointer = {
      version: 1,
      group: this.group,
      activeCluster,
      mode: 'ACTIVE',
      epoch: this.epoch + 1,
      term: 1,
      sagaId: null,
      bootstrapServers: this.bootstrapServers[activeCluster],
      publishedAt: new Date().toISOString(),
    };
    const result = await this.center.publish(pointer, { expectedEpoch: this.epoch, term: 1 });
    if (!result.ok) throw new Error(`publish: ${result.reason}`);
    this.epoch += 1;
  }
}
