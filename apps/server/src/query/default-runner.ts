// The runner of the server's query workers: the database opened from its handle, and the PromQL engine.
import { createEngine, createFoldHelper, resultToJson, type FoldHelper } from '@watchfire/promql'
import { openReader } from '@watchfire/tsdb'
import type { HelperLink, Runner, RunnerModule } from './messages.ts'
import { createQueryRunner } from './query-runner.ts'

/** Called once per worker. */
export const createRunner: RunnerModule['createRunner'] = ({ handle, engine, helper }): Runner =>
  createQueryRunner({
    reader: openReader(handle),
    engine: createEngine(helper === undefined ? engine : { ...engine, helper: helperOf(helper) }),
    toJson: resultToJson,
  })

function helperOf({ port, state, load, threads }: HelperLink): FoldHelper {
  const running = new Int32Array(load)
  port.unref()
  return createFoldHelper({
    post: (message) => port.postMessage(message),
    state,
    isIdle: () => Atomics.load(running, 0) < threads,
  })
}
