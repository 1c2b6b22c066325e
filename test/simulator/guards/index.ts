// Every guard, by what it guards.
import { consensusGuards } from './consensus.ts';
import { deliveryGuards } from './delivery.ts';
import type { Guard } from './guard.ts';
import { viewGuards } from './views.ts';

export const guards: readonly Guard[] = [...consensusGuards, ...viewGuards, ...deliveryGuards];
