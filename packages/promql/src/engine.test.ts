import { Labels, type Queryable } from '@watchfire/datamodel'
import { describe, expect, it } from 'vitest'
import { QueryError, createEngine, type EngineOptions, type QueryRequest, type QueryResult } from './index.ts'
import { MemoryStorage, load, parseScript, type LoadCommand } from './script/index.ts'

function loaded(text: string): MemoryStorage {
  const storage = new MemoryStorage()
  for (const command of parseScript(text)) load(storage, command as LoadCommand)
  return storage
}

const REQUESTS = loaded(`load 1m
  requests_total{code="200",instance="a"} 0+60x30
  requests_total{code="200",instance="b"} 0+120x30
  requests_total{code="500",instance="a"} 0+6x30`)

function instant(
  expr: string,
  timeMs: number,
  options?: EngineOptions,
  storage: Queryable = REQUESTS,
): QueryResult {
  return createEngine(options).query(storage, { expr, startMs: timeMs, endMs: timeMs })
}

function vectorOf(result: QueryResult): Record<string, number> {
  if (result.value.type !== 'vector') throw new Error(`a ${result.value.type}`)
  return Object.fromEntries(result.value.samples.map(({ labels, value }) => [labels.toString(), value]))
}

function failureOf(run: () => unknown): QueryError {
  try {
    run()
  } catch (error) {
    if (error instanceof QueryError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('instant queries', () => {
  it('give the newest sample of every series', () => {
    expect(vectorOf(instant('requests_total{instance="a"}', 605_000))).toEqual({
      '{__name__="requests_total", code="200", instance="a"}': 600,
      '{__name__="requests_total", code="500", instance="a"}': 60,
    })
  })

  it('aggregate rates by label', () => {
    expect(vectorOf(instant('sum by (code) (rate(requests_total[5m]))', 600_000))).toEqual({
      '{code="200"}': 3,
      '{code="500"}': 0.1,
    })
  })

  it('give scalars, strings and matrices as such', () => {
    expect(instant('1 + 2', 5000).value).toEqual({ type: 'scalar', timeMs: 5000, value: 3 })
    expect(instant('"x"', 5000).value).toEqual({ type: 'string', timeMs: 5000, value: 'x' })
    const { value } = instant('requests_total{code="500"}[2m]', 605_000)
    if (value.type !== 'matrix') throw new Error(value.type)
    expect([...value.series[0]!.times]).toEqual([540_000, 600_000])
    expect([...value.series[0]!.values]).toEqual([54, 60])
  })

  it('keep the order of sort and topk', () => {
    const { value } = instant('topk(2, requests_total)', 600_000)
    if (value.type !== 'vector') throw new Error(value.type)
    expect(value.samples.map((sample) => sample.value)).toEqual([1200, 600])
  })
})

describe('range queries', () => {
  const range = (expr: string, options?: EngineOptions): QueryResult =>
    createEngine(options).query(REQUESTS, { expr, startMs: 0, endMs: 1_800_000, stepMs: 600_000 })

  it('give series sorted by labels, without those that have no sample', () => {
    const { value } = range('requests_total > 100')
    if (value.type !== 'matrix') throw new Error(value.type)
    expect(value.series.map(({ labels }) => labels.get('instance') + labels.get('code'))).toEqual([
      'a200',
      'b200',
      'a500',
    ])
    expect([...value.series[2]!.times]).toEqual([1_200_000, 1_800_000])
  })

  it('evaluate what does not depend on the step once, and repeat it', () => {
    const { value, stats } = range('requests_total{code="500"} @ 600')
    if (value.type !== 'matrix') throw new Error(value.type)
    expect([...value.series[0]!.values]).toEqual([60, 60, 60, 60])
    expect(stats.samples.totalQueryableSamples).toBe(4)
    expect(stats.samples.samplesRead).toBe(1)
  })

  it('refuse expressions that give range vectors or strings', () => {
    expect(failureOf(() => range('requests_total[5m]'))).toMatchObject({
      kind: 'bad_data',
      message: 'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    })
  })

  it('refuse steps that do not go forward', () => {
    const request = { expr: '1', startMs: 0, endMs: 1, stepMs: 0 }
    expect(failureOf(() => createEngine().query(REQUESTS, request)).kind).toBe('bad_data')
  })

  it('count samples of windows and samples read apart', () => {
    const { samples } = range('rate(requests_total{code="500"}[20m])').stats
    expect(samples.totalQueryableSamples).toBe(1 + 11 + 20 + 20)
    expect(samples.samplesRead).toBe(31)
  })

  it('count the samples of each step when asked to', () => {
    const { samples } = range('requests_total', { features: { perStepStats: true } }).stats
    expect(samples.totalQueryableSamplesPerStep).toEqual([
      [0, 3],
      [600, 3],
      [1200, 3],
      [1800, 3],
    ])
  })
})

describe('annotations', () => {
  it('point to the expression they are about', () => {
    const result = instant(
      '1 +\n  sum(rate({__name__="cpu"}[5m]))',
      600_000,
      {},
      loaded('load 1m\n  cpu 0+1x20'),
    )
    expect(result.infos).toEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "cpu" (2:12)',
    ])
  })

  it('come once per text', () => {
    const { warnings } = instant('quantile(2, requests_total) or quantile(2, requests_total)', 600_000)
    expect(warnings).toEqual(['PromQL warning: quantile value should be between 0 and 1, got 2 (1:41)'])
  })
})

describe('failures', () => {
  const long: QueryRequest = {
    expr: 'sum(rate(requests_total[5m]))',
    startMs: 0,
    endMs: 1_800_000,
    stepMs: 1000,
  }

  it('name the place of a syntax error', () => {
    expect(failureOf(() => instant('sum(', 0))).toMatchObject({
      kind: 'bad_data',
      message: expect.stringMatching(/^1:\d+: parse error: /) as string,
    })
  })

  it('say which series cannot be matched', () => {
    const { kind, message } = failureOf(() =>
      instant('requests_total + on (instance) requests_total', 600_000),
    )
    expect(kind).toBe('execution')
    expect(message).toBe(
      'found duplicate series for the match group {instance="a"} on the right hand-side of the operation: ' +
        '[{__name__="requests_total", code="200", instance="a"}, {__name__="requests_total", code="500", instance="a"}]' +
        ';many-to-many matching not allowed: matching labels must be unique on one side',
    )
  })

  it('end a query that was cancelled or is late', () => {
    const cancel = new Int32Array(new SharedArrayBuffer(4))
    cancel[0] = 1
    expect(failureOf(() => createEngine().query(REQUESTS, { ...long, cancel })).kind).toBe('canceled')
    const deadline = performance.now() - 1
    expect(failureOf(() => createEngine().query(REQUESTS, { ...long, deadline }))).toMatchObject({
      kind: 'timeout',
      message: 'query timed out in query execution',
    })
  })

  it.each(['requests_total', 'sum(requests_total)', 'rate(requests_total[5m])', 'vector(1)[1y:1ms]'])(
    'refuse %s when it takes too many samples',
    (expr) => {
      const error = failureOf(() => instant(expr, 600_000, { samplesMax: 2 }))
      const text = 'query processing would load too many samples into memory in query execution'
      expect(error).toMatchObject({ kind: 'execution', message: text })
    },
  )

  it.each([
    'count_over_time(vector(1)[1y:1s])',
    'sum by (x) (label_replace(requests_total, "x", "$1", "instance", "(.*)"))[1y:1s]',
    'requests_total * on () group_left () vector(1)',
  ])('keep %s within the memory budget', (expr) => {
    const request = { expr, startMs: 0, endMs: 0 }
    const engine = createEngine({ memoryBytesMax: 400 })
    expect(failureOf(() => engine.query(REQUESTS, request))).toMatchObject({
      kind: 'execution',
      message: expect.stringContaining('query memory budget of 400 bytes exceeded') as string,
    })
  })

  it('keep texts that double with every call within the memory budget', () => {
    let expr = 'label_replace(requests_total, "x", "xxxxxxxxxxxxxxxx", "", "")'
    for (let i = 0; i < 60; i++) expr = `label_replace(${expr}, "x", "$1$1", "x", "(.*)")`
    const error = failureOf(() => instant(expr, 600_000, { memoryBytesMax: 50_000_000 }))
    expect(error.message).toContain('query memory budget of 50000000 bytes exceeded')
  })

  it('pass on what the storage throws, and close it', () => {
    let closed = 0
    const broken: Queryable = {
      querier: () => ({
        select: () => {
          throw new Error('disk gone')
        },
        series: () => [],
        labelNames: () => [],
        labelValues: () => [],
        close: () => closed++,
      }),
    }
    expect(failureOf(() => instant('up', 0, {}, broken))).toMatchObject({
      kind: 'internal',
      message: 'expanding series: disk gone',
    })
    expect(closed).toBe(1)
  })

  it('leave the engine usable', () => {
    const engine = createEngine({ samplesMax: 2 })
    const request = { startMs: 600_000, endMs: 600_000 }
    expect(() => engine.query(REQUESTS, { ...request, expr: 'requests_total' })).toThrow(QueryError)
    expect(engine.query(REQUESTS, { ...request, expr: '1' }).value.type).toBe('scalar')
  })
})

describe('chunks that overlap', () => {
  it('are merged in order of time; the later chunk wins', () => {
    const chunks = [
      { times: [1000, 3000, 5000], values: [1, 3, 5] },
      { times: [2000, 3000, 4000], values: [2, 30, 4] },
    ]
    const storage: Queryable = {
      querier: () => ({
        select: (_matchers, _hints, arena) => {
          const chunkTable = arena.alloc(96)
          chunks.forEach(({ times, values }, row) => {
            const address = arena.alloc(48)
            new Float64Array(arena.memory.buffer, address, 6).set([...times, ...values])
            const at = chunkTable + row * 48
            new Uint32Array(arena.memory.buffer, at, 4).set([address, 48, 255, 3])
            new Float64Array(arena.memory.buffer, at + 16, 2).set([times[0]!, times[2]!])
            new Uint32Array(arena.memory.buffer, at + 32, 4).fill(0)
          })
          const labels = () => Labels.from({ __name__: 'x' })
          const chunkStart = Uint32Array.of(0, 2)
          return { count: 1, labels, chunkStart, chunkTable, overlapping: true, warnings: ['slow disk'] }
        },
        series: () => [],
        labelNames: () => [],
        labelValues: () => [],
        close: () => {},
      }),
    }
    const { value, warnings } = instant('x[10s]', 5000, {}, storage)
    if (value.type !== 'matrix') throw new Error(value.type)
    expect([...value.series[0]!.values]).toEqual([1, 2, 30, 4, 5])
    expect(warnings).toEqual(['slow disk'])
  })
})
