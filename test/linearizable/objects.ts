// A history falls apart into objects, and each is judged alone: that is what makes hours of history cheap (locality).
import type { Operation, Specification } from './operation.ts';
import { defaultMaxConfigurations, judge } from './search.ts';

/** One object and all that was done to it. Built by `objectOf`, so that objects of different kinds go into one list. */
export interface ObjectHistory {
  readonly name: string;
  readonly operations: number;
  judge(maxConfigurations: number): ReturnType<typeof judge>;
}

export function objectOf<State, Call, Answer>(
  name: string,
  specification: Specification<State, Call, Answer>,
  operations: readonly Operation<Call, Answer>[],
): ObjectHistory {
  return {
    name,
    operations: operations.length,
    judge: (maxConfigurations) => judge(specification, operations, maxConfigurations),
  };
}

export interface Report {
  /** A sentence for each object that is not linearizable, and for each that the bound left undecided. */
  readonly faults: readonly string[];
  readonly objects: number;
  readonly operations: number;
  readonly configurations: number;
}

export function judgeAll(
  objects: Iterable<ObjectHistory>,
  maxConfigurations: number = defaultMaxConfigurations,
): Report {
  const faults: string[] = [];
  let count = 0;
  let operations = 0;
  let configurations = 0;
  for (const object of objects) {
    const judgement = object.judge(maxConfigurations);
    count += 1;
    operations += object.operations;
    configurations += judgement.configurations;
    switch (judgement.kind) {
      case 'linearizable':
        break;
      case 'notLinearizable':
        faults.push(`${object.name} has no order that explains what clients saw: ${judgement.reason}`);
        break;
      case 'tooLarge':
        faults.push(
          `${object.name} is undecided: its ${object.operations} operations need more than ${maxConfigurations} configurations`,
        );
        break;
      default:
        judgement satisfies never;
    }
  }
  return { faults, objects: count, operations, configurations };
}
