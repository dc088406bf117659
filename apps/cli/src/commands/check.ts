/** `remedy` is null when all is well, or when `found` says it already. */
export type Check = Readonly<{ name: string; ok: boolean; found: string; remedy: string | null }>;
