export type { ActiveQuery, SlowQuery } from './active-queries.ts'
export { WorkerQueryPool, type QueryPoolEvents, type QueryPoolOptions } from './pool.ts'
export { parseSelector } from './selectors.ts'
export type { TaskCost } from './messages.ts'
export type {
  LatestRequest,
  MetadataRequest,
  PlainSample,
  QueryJsonAnswer,
  QueryPool,
  QueryPoolRequest,
  QueryVectorAnswer,
} from './contract.ts'
