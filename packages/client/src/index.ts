// The surface a user programs against.
export { type Carrier, type NodeCaller, NodeUnreachable } from './carrier.ts';
export { type ClientClock, createRandomBytes, systemClock } from './clock.ts';
export {
  type CarrierCounters,
  createRetryingCarrier,
  type RetryingCarrier,
  type RetryingCarrierOptions,
} from './retrying-carrier.ts';
