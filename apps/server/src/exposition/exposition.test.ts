// Parsers of all formats through the folder's index: what they yield, how they fail, and that nothing makes them misbehave.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ExpositionError,
  acceptHeader,
  createParser,
  formatOpenMetricsFloat,
  limitHistogram,
  negotiateMediaType,
  schemaForFactor,
  type ParserOptions,
} from './index.ts'
import { formatValue, histogramFault, type HistogramSample } from '@watchfire/datamodel'

const TEXT = 'text/plain; version=0.0.4'
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0'
const PROTOBUF =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited'

/** Entries of a body, one string each; an error ends them. */
function entries(body: string | Uint8Array, contentType = TEXT, options: ParserOptions = {}): string[] {
  const { parser, warning } = createParser(Buffer.from(body as string), contentType, options)
  if (parser === undefined) return [`no parser: ${warning}`]
  const found: string[] = []
  try {
    for (let kind = parser.next(); kind !== undefined; kind = parser.next()) {
      if (kind === 'series' || kind === 'histogram') {
        const time = parser.timestampMs === undefined ? '' : ` @${parser.timestampMs}`
        const start = parser.startTimestampMs() === 0 ? '' : ` from ${parser.startTimestampMs()}`
        const value = parser.histogram === undefined ? String(parser.value) : show(parser.histogram)
        const exemplars = parser.exemplars().map((e) => ` # ${e.labels} ${e.value}`)
        found.push(`${parser.labels()} ${value}${time}${start}${exemplars.join('')}`)
      } else if (kind === 'type') found.push(`type ${parser.familyName} ${parser.type}`)
      else if (kind === 'help') found.push(`help ${parser.familyName} ${parser.help}`)
      else if (kind === 'unit') found.push(`unit ${parser.familyName} ${parser.unit}`)
    }
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error
    found.push(`error: ${error.message}`)
  }
  return found
}

function show(h: HistogramSample): string {
  return `count ${h.count} sum ${h.sum} bounds ${h.customValues.join(',')} buckets ${h.positiveBuckets.join(',')}`
}

describe('the text format', () => {
  it('yields metadata and samples', () => {
    expect(
      entries(
        '# HELP a_total some \\\\ help\\n\n# TYPE a_total counter\n# a comment\na_total{x="\\"é\\n\\\\",} 1e3 1500\n\nb NaN',
      ),
    ).toEqual([
      'help a_total some \\ help\n',
      'type a_total counter',
      '{__name__="a_total", x="\\"é\\n\\\\"} 1000 @1500',
      '{__name__="b"} NaN',
    ])
  })

  it('knows quoted names', () => {
    expect(entries('{"a.b","c d"="e"} 1\n# TYPE "q.r" gauge\n')).toEqual([
      '{__name__="a.b", "c d"="e"} 1',
      'type q.r gauge',
    ])
  })

  it('gives bounds their OpenMetrics form', () => {
    expect(entries('# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="1000000"} 1\n')).toContain(
      '{__name__="h_bucket", le="1.0"} 1',
    )
    expect([0.25, 1, 1e6, Infinity, -0].map(formatOpenMetricsFloat)).toEqual([
      '0.25',
      '1.0',
      '1e+06',
      '+Inf',
      '-0.0',
    ])
  })

  it('says what is wrong and where', () => {
    const f = (body: string, error: string): void => expect(entries(body).at(-1)).toBe(`error: ${error}`)
    f('a 1\nb{ 2\n', 'expected label name, got "2" ("INVALID") while parsing: "b{ 2"')
    f('a 1_000\n', 'unsupported character in float while parsing: "a 1_000"')
    f('a 1\r\n', 'strconv.ParseFloat: parsing "1\\r": invalid syntax while parsing: "a 1\\r"')
    f('a 1e999\n', 'strconv.ParseFloat: parsing "1e999": value out of range while parsing: "a 1e999"')
    f('{a="b"} 1\n', 'metric name not set while parsing: "{a=\\"b\\"} 1"')
    f(
      'a 1 99999999999999999999\n',
      'strconv.ParseInt: parsing "99999999999999999999": value out of range while parsing: "a 1 99999999999999999999"',
    )
  })
})

