// What a request came to: an answer, or what the client was told instead.
import { HoldfastError } from '@holdfast/api';

export type Ending<T> =
  | { readonly kind: 'answered'; readonly answer: T }
  /** `refused` is a promise that it was not applied; `aborted`: the client itself walked away. */
  | { readonly kind: 'unknown' | 'refused' | 'aborted'; readonly code: string };

/**
 * @param failures counts what clients are told, by code
 * @throws whatever is no error of the table: no client may ever meet it
 */
export async function endingOf<T>(call: Promise<T>, failures: Map<string, number>): Promise<Ending<T>> {
  try {
    return { kind: 'answered', answer: await call };
  } catch (error) {
    const code = error instanceof HoldfastError ? error.code : String(error);
    if (!(error instanceof HoldfastError) && !code.includes('walked away')) throw error;
    failures.set(code, (failures.get(code) ?? 0) + 1);
    if (!(error instanceof HoldfastError)) return { kind: 'aborted', code };
    return { kind: error.applied === 'no' ? 'refused' : 'unknown', code };
  }
}
