// What an implementation of raft's interfaces must hold, as checks that any test runner can run:
//
//   for (const check of logStoreChecks(harness)) test(check.name, check.run);
export type { Check } from './check.ts';
export type { LogStoreHarness } from './log-contents.ts';
export { logStoreChecks } from './log-store.ts';
export { type MachineOnDisk, type SnapshotMachineHarness, snapshotMachineChecks } from './snapshot-machine.ts';
export { type StateMachineHarness, stateMachineChecks } from './state-machine.ts';
export { type TransportHarness, transportChecks } from './transport.ts';
