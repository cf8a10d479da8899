// The runner of the server's query workers: the database opened from its handle, and the PromQL engine.
import { createEngine, resultToJson } from '@watchfire/promql'
import { openReader } from '@watchfire/tsdb'
import type { Runner, RunnerModule } from './messages.ts'
import { createQueryRunner } from './query-runner.ts'

/** Called once per worker. */
export const createRunner: RunnerModule['createRunner'] = ({ handle, engine }): Runner =>
  createQueryRunner({
    reader: openReader(handle),
    engine: createEngine(engine),
    toJson: resultToJson,
  })
