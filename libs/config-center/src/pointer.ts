export type PointerMode = 'ACTIVE' | 'DRAIN' | 'HOLD';

export type Pointer = Readonly<{
  version: 1;
  group: string;
  activeCluster: string;
  mode: PointerMode;
  maxMs?: number; // with DRAIN and HOLD: clients go on by themselves after it
  epoch: number;
  term: number;
  sagaId: string | null; // null: the act that created the group
  bootstrapServers: readonly string[];
  publishedAt: string; // RFC 3339 UTC
}>;
