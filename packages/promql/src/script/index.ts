export {
  ScriptError,
  type Command,
  type EvalCommand,
  type LoadCommand,
  type LoadedSeries,
} from './commands.ts'
export { almostEqual, almostEqualHistograms } from './compare.ts'
export { parseScript } from './parse.ts'
export {
  load,
  runScript,
  type EngineFactory,
  type EvalOutcome,
  type ScriptOptions,
  type ScriptOutcome,
} from './run.ts'
export { MemoryStorage, type StoredSample } from './storage.ts'
