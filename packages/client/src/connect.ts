// From addresses to a store.

import { type Duration, giveUpAfterMsOf } from './client-parts.ts';
import { createRandomBytes, systemClock } from './clock.ts';
import { createStore, type HoldfastStore } from './holdfast-store.ts';
import { createHttpCaller } from './http-caller.ts';
import { createRetryingCarrier } from './retrying-carrier.ts';

export interface ConnectOptions {
  /**
   * Addresses of nodes: http://host:port, or https, and nothing behind the port. One is enough; give all, and the loss of any of
   * them costs only time.
   */
  readonly nodes: readonly string[];
  /** How long a request is repeated before it fails; 5 minutes by default, since an outage may outlast a lease; at most 9. */
  readonly giveUpAfter?: Duration;
}

const sliceMs = 1_000;

/**
 * A client of a cluster. Nothing is sent before the first call. At most 1,024 receives, 128 acks, nacks and extensions, and 128
 * other calls are under way at once; what is over waits for its turn.
 *
 * @throws TypeError for what is no address of a node, RangeError for a `giveUpAfter` that is 0 or too long
 */
export function connect(options: ConnectOptions): HoldfastStore {
  const nodes = options.nodes.map(checkedOrigin);
  const randomBytes = createRandomBytes();
  const carrier = createRetryingCarrier({
    nodes,
    caller: createHttpCaller(),
    clock: systemClock,
    random: Math.random,
    randomBytes,
    giveUpAfterMs: giveUpAfterMsOf(options.giveUpAfter),
  });
  return createStore({ carrier, clock: systemClock, randomBytes, sliceMs });
}

/** 'localhost:7401' is a URL, of the scheme 'localhost'. A path or a query behind the port would be dropped without a word. */
function checkedOrigin(node: string): string {
  if (URL.canParse(node)) {
    const { protocol, origin, pathname, search } = new URL(node);
    if ((protocol === 'http:' || protocol === 'https:') && `${pathname}${search}` === '/') return origin;
  }
  throw new TypeError(`"${node}" is no address of a node: say http://host:port, such as http://127.0.0.1:7401.`);
}
