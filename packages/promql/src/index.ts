export {
  QueryError,
  REWRITES,
  type Engine,
  type EngineFeatures,
  type EngineOptions,
  type FoldHelper,
  type MatrixSeries,
  type QueryErrorKind,
  type QueryRequest,
  type QueryResult,
  type QueryStats,
  type QueryValue,
  type VectorSample,
} from './contract.ts'
export { createEngine } from './engine.ts'
export { resultToJson, type JsonOptions } from './result/json.ts'
export {
  createFoldHelper,
  createFoldWorker,
  failFoldHelper,
  type FoldHelperOptions,
  type FoldMessage,
} from './exec/fold-helper.ts'
