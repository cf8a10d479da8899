import { Labels, formatValue, type FloatHistogram } from '@watchfire/datamodel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { QueryResult, QueryValue } from '../contract.ts'
import { JsonWriter } from './json-writer.ts'
import { resultToJson, type JsonOptions } from './json.ts'

const timings = {
  evalTotalTime: 0.5,
  resultSortTime: 0,
  queryPreparationTime: 0.25,
  innerEvalTime: 0.125,
  execQueueTime: 0,
  execTotalTime: 0.5,
}

function body(value: QueryValue, options?: JsonOptions, notes?: Partial<QueryResult>): string {
  const samples = { totalQueryableSamples: 3, peakSamples: 2, samplesRead: 1 }
  const result: QueryResult = { value, warnings: [], infos: [], stats: { timings, samples }, ...notes }
  return Buffer.from(resultToJson(result, options)).toString()
}

const up = Labels.from({ __name__: 'up', job: 'a"b\\\n<ü\u2028' })
const histogram: FloatHistogram = {
  schema: 0,
  zeroThreshold: 0.5,
  zeroCount: 2,
  count: 7.5,
  sum: 12,
  positiveSpans: [{ offset: 0, length: 2 }],
  negativeSpans: [{ offset: 1, length: 1 }],
  positiveBuckets: Float64Array.of(3, 0),
  negativeBuckets: Float64Array.of(2.5),
  customValues: [],
  counterResetHint: 0,
}

