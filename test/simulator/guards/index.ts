// Every guard, by what it guards.
import { consensusGuards } from './consensus.ts';
import { deliveryGuards } from './delivery.ts';
import type { Guard } from './guard.ts';
import { handingOverGuards } from './handing-over.ts';
import { leadingGuards } from './leading.ts';
import { memberGuards } from './members.ts';
import { schedulingGuards } from './scheduling.ts';
import { snapshotGuards } from './snapshots.ts';
import { viewGuards } from './views.ts';

export const guards: readonly Guard[] = [
  ...consensusGuards,
  ...leadingGuards,
  ...memberGuards,
  ...handingOverGuards,
  ...snapshotGuards,
  ...viewGuards,
  ...deliveryGuards,
  ...schedulingGuards,
];
