// Runs the tasks of a query worker: pure, with the database and the engine handed in, so that tests reach it without
// a thread. Everything a query can do wrong comes back as an answer.
import { MemoryBudgetError } from '@watchfire/datamodel'
import { QueryError, type Engine, type QueryResult } from '@watchfire/promql'
import type { DbReader } from '@watchfire/tsdb'
import type { MetadataRequest, PlainSample, QueryPoolRequest } from './contract.ts'
import type { QueryTask, Runner, TaskAnswer, TaskCost, TaskFailure, VectorRequest } from './messages.ts'
import { latest } from './latest.ts'
import { parseSelector } from './selectors.ts'

/** How an answer is to be printed. */
export interface JsonOptions {
  /** Most series, 0 = all. */
  readonly limit: number
  readonly stats: boolean
  /** Warnings of the request, added to those of the result. */
  readonly warnings: readonly string[]
}

export interface RunnerParts {
  readonly reader: DbReader
  readonly engine: Engine
  /** The whole answer `{"status":"success","data":…}` in bytes that are not used elsewhere. */
  readonly toJson: (result: QueryResult, options: JsonOptions) => Uint8Array
}

export type Control = { readonly deadline: number; readonly cancel: Int32Array }

/** Warning of an answer that was cut. */
const TRUNCATED = 'results truncated due to limit'

export function createQueryRunner(parts: RunnerParts): Runner {
  return {
    run(task, deadline, cancel, queueSeconds = 0) {
      try {
        return runTask(parts, task, { deadline, cancel }, queueSeconds)
      } catch (error) {
        return { answer: failureOf(error) }
      }
    },
    close: () => parts.reader.close(),
  }
}

function runTask(
  parts: RunnerParts,
  task: QueryTask,
  control: Control,
  queueSeconds: number,
): { answer: TaskAnswer; cost?: TaskCost } {
  switch (task.what) {
    case 'json':
      return json(parts, task.request, control, queueSeconds)
    case 'vector':
      return vector(parts, task.request, control)
    case 'latest':
      return { answer: latest(parts, task.request, control) }
    case 'metadata':
      return { answer: { ok: true, body: metadata(parts.reader, task.request) } }
  }
}

function json(parts: RunnerParts, request: QueryPoolRequest, control: Control, queueSeconds: number) {
  const result = parts.engine.query(parts.reader, {
    expr: request.expr,
    startMs: request.startMs,
    endMs: request.endMs,
    ...(request.stepMs !== undefined && { stepMs: request.stepMs }),
    ...(request.lookbackMs !== undefined && { lookbackMs: request.lookbackMs }),
    ...control,
  })
  const waited = withQueueTime(result, queueSeconds)
  const body = parts.toJson(request.stats === 'all' ? waited : withoutSteps(waited), {
    limit: request.limit ?? 0,
    stats: (request.stats ?? 'none') !== 'none',
    warnings: request.warnings ?? [],
  })
  return { answer: { ok: true, body } as const, cost: costOf(result) }
}

function withQueueTime(result: QueryResult, queueSeconds: number): QueryResult {
  const { timings } = result.stats
  const execTotalTime = timings.execTotalTime + queueSeconds
  return {
    ...result,
    stats: { ...result.stats, timings: { ...timings, execQueueTime: queueSeconds, execTotalTime } },
  }
}

/** Counts per step are shown with `stats=all` only. */
function withoutSteps(result: QueryResult): QueryResult {
  const { totalQueryableSamples, peakSamples, samplesRead } = result.stats.samples
  return {
    ...result,
    stats: { ...result.stats, samples: { totalQueryableSamples, peakSamples, samplesRead } },
  }
}

function vector(parts: RunnerParts, request: VectorRequest, control: Control) {
  const result = parts.engine.query(parts.reader, {
    expr: request.expr,
    startMs: request.timeMs,
    endMs: request.timeMs,
    ...(request.lookbackMs !== undefined && { lookbackMs: request.lookbackMs }),
    ...control,
  })
  const { value, warnings, infos } = result
  if (value.type !== 'vector' && value.type !== 'scalar')
    return {
      answer: { ok: false, kind: 'execution', message: 'rule result is not a vector or scalar' } as const,
    }
  const samples: PlainSample[] =
    value.type === 'scalar'
      ? [{ pairs: [], timeMs: value.timeMs, value: value.value }]
      : value.samples.map((sample) => ({
          pairs: sample.labels.pairs,
          timeMs: sample.timeMs,
          value: sample.value,
          ...(sample.histogram && { histogram: sample.histogram }),
        }))
  return { answer: { ok: true, samples, warnings, infos } as const, cost: costOf(result) }
}

function metadata(reader: DbReader, request: MetadataRequest): Uint8Array {
  const { what, startMs, endMs, limit } = request
  if (what === 'cardinality') return encode(cardinality(reader, limit))
  const matchers = request.matches.map(parseSelector)
  // One more than wanted tells whether something was cut.
  const asked = limit === 0 ? 0 : limit + 1
  const querier = reader.querier(startMs, endMs)
  try {
    const found: readonly unknown[] =
      what === 'series'
        ? querier.series(matchers, startMs, endMs, asked)
        : what === 'labelNames'
          ? querier.labelNames(matchers, startMs, endMs, asked)
          : querier.labelValues(request.label ?? '', matchers, startMs, endMs, asked)
    const cut = limit > 0 && found.length > limit
    return encode({
      status: 'success',
      data: cut ? found.slice(0, limit) : found,
      ...(cut && { warnings: [TRUNCATED] }),
    })
  } finally {
    querier.close()
  }
}

/** The parts of `/api/v1/status/tsdb` that need a walk over the index. */
function cardinality(reader: DbReader, limit: number): Record<string, unknown> {
  const rows = (list: readonly (readonly [string, number])[]) =>
    list.slice(0, limit).map(([name, value]) => ({ name, value }))
  const head = reader.cardinality(limit)
  return {
    seriesCountByMetricName: rows(head.seriesCountByMetricName),
    labelValueCountByLabelName: rows(head.labelValueCountByLabelName),
    memoryInBytesByLabelName: rows(head.memoryInBytesByLabelName),
    seriesCountByLabelValuePair: rows(head.seriesCountByLabelValuePair),
  }
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function costOf({ stats }: QueryResult): TaskCost {
  return {
    prepareSeconds: stats.timings.queryPreparationTime,
    evalSeconds: stats.timings.innerEvalTime,
    sortSeconds: stats.timings.resultSortTime,
    samplesTotal: stats.samples.totalQueryableSamples,
    samplesRead: stats.samples.samplesRead,
  }
}

function failureOf(error: unknown): TaskFailure {
  if (error instanceof QueryError) return { ok: false, kind: error.kind, message: error.message }
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof MemoryBudgetError) return { ok: false, kind: 'execution', message }
  // V8 and WebAssembly report a refused allocation this way; the thread is fine.
  if (error instanceof RangeError)
    return { ok: false, kind: 'execution', message: `query failed: ${message}` }
  return { ok: false, kind: 'internal', message }
}