describe('results as JSON', () => {
  it('are vectors of samples', () => {
    const value: QueryValue = {
      type: 'vector',
      samples: [
        { labels: up, timeMs: 1_435_781_451_781, value: 1.5 },
        { labels: Labels.EMPTY, timeMs: 2000, value: 0, histogram },
      ],
    }
    expect(body(value)).toBe(
      '{"status":"success","data":{"resultType":"vector","result":[' +
        '{"metric":{"__name__":"up","job":"a\\"b\\\\\\n<ü\\u2028"},"value":[1435781451.781,"1.5"]},' +
        '{"metric":{},"histogram":[2,{"count":"7.5","sum":"12","buckets":[' +
        '[1,"-2","-1","2.5"],[3,"-0.5","0.5","2"],[0,"0.5","1","3"]]}]}]}}',
    )
  })

  it('are matrices, floats before histograms', () => {
    const times = Float64Array.of(-1500, 0, 60, 1000)
    const value: QueryValue = {
      type: 'matrix',
      series: [
        { labels: Labels.EMPTY, times, values: Float64Array.of(1, -2.25, NaN, Infinity) },
        { labels: Labels.EMPTY, times: times.slice(1, 3), values: Float64Array.of(1e21, 1e-7) },
        {
          labels: Labels.EMPTY,
          times: times.slice(2),
          values: Float64Array.of(7, 0),
          histograms: [undefined, histogram],
        },
      ],
    }
    const { data } = JSON.parse(body(value)) as {
      data: { result: { values?: unknown; histograms?: unknown[] }[] }
    }
    expect(data.result.map(({ values }) => values)).toEqual([
      [
        [-1.5, '1'],
        [0, '-2.25'],
        [0.06, 'NaN'],
        [1, '+Inf'],
      ],
      [
        [0, '1e+21'],
        [0.06, '1e-07'],
      ],
      [[0.06, '7']],
    ])
    expect(data.result[2]!.histograms).toHaveLength(1)
    expect(body(value)).toContain('[0.060,"NaN"]')
  })

  it('have points on and beside the grid of the longest series, in batches', () => {
    const steps = 10_000
    const times = Float64Array.from({ length: steps }, (_, i) => 1_700_000_000_000 + i * 15_000)
    const values = Float64Array.from({ length: steps }, (_, i) => i / 8)
    const kept = times.map((_, i) => i).filter((i) => i % 4097 > 4090)
    const pick = (column: Float64Array): Float64Array => Float64Array.from(kept, (i) => column[i]!)
    const value: QueryValue = {
      type: 'matrix',
      series: [
        { labels: Labels.EMPTY, times, values },
        { labels: Labels.EMPTY, times: pick(times), values: pick(values) },
        { labels: Labels.EMPTY, times: Float64Array.of(1, 2), values: Float64Array.of(3, 4) },
      ],
    }
    const { data } = JSON.parse(body(value)) as { data: { result: { values: [number, string][] }[] } }
    const pairs = (own: Float64Array, numbers: Float64Array): unknown =>
      Array.from(own, (time, i) => [time / 1000, formatValue(numbers[i]!)])
    expect(data.result[0]!.values).toEqual(pairs(times, values))
    expect(data.result[1]!.values).toEqual(pairs(pick(times), pick(values)))
    expect(data.result[2]!.values).toEqual([
      [0.001, '3'],
      [0.002, '4'],
    ])
  })

  it('are refused when they get too big', () => {
    const samples = [1, 2, 3].map((value) => ({ labels: up, timeMs: 0, value }))
    expect(() => body({ type: 'vector', samples }, { bytesMax: 100 })).toThrow('bigger than 100 bytes')
  })

  it('are empty lists when there is nothing', () => {
    const empty = '{"status":"success","data":{"resultType":"matrix","result":[]}}'
    expect(body({ type: 'matrix', series: [] })).toBe(empty)
  })

  it('are scalars and strings', () => {
    const scalar = '{"status":"success","data":{"resultType":"scalar","result":[1.5,"-0"]}}'
    expect(body({ type: 'scalar', timeMs: 1500, value: -0 })).toBe(scalar)
    const string = '{"status":"success","data":{"resultType":"string","result":[1,"a\\u003cb"]}}'
    expect(body({ type: 'string', timeMs: 1000, value: 'a<b' })).toBe(string)
  })

  it('are cut at the limit, with a warning', () => {
    const samples = [1, 2, 3].map((value) => ({ labels: Labels.EMPTY, timeMs: 0, value }))
    const text = body({ type: 'vector', samples }, { limit: 2 })
    expect(text).toContain('"result":[{"metric":{},"value":[0,"1"]},{"metric":{},"value":[0,"2"]}]}')
    expect(text).toContain(',"warnings":["results truncated due to limit"]}')
    expect(body({ type: 'vector', samples }, { limit: 3 })).not.toContain('warnings')
  })

  it('carry statistics and at most ten warnings and infos each', () => {
    const warnings = Array.from({ length: 12 }, (_, i) => `w${i} </`)
    const text = body(
      { type: 'matrix', series: [] },
      { stats: true, warnings: ['own'] },
      { warnings, infos: ['i'] },
    )
    const parsed = JSON.parse(text) as { warnings: string[]; infos: string[]; data: { stats: unknown } }
    expect(parsed.warnings).toHaveLength(11)
    expect(parsed.warnings[0]).toBe('own')
    expect(parsed.warnings[10]).toBe('3 more warning annotations omitted')
    expect(parsed.infos).toEqual(['i'])
    expect(text).toContain('w0 \\u003c/')
    expect(parsed.data.stats).toEqual({
      timings,
      samples: { totalQueryableSamples: 3, samplesRead: 1, peakSamples: 2 },
    })
  })
})

describe('numbers', () => {
  const written = (write: (writer: JsonWriter) => void): string => {
    const writer = new JsonWriter(1)
    write(writer)
    return Buffer.from(writer.finish()).toString()
  }

  it('are written as formatValue does', () => {
    const decimals = fc.tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 9 }))
    const any = fc.oneof(
      fc.double(),
      fc.maxSafeInteger(),
      decimals.map(([n, places]) => n / 10 ** places),
      fc.constantFrom(0, -0, 1e15, 999_999_999_999_999, 1e21, 1e-6, 1e-7, 0.1 + 0.2),
    )
    fc.assert(
      fc.property(any, (value) => {
        expect(written((writer) => writer.number(value))).toBe(`"${formatValue(value)}"`)
      }),
      { numRuns: 2000 },
    )
  })

  it('are times with three decimals unless they are whole seconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e15, max: 1e15 }), (ms) => {
        const text = written((writer) => writer.timestamp(ms))
        expect(Math.round(Number(text) * 1000)).toBe(ms === 0 ? 0 : ms)
        expect(text).toMatch(ms % 1000 === 0 ? /^-?\d+$/ : /^-?\d+\.\d{3}$/)
      }),
    )
  })
})
