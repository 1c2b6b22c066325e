// One HTTP exchange on undici's lowest layer: no streams and no fetch objects for an answer that is read whole, and it
// tells what a retry must know, whether the request had been given to a socket.
import type { Dispatcher } from 'undici';
import { NodeUnreachable } from './carrier.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: string[];
  readonly body: Uint8Array | null;
}

const nothing = new Uint8Array(0);

/**
 * @param node its address, for the error
 * @param maxBytes a longer answer is cut off
 * @throws NodeUnreachable for everything but an answer, also when `signal` fires
 */
export function exchange(
  dispatcher: Dispatcher,
  node: string,
  request: HttpRequest,
  maxBytes: number,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let contentType = '';
    let bytes = 0;
    const chunks: Uint8Array[] = [];

    const onAbort = (): void => {
      controller?.abort(new Error('The caller walked away.'));
      fail(signal.reason);
    };
    const fail = (cause: unknown): void => {
      signal.removeEventListener('abort', onAbort);
      reject(new NodeUnreachable(node, controller !== undefined, { cause }));
    };
    signal.addEventListener('abort', onAbort, { once: true });

    // `true` where undici asks nothing in return; the handler's methods are its protocol.
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        // It waited for a socket, and nobody waits for its answer any more: it must not be sent now.
        if (signal.aborted) started.abort(new Error('The caller walked away.'));
      },
      onResponseStart(_controller, statusCode, headers) {
        status = statusCode;
        const type = headers['content-type'];
        contentType = typeof type === 'string' ? type : '';
      },
      onResponseData(started, chunk) {
        bytes += chunk.length;
        if (bytes > maxBytes) started.abort(new Error(`The answer is longer than ${maxBytes} bytes.`));
        else chunks.push(chunk);
      },
      onResponseEnd() {
        signal.removeEventListener('abort', onAbort);
        const [first = nothing] = chunks;
        resolve({ status, contentType, body: chunks.length <= 1 ? first : Buffer.concat(chunks, bytes) });
      },
      onResponseError: (_controller, error) => fail(error),
    };
    try {
      dispatcher.dispatch({ ...request, headersTimeout: 0, bodyTimeout: 0 }, handler);
    } catch (error) {
      // A pool that is closed.
      fail(error);
    }
  });
}
