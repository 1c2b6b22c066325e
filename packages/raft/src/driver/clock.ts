/** Injected time. `monotonicMs` never goes back; `wallMs` is ms since the epoch and may jump. */
export interface Clock {
  monotonicMs(): number;
  wallMs(): number;
  /** Calls back once, after at least `delayMs`; returns how to cancel it. */
  after(delayMs: number, callback: () => void): () => void;
}
