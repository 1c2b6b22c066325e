/** One thing that must hold; `run` rejects when it does not. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<void>;
}
