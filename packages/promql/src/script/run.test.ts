// The runner itself, against engines that give fixed answers.
import { Labels } from '@watchfire/datamodel'
import { describe, expect, it } from 'vitest'
import { QueryError, type QueryRequest, type QueryResult, type QueryValue } from '../contract.ts'
import { ALL_EXPERIMENTS, parseExpr, printExpr } from '../parser/index.ts'
import { almostEqual, runScript } from './index.ts'
import { pinExpr } from './pin.ts'

type Answer = (request: QueryRequest) => QueryValue

const NO_STATS = {
  timings: {
    evalTotalTime: 0,
    resultSortTime: 0,
    queryPreparationTime: 0,
    innerEvalTime: 0,
    execQueueTime: 0,
    execTotalTime: 0,
  },
  samples: { totalQueryableSamples: 0, peakSamples: 0, samplesRead: 0 },
}

/** The failure of the only evaluation of a script, 'passed' without one. */
function verdict(script: string, answer: Answer, annotations: Partial<QueryResult> = {}): string {
  const query = (_: unknown, request: QueryRequest): QueryResult => ({
    value: answer(request),
    warnings: [],
    infos: [],
    stats: NO_STATS,
    ...annotations,
  })
  const { evals, error } = runScript(script, () => ({ query }))
  expect(evals).toHaveLength(1)
  return error?.message ?? evals[0]!.failure ?? 'passed'
}

const labels = Labels.from({ a: 'b' })
/** Two series in an instant query, and the same at each step of a range query. */
const twoSeries: Answer = ({ startMs, endMs, stepMs }) => {
  const series = [labels, Labels.from({ a: 'c' })]
  if (stepMs === undefined)
    return { type: 'vector', samples: series.map((l, i) => ({ labels: l, timeMs: startMs, value: i + 1 })) }
  const times = Float64Array.from({ length: (endMs - startMs) / stepMs + 1 }, (_, i) => startMs + i * stepMs)
  return {
    type: 'matrix',
    series: series.map((l, i) => ({ labels: l, times, values: times.map(() => i + 1) })),
  }
}

describe('instant evaluations', () => {
  it('pass when every form of the query gives the result', () => {
    const asked: string[] = []
    const answer: Answer = (request) => {
      asked.push(`${request.expr} ${request.startMs} ${request.endMs} ${request.stepMs ?? ''}`.trim())
      return twoSeries(request)
    }
    expect(verdict('eval instant at 1m up\n {a="b"} 1\n {a="c"} 2', answer)).toBe('passed')
    expect(asked).toEqual([
      'up 60000 60000',
      'up 0 120000 60000',
      ...[-600_000, 0, 12_000, 60_000, 600_000].flatMap((at) => [
        `up @ 60.000 ${at} ${at}`,
        `up @ 60.000 ${at - 60_000} ${at + 60_000} 60000`,
      ]),
    ])
  })

  it('fail when only the range mode differs', () => {
    const answer: Answer = (request) =>
      request.stepMs === undefined ? twoSeries(request) : { type: 'matrix', series: [] }
    expect(verdict('eval instant at 1m up\n {a="b"} 1\n {a="c"} 2', answer)).toMatch(
      /^in range mode: expected metric/,
    )
  })

  it.each([
    ['{a="b"} 1', 'unexpected metric {a="c"} in result, has value 2'],
    ['{a="b"} 1\n {a="c"} 3', 'expected 3 for {a="c"} but got 2'],
    ['{a="b"} 1\n {a="c"} 2\n {a="d"} 3', 'expected metric {a="d"} with 3 not found'],
    ['{a="b"} 1\n {a="c"} {{}}', 'expected {{}} for {a="c"} but got 2'],
    ['expect ordered\n {a="c"} 2\n {a="b"} 1', 'expected metric {a="b"} at position 2 but was at 1'],
    ['3', 'expected scalar result, but got a vector'],
    ['expect fail', 'expected error evaluating query but got none'],
    ['expect warn\n {a="b"} 1\n {a="c"} 2', 'expected warn annotations but got none'],
  ])('compare %j', (body, failure) => {
    expect(verdict(`eval instant at 1m up\n ${body}`, twoSeries)).toBe(failure)
  })

  it('compare annotations both ways', () => {
    const script = (lines: string) => `eval instant at 1m up\n ${lines}\n {a="b"} 1\n {a="c"} 2`
    const infos = ['PromQL info: one', 'PromQL info: two']
    expect(verdict(script('expect info'), twoSeries, { infos })).toBe('passed')
    expect(
      verdict(script('expect info msg: PromQL info: one\n expect info regex: tw.'), twoSeries, { infos }),
    ).toBe('passed')
    expect(verdict(script('expect info regex: one'), twoSeries, { infos })).toBe(
      'unexpected info annotation "PromQL info: two"',
    )
    expect(verdict(script('expect info regex: three'), twoSeries, { infos })).toMatch(
      'expected info annotation matching "three"',
    )
    expect(verdict(script('expect no_info'), twoSeries, { infos })).toMatch('unexpected info annotations')
    expect(verdict(script('expect no_warn'), twoSeries, { infos })).toBe('passed')
  })

  it('compare errors', () => {
    const failing: Answer = () => {
      throw new QueryError('execution', 'it broke')
    }
    expect(verdict('eval instant at 1m up\n expect fail msg: it broke', failing)).toBe('passed')
    expect(verdict('eval instant at 1m up\n expect fail regex: no', failing)).toBe(
      'expected error matching "no", but got: it broke',
    )
    expect(verdict('eval instant at 1m up', failing)).toBe('error evaluating query: it broke')
    const broken: Answer = () => {
      throw new TypeError('a bug')
    }
    expect(verdict('eval instant at 1m up\n expect fail', broken)).toMatch(
      'something else than a QueryError: TypeError: a bug',
    )
  })
})

