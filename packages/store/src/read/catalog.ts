// Topics and groups, decoded and in memory: a thousand topics of a hundred groups at most. What was published is never
// changed once a view has it.
import type { TopicState } from '../apply/entry/topic-draft.ts';

export interface CatalogState {
  readonly topics: ReadonlyMap<number, TopicState>;
  readonly numbers: ReadonlyMap<string, number>;
}

export class Catalog {
  #topics = new Map<number, TopicState>();
  #numbers = new Map<string, number>();
  /** A view has the maps: the next change is made to copies. */
  #shared = false;

  get size(): number {
    return this.#topics.size;
  }

  topic(number: number): TopicState | undefined {
    return this.#topics.get(number);
  }

  topicNumber(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  share(): CatalogState {
    this.#shared = true;
    return { topics: this.#topics, numbers: this.#numbers };
  }

  publish(changed: ReadonlyMap<number, TopicState>): void {
    if (changed.size === 0) return;
    if (this.#shared) {
      this.#topics = new Map(this.#topics);
      this.#numbers = new Map(this.#numbers);
      this.#shared = false;
    }
    for (const [number, state] of changed) {
      this.#topics.set(number, state);
      this.#numbers.set(state.row.name, number);
    }
  }
}