describe('OpenMetrics', () => {
  it('yields units, exemplars and times in seconds', () => {
    expect(
      entries(
        '# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1 1.5 # {id="x"} 0.5 2\n# EOF\n',
        OPEN_METRICS,
      ),
    ).toEqual([
      'type a_seconds counter',
      'unit a_seconds seconds',
      '{__name__="a_seconds_total"} 1 @1500 # {id="x"} 0.5',
    ])
  })

  it('must end with EOF', () => {
    expect(entries('a 1\n', OPEN_METRICS).at(-1)).toBe('error: data does not end with # EOF')
    expect(entries('a 1\n# EOF\nb 1\n', OPEN_METRICS).at(-1)).toBe('error: unexpected data after # EOF')
  })

  it('reads start timestamps in linear time', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `a_total{i="${i}"} 1\n`).join('')
    const begin = performance.now()
    const found = entries(`# TYPE a counter\n${lines}a_created{i="19999"} 5\n# EOF\n`, OPEN_METRICS, {
      skipStartTimestampSeries: true,
    })
    expect(found).toHaveLength(20_001)
    expect(found.at(-1)).toBe('{__name__="a_total", i="19999"} 1 from 5000')
    expect(performance.now() - begin).toBeLessThan(5000)
  })
})

describe('conversion of classic histograms', () => {
  const body =
    '# TYPE h histogram\nh_bucket{le="0.5"} 1\nh_bucket{le="+Inf"} 3\nh_sum 4\nh_count 3\n# TYPE g gauge\ng 1\n'

  it('replaces them', () => {
    expect(entries(body, TEXT, { convertClassicToNhcb: true })).toEqual([
      'type h histogram',
      '{__name__="h"} count 3 sum 4 bounds 0.5 buckets 1,2',
      'type g gauge',
      '{__name__="g"} 1',
    ])
  })

  it('keeps them beside', () => {
    expect(entries(body, TEXT, { convertClassicToNhcb: true, keepClassic: true })).toHaveLength(8)
  })

  it('leaves out what is inconsistent', () => {
    expect(entries(body.replace('"0.5"} 1', '"0.5"} 9'), TEXT, { convertClassicToNhcb: true })).toEqual([
      'type h histogram',
      'type g gauge',
      '{__name__="g"} 1',
    ])
  })
})

describe('protobuf', () => {
  it('yields native histograms', () => {
    const hex =
      '2f0a027068120168180422243a220805110000000000000840280031fca9f1d24d62503f38016204080010026a020400'
    expect(entries(Buffer.from(hex, 'hex'), PROTOBUF)).toEqual([
      'help ph h',
      'type ph histogram',
      '{__name__="ph"} count 5 sum 3 bounds  buckets 2,2',
    ])
    expect(entries(Buffer.from(hex, 'hex'), PROTOBUF, { ignoreNativeHistograms: true })).toEqual([
      'help ph h',
      'type ph histogram',
      '{__name__="ph_count"} 5',
      '{__name__="ph_sum"} 3',
      '{__name__="ph_bucket", le="+Inf"} 5',
    ])
  })

  it('says how much is missing', () => {
    expect(entries('a1 0', PROTOBUF)).toEqual([
      'error: clientpb: insufficient length of buffer, expected at least 98 bytes, got 4 bytes',
    ])
  })
})

describe('negotiation', () => {
  it('asks in the order of the protocols', () => {
    expect(acceptHeader(['PrometheusProto', 'OpenMetricsText1.0.0'], 'underscores')).toBe(
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,' +
        'application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.5,*/*;q=0.4',
    )
  })

  it('takes the fallback for missing, unknown and bad types only', () => {
    const f = (type: string, want: string): void =>
      expect(negotiateMediaType(type, 'text/plain').mediaType).toBe(want)
    f('', 'text/plain')
    f('text/html', 'text/plain')
    f('application/openmetrics-text;;;', 'text/plain')
    f('Application/OpenMetrics-Text; version=1.0.0; charset=utf-8', 'application/openmetrics-text')
    expect(negotiateMediaType('text/html', '').mediaType).toBe('')
  })
})

