// The whole vocabulary between a user and a node. No I/O, no behaviour beyond parsing.
export { looksLikeAnswerTo } from './answer-names.ts';
export { bounds, defaults } from './bounds.ts';
export { parseDurationMs } from './duration.ts';
export { type ErrorCode, type ErrorRow, errorTable, isErrorCode } from './error-table.ts';
export { jsonContentType, type MessageToSchedule, messageToSchedule } from './message.ts';
export {
  type ErrorFacts,
  fromProblem,
  HoldfastError,
  OutcomeUnknownError,
  type Problem,
  problem,
  toProblem,
} from './problem.ts';
export {
  type AnswerOf,
  idempotencyHeader,
  type ParsedRequestOf,
  type RequestOf,
  type Route,
  routes,
  type Verb,
} from './routes.ts';
