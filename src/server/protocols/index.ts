/** The protocols that the server speaks. */
import type { Protocol } from '../context.js';
import { health } from './health.js';
import { rooms } from './rooms.js';

export const protocols: readonly Protocol[] = [health, rooms];