describe('native histograms', () => {
  const histogram = (): HistogramSample => ({
    schema: 2,
    zeroThreshold: 0.001,
    zeroCount: 0,
    count: 10,
    sum: 1,
    positiveSpans: [{ offset: 0, length: 4 }],
    negativeSpans: [],
    positiveBuckets: Float64Array.of(1, 2, 3, 4),
    negativeBuckets: new Float64Array(0),
    customValues: [],
    counterResetHint: 0,
    integer: true,
  })

  it('lose resolution until the limit holds', () => {
    const h = histogram()
    expect(limitHistogram(h, { bucketsMax: 2, schemaMax: 8 })).toBe(true)
    expect(h).toMatchObject({ schema: 0, positiveSpans: [{ offset: 0, length: 2 }] })
    expect([...h.positiveBuckets]).toEqual([1, 9])
    expect(limitHistogram(histogram(), { bucketsMax: 1, schemaMax: 8 })).toBe(false)
    const coarse = histogram()
    limitHistogram(coarse, { bucketsMax: 0, schemaMax: schemaForFactor(1.5) })
    expect(coarse.schema).toBe(0)
  })

  it('are checked', () => {
    expect(histogramFault(histogram())).toBeUndefined()
    expect(histogramFault({ ...histogram(), count: 1 })).toMatch(
      /^10 observations found in buckets, but the Count field is 1: /,
    )
    expect(histogramFault({ ...histogram(), positiveSpans: [] })).toMatch(
      /^positive side: spans need 0 buckets, have 4 buckets/,
    )
    expect(histogramFault({ ...histogram(), schema: 9 })).toMatch(/invalid schema/)
  })
})

describe('whatever comes', () => {
  const token = fc.constantFrom(
    ...[
      'a',
      'b_total',
      'h_bucket',
      '{',
      '}',
      'le="1"',
      '"x.y"',
      'c="d"',
      ',',
      '=',
      ' ',
      '\t',
      '\n',
      '# ',
      '#',
      'HELP',
      'TYPE',
      'UNIT',
    ],
    ...[
      'EOF',
      'counter',
      'histogram',
      '1',
      '-1.5e3',
      'NaN',
      '+Inf',
      '\\',
      '"',
      '\0',
      'é',
      '\xff',
      '_created',
      '# {',
      ' 12',
    ],
  )
  const body = fc.oneof(
    fc.array(token, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''), 'latin1')),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  )

  it.each([TEXT, OPEN_METRICS, PROTOBUF])('%s ends or fails with an error of its own', (contentType) => {
    fc.assert(
      fc.property(body, fc.boolean(), fc.boolean(), (bytes, convertClassicToNhcb, typeAndUnitLabels) => {
        entries(bytes, contentType, {
          convertClassicToNhcb,
          typeAndUnitLabels,
          skipStartTimestampSeries: true,
        })
      }),
      { numRuns: 3000, interruptAfterTimeLimit: 4000 },
    )
  })

  it('what is printed in the text format comes back', () => {
    const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,10}$/)
    const label = fc.tuple(
      fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,10}$/),
      fc.string({ unit: 'grapheme', maxLength: 10 }),
    )
    const sample = fc.record({
      name,
      labels: fc.array(label, { maxLength: 4 }),
      value: fc.double({ noNaN: true }),
      time: fc.option(fc.nat()),
    })
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 5 }), (samples) => {
        const text = samples.map((s) => {
          const escaped = s.labels.map(
            ([n, v]) => `${n}="${v.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
          )
          const value = formatValue(s.value)
          return `${s.name}{${escaped.join(',')}} ${value}${s.time === null ? '' : ` ${s.time}`}\n`
        })
        const { parser } = createParser(Buffer.from(text.join('')), TEXT)
        for (const s of samples) {
          expect(parser!.next()).toBe('series')
          expect(Object.is(parser!.value, s.value)).toBe(true)
          expect(parser!.timestampMs).toBe(s.time ?? undefined)
          const labels = parser!.labels()
          for (const [n, v] of s.labels) if (n !== '__name__') expect([...labels]).toContainEqual([n, v])
        }
        expect(parser!.next()).toBeUndefined()
      }),
      { numRuns: 500, interruptAfterTimeLimit: 4000 },
    )
  })
})
