import { Labels, MemoryBudgetError, type Querier } from '@watchfire/datamodel'
import { QueryError, type Engine, type QueryResult } from '@watchfire/promql'
import type { DbReader } from '@watchfire/tsdb'
import { describe, expect, it } from 'vitest'
import { createQueryRunner } from './query-runner.ts'
import type { QueryTask } from './messages.ts'

const STATS: QueryResult['stats'] = {
  timings: {
    evalTotalTime: 1,
    resultSortTime: 2,
    queryPreparationTime: 3,
    innerEvalTime: 4,
    execQueueTime: 5,
    execTotalTime: 6,
  },
  samples: { totalQueryableSamples: 7, peakSamples: 8, samplesRead: 9 },
}
const names = ['a', 'b', 'c', 'd']
const reader: DbReader = {
  querier: () =>
    ({
      labelNames: (_sets, _start, _end, limit) => (limit === 0 ? names : names.slice(0, limit)),
      series: () => [Labels.from({ __name__: 'up', job: 'x' })],
      close: () => {},
    }) as Partial<Querier> as Querier,
  cardinality: () => ({
    seriesCountByMetricName: [['up', 3]],
    labelValueCountByLabelName: [],
    memoryInBytesByLabelName: [],
    seriesCountByLabelValuePair: [['job=x', 3]],
  }),
  seriesLabels: () => undefined,
  close: () => {},
}

function run(
  task: QueryTask,
  query: Engine['query'] = () => ({ value, warnings: [], infos: [], stats: STATS }),
) {
  const runner = createQueryRunner({
    reader,
    engine: { query },
    toJson: (result, options) =>
      new TextEncoder().encode(JSON.stringify({ type: result.value.type, options })),
  })
  return runner.run(task, performance.now() + 1000, new Int32Array(1))
}
const value: QueryResult['value'] = { type: 'scalar', timeMs: 5, value: 2 }
const metadata = (request: Partial<Extract<QueryTask, { what: 'metadata' }>['request']>): QueryTask => ({
  what: 'metadata',
  request: { what: 'labelNames', matches: [], startMs: 0, endMs: 1, limit: 0, ...request },
})
const parsed = (outcome: ReturnType<typeof run>): unknown =>
  outcome.answer.ok && 'body' in outcome.answer
    ? JSON.parse(Buffer.from(outcome.answer.body).toString())
    : outcome.answer

describe('createQueryRunner', () => {
  it('prints a query with its options and tells its cost', () => {
    const outcome = run({
      what: 'json',
      request: { expr: '1', startMs: 0, endMs: 0, limit: 3, stats: 'all' },
    })
    expect(parsed(outcome)).toEqual({ type: 'scalar', options: { limit: 3, stats: true, warnings: [] } })
    expect(outcome.cost).toEqual({
      prepareSeconds: 3,
      evalSeconds: 4,
      sortSeconds: 2,
      samplesTotal: 7,
      samplesRead: 9,
    })
  })

  it('makes one sample without labels of a scalar', () => {
    expect(run({ what: 'vector', request: { expr: '2', timeMs: 5 } }).answer).toEqual({
      ok: true,
      samples: [{ pairs: [], timeMs: 5, value: 2 }],
      warnings: [],
      infos: [],
    })
  })

  it('refuses a rule whose result is no vector', () => {
    const outcome = run({ what: 'vector', request: { expr: 'x[5m]', timeMs: 5 } }, () => ({
      value: { type: 'matrix', series: [] },
      warnings: [],
      infos: [],
      stats: STATS,
    }))
    expect(outcome.answer).toMatchObject({ ok: false, message: 'rule result is not a vector or scalar' })
  })

  it('cuts lists at their limit and warns', () => {
    expect(parsed(run(metadata({ limit: 2 })))).toEqual({
      status: 'success',
      data: ['a', 'b'],
      warnings: ['results truncated due to limit'],
    })
    expect(parsed(run(metadata({ limit: 4 })))).toEqual({ status: 'success', data: names })
    expect(parsed(run(metadata({})))).toEqual({ status: 'success', data: names })
  })

  it('prints series as plain objects and the cardinality as rows', () => {
    expect(parsed(run(metadata({ what: 'series', matches: ['up'] })))).toEqual({
      status: 'success',
      data: [{ __name__: 'up', job: 'x' }],
    })
    expect(parsed(run(metadata({ what: 'cardinality', limit: 10 })))).toMatchObject({
      seriesCountByMetricName: [{ name: 'up', value: 3 }],
      seriesCountByLabelValuePair: [{ name: 'job=x', value: 3 }],
    })
  })

  const failures: [unknown, string, string][] = [
    [new QueryError('timeout', 'too late'), 'timeout', 'too late'],
    [new MemoryBudgetError('too much'), 'execution', 'too much'],
    [new RangeError('Invalid array length'), 'execution', 'query failed: Invalid array length'],
    [new Error('odd'), 'internal', 'odd'],
  ]
  it.each(failures)('answers %s as a failure of the query', (error, kind, message) => {
    const outcome = run({ what: 'json', request: { expr: '1', startMs: 0, endMs: 0 } }, () => {
      throw error
    })
    expect(outcome.answer).toEqual({ ok: false, kind, message })
  })
})
