// Snapshots on one member, both ways: sends its state to whoever can not be helped with entries, receives another's, and
// sweeps what that leaves behind. Between the driver, which knows who may speak, and the two sides.
import { strict as assert } from 'node:assert';
import { decodeConfiguration } from '../core/membership/configuration.ts';
import type { NodeId } from '../core/message.ts';
import type { Restore as ReceivedState } from '../core/ready.ts';
import type { CoreStatus } from '../core/types.ts';
import type { Clock } from '../driver/clock.ts';
import type { LogStore, Restore } from '../log/log-store.ts';
import type { SnapshotStateMachine } from '../state-machine.ts';
import { encodeSnapshotControl, type SnapshotControl, type SnapshotOffer } from './control.ts';
import { Exporter } from './export.ts';
import { Installer } from './install.ts';
import { Sweeper } from './sweeper.ts';

export type SnapshotCount = 'noRoom' | 'goneExport' | 'repeatedFetch' | 'brokenSnapshot' | 'lateChunk' | 'strangeOffer';

export interface SnapshotsOptions {
  readonly log: LogStore;
  readonly stateMachine: Pick<SnapshotStateMachine<unknown>, 'activeVersion' | 'exportState' | 'importRows'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly status: () => Pick<CoreStatus, 'role' | 'leader' | 'commit'>;
  /** The encoded configuration that is in force at `index`. */
  readonly configurationAt: (index: number) => Uint8Array;
  readonly sendControl: (to: NodeId, bytes: Uint8Array) => void;
  readonly sendBulk: (to: NodeId, bytes: Uint8Array) => void;
  readonly count: (what: SnapshotCount) => void;
  /** A whole state is on the disk: the core decides whether it is wanted. Answered by `flipped` or `notNeeded`. */
  readonly onReceived: (restore: ReceivedState) => void;
  /** This member has everything up to `index`. */
  readonly onInstalled: (peer: NodeId, index: number) => void;
  readonly onFailed: (error: unknown) => void;
  /** Whether there is room for another state beside the own one. */
  readonly mayReceive: () => boolean;
}

/** Snapshots of this member, those that it sends and those that it receives (thesis figure 5.3). */
export interface SnapshotStatus {
  /** The index of the export that is open here; undefined when nobody needs one. */
  readonly sending: number | undefined;
  readonly sentBytes: number;
  /** The index of the state that comes in. */
  readonly receiving: number | undefined;
  /** Of it, or of the last one. */
  readonly receivedBytes: number;
  /** Flips to a received state since the start. */
  readonly installed: number;
  /** Generations whose rows are being removed. */
  readonly sweeping: number;
}

export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #exporter: Exporter;
  readonly #installer: Installer;
  readonly #sweeper: Sweeper;
  #installed = 0;
  #isStopped = false;

  constructor(options: SnapshotsOptions) {
    const { clock, random, log, stateMachine, configurationAt, sendBulk, count, onFailed } = options;
    this.#options = options;
    const send = (to: NodeId, control: SnapshotControl): void => this.#send(to, control);
    this.#exporter = new Exporter({
      clock,
      random,
      exportState: () => stateMachine.exportState(),
      firstIndex: () => log.firstIndex,
      configurationAt,
      send,
      sendBulk,
      count,
      onFailed,
    });
    this.#installer = new Installer({
      clock,
      log,
      importRows: (generation, rows) => stateMachine.importRows(generation, rows),
      send,
      count,
      onReceived: (restore) => this.#received(restore),
      onFailed,
    });
    this.#sweeper = new Sweeper(log, onFailed);
  }

  get status(): SnapshotStatus {
    return {
      sending: this.#exporter.index,
      sentBytes: this.#exporter.sentBytes,
      receiving: this.#installer.index,
      receivedBytes: this.#installer.receivedBytes,
      installed: this.#installed,
      sweeping: this.#options.log.unswept,
    };
  }

  /** The first entry that whoever gets the open export needs next; the log is kept from it on, within its cap. */
  get neededFrom(): number | undefined {
    const { index } = this.#exporter;
    return index === undefined ? undefined : index + 1;
  }

  /** The core can not help this member with entries. */
  needed(by: NodeId): void {
    if (!this.#isStopped) this.#exporter.offer(by);
  }

  /** From a member that is admitted. */
  heard(from: NodeId, control: SnapshotControl): void {
    if (this.#isStopped) return;
    const { status, onInstalled } = this.#options;
    switch (control.kind) {
      case 'snapshotOffer':
        return this.#offered(from, control);
      case 'snapshotGone':
        return this.#installer.gone(from, control.exportId);
      // Who leads no more has nobody to serve: the next leader offers its own.
      case 'snapshotFetch':
        if (status().role !== 'leader') return this.#send(from, { kind: 'snapshotGone', exportId: control.exportId });
        return this.#exporter.fetched(from, control);
      case 'snapshotInstalled':
        this.#exporter.finished(from);
        if (status().role === 'leader') onInstalled(from, control.index);
    }
  }

  received(from: NodeId, bytes: Uint8Array): void {
    if (!this.#isStopped) this.#installer.received(from, bytes);
  }

  /** The state that was received is the one in use. */
  flipped(index: number): void {
    this.#installed += 1;
    this.#end(index);
  }

  /** The log has all of it: what was received is swept. */
  notNeeded(index: number): void {
    this.#end(index);
  }

  tick(): void {
    const { clock, status, count, mayReceive } = this.#options;
    const nowMs = clock.monotonicMs();
    if (status().role !== 'leader') this.#exporter.close();
    this.#exporter.tick(nowMs);
    this.#installer.overtaken(status().commit);
    // Room may end while it comes: better behind than on a full disk, which ends the process.
    if (this.#installer.isUnderWay && !mayReceive()) {
      count('noRoom');
      this.#installer.giveUp();
    }
    this.#installer.tick(nowMs);
    // From the flip on the state before it is to be swept; the state machine reads it until it has gone over.
    if (!this.#installer.isWhole) this.#sweeper.tick(nowMs);
  }

  /** Resolves when no row is read or written any more on behalf of snapshots. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#installer.stop(), this.#exporter.stop(), this.#sweeper.stop()]);
  }

  #offered(from: NodeId, offer: SnapshotOffer): void {
    const { status, count, mayReceive } = this.#options;
    const { leader, commit } = status();
    if (from !== leader || decodeConfiguration(offer.configuration) === undefined) return count('strangeOffer');
    if (commit >= offer.index) return this.#send(from, { kind: 'snapshotInstalled', index: offer.index });
    // Its leader offers again.
    if (!mayReceive()) return count('noRoom');
    this.#installer.offered(from, offer);
  }

  #received({ configuration, ...restore }: Restore): void {
    const decoded = decodeConfiguration(configuration);
    assert(decoded !== undefined, 'it was looked at when it was offered');
    this.#options.onReceived({ ...restore, configuration: decoded });
  }

  #end(index: number): void {
    this.#installer.finished();
    const { leader } = this.#options.status();
    if (leader !== undefined) this.#send(leader, { kind: 'snapshotInstalled', index });
  }

  #send(to: NodeId, control: SnapshotControl): void {
    this.#options.sendControl(to, encodeSnapshotControl(control));
  }
}