describe('range evaluations', () => {
  const matrix: Answer = () => ({
    type: 'matrix',
    series: [{ labels, times: Float64Array.of(0, 20_000), values: Float64Array.of(1, 3) }],
  })
  it.each([
    ['{a="b"} 1 _ 3', 'passed'],
    ['{a="b"} 1 2 3', /^expected 2 for {a="b"} at 10000, but there is a point at 20000/],
    ['{a="b"} 1', /^expected 1 points for {a="b"}, but got 2/],
    ['{a="b"} 1 _ 3 4', /query time range cannot return this many points/],
    ['{a="b"} 1 _ 4', /^expected value at index 1 \(t=20000\)/],
  ])('compare %s', (body, want) => {
    expect(verdict(`eval range from 0 to 20s step 10s up\n ${body}`, matrix)).toMatch(want)
  })

  it('want series in order', () => {
    const unordered: Answer = () => ({
      type: 'matrix',
      series: ['2', '1'].map((a) => ({
        labels: Labels.from({ a }),
        times: Float64Array.of(0),
        values: Float64Array.of(1),
      })),
    })
    expect(verdict('eval range from 0 to 0 step 1s up\n {a="1"} 1\n {a="2"} 1', unordered)).toMatch(
      'should always be sorted',
    )
  })
})

describe('a script', () => {
  it('goes on after a failed evaluation and stops at a load that cannot be done', () => {
    const query = (_: unknown, request: QueryRequest): QueryResult => ({
      value: { type: 'scalar', timeMs: request.startMs, value: 1 },
      warnings: [],
      infos: [],
      stats: NO_STATS,
    })
    const run = (text: string) => runScript(text, () => ({ query }), { extraChecks: false })
    expect(
      run('eval instant at 0 1\n 2\n\neval instant at 0 1\n 1').evals.map(({ failure }) => failure),
    ).toEqual(['expected scalar 2 but got 1', undefined])
    const stopped = run('load 1m\n up 1\n\nload 1m\n up 2\n\neval instant at 0 1\n 1')
    expect(stopped.error?.message).toBe('line 4: cannot load: duplicate sample for timestamp')
    expect(stopped.evals).toEqual([])
  })

  it('switches features by header lines', () => {
    let features: unknown
    runScript('#: use-start-timestamps off\n', (options) => {
      features = options.features
      return { query: () => expect.fail() }
    })
    expect(features).toMatchObject({
      useStartTimestamps: false,
      delayedNameRemoval: true,
      experimentalFunctions: true,
    })
  })
})

describe('pinning a query to a time', () => {
  const pin = (text: string) => {
    const pinned = pinExpr(parseExpr(text, ALL_EXPERIMENTS), 60_000)
    return pinned && printExpr(pinned)
  }
  it.each([
    ['rate(a[5m]) + b offset 1m', 'rate(a[5m] @ 60.000) + b @ 60.000 offset 1m'],
    ['topk(scalar(k), a @ 5)', 'topk(scalar(k @ 60.000), a @ 5.000)'],
    ['sum_over_time(a[5m:1m])', 'sum_over_time(a[5m:1m] @ 60.000)'],
    ['time() + a', undefined],
    ['sum_over_time(timestamp(a)[5m:1m])', 'sum_over_time(timestamp(a)[5m:1m] @ 60.000)'],
  ])('%s', (text, want) => {
    expect(pin(text)).toBe(want)
  })
})

describe('almost equal', () => {
  it.each([
    [1, 1.0000001, true],
    [1, 1.00001, false],
    [NaN, NaN, true],
    [NaN, 1, false],
    [Infinity, Infinity, true],
    [0, 1e-300, false],
    [0, 1e-320, true],
    [-1, 1, false],
  ])('%d and %d: %s', (a, b, want) => {
    expect(almostEqual(a, b)).toBe(want)
  })
})
