/** Owns the ids the page chooses: UUIDv7, so that they sort by time. */

import { v7 } from 'uuid';

export const newId = (): string => v7();
