import { v7 } from 'uuid';

/** Time-ordered unique id (UUIDv7): sagas, commands, requests, boots. */
export const newId = (): string => v7();
