// What happened, as one running hash, and as lines for a person when asked. The same seed gives the same hash.
import { mix, mixText } from './random.ts';

export type Fact = string | number | boolean | undefined;

export interface Trace {
  /** Everything that happens is told here; formatting costs only when lines are kept. */
  note(node: string, event: string, ...facts: readonly Fact[]): void;
  hash(): string;
  /** The last lines, oldest first. */
  lines(): readonly string[];
}

export interface TraceOptions {
  readonly nowMs: () => number;
  /** How many lines to keep; 0 for none. */
  readonly keep: number;
  /** Gets each line at once. */
  readonly print?: ((line: string) => void) | undefined;
}

export function createTrace({ nowMs, keep, print }: TraceOptions): Trace {
  let low = 0x6a09e667;
  let high = 0xbb67ae85;
  let kept: string[] = [];

  function absorb(fact: Fact): void {
    if (typeof fact === 'number') {
      low = mix(low, fact | 0);
      high = mix(high, (fact * 1024) | 0);
    } else {
      low = mixText(low, String(fact));
      high = mix(high, low);
    }
  }

  return {
    note(node, event, ...facts) {
      const now = nowMs();
      absorb(now);
      absorb(node);
      absorb(event);
      for (const fact of facts) absorb(fact);
      if (keep === 0 && print === undefined) return;
      const line = `${(now / 1000).toFixed(4).padStart(9)}  ${node.padEnd(8)} ${event}${facts.length > 0 ? ` ${facts.map(String).join(' ')}` : ''}`;
      print?.(line);
      if (keep === 0) return;
      kept.push(line);
      if (kept.length > 2 * keep) kept = kept.slice(-keep);
    },
    hash: () => high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0'),
    lines: () => kept.slice(-keep),
  };
}
