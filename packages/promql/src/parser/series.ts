// Series descriptions, the notation of test scripts and of rule unit tests: a label set and the values it takes at
// successive steps, `up{job="a"} 1 1x3 _ 2+10x4 stale {{schema:0 count:3}}x2`.
import {
  COUNTER_RESET,
  IncompatibleHistogramsError,
  Labels,
  METRIC_NAME,
  addHistograms,
  subHistograms,
  type CounterResetHint,
  type FloatHistogram,
  type Span,
} from '@watchfire/datamodel'
import { resolveParserOptions, type ParserOptions } from './options.ts'
import { TokenStream } from './token-stream.ts'
import { KEY_PREFIX, METRIC_WORDS, type Token } from './tokens.ts'

/** What a series has at one step. */
export type SeriesValue =
  | { readonly kind: 'omitted' }
  | { readonly kind: 'stale' }
  | { readonly kind: 'float'; readonly value: number }
  | {
      readonly kind: 'histogram'
      readonly histogram: FloatHistogram
      /** The literal names a counter reset hint; otherwise a comparison leaves the hint out. */
      readonly hintSet: boolean
    }

export interface SeriesDescription {
  readonly labels: Labels
  readonly values: readonly SeriesValue[]
}

/** Parses one line of the notation. Throws `ParseError`. */
export function parseSeriesDescription(text: string, options?: ParserOptions): SeriesDescription {
  return new SeriesParser(text, resolveParserOptions(options), true).parse()
}

const VALUES = 'series values'
const LABELS = 'label set'
const HINTS: Readonly<Record<string, CounterResetHint>> = {
  'hint unknown': COUNTER_RESET.unknown,
  'hint reset': COUNTER_RESET.reset,
  'hint not_reset': COUNTER_RESET.notReset,
  'hint gauge': COUNTER_RESET.gauge,
}

interface HistogramValue {
  readonly histogram: FloatHistogram
  readonly hintSet: boolean
}

class SeriesParser extends TokenStream {
  readonly #values: SeriesValue[] = []

  parse(): SeriesDescription {
    const labels = this.parseMetric()
    const first = this.peek().type
    if (first !== ' ' && first !== 'end of input') this.unexpected(VALUES)
    while (this.peek().type === ' ') {
      this.take()
      this.parseItem()
    }
    if (this.peek().type !== 'end of input') this.unexpected()
    return { labels, values: this.#values }
  }

  private parseMetric(): Labels {
    const token = this.peek()
    const pairs: [string, string][] = []
    const named =
      METRIC_WORDS.has(token.type) || token.type === 'identifier' || token.type === 'metric identifier'
    if (named) this.take()
    if (this.peek().type === '{') this.parseLabelSet(pairs)
    if (named) pairs.push([METRIC_NAME, token.text])
    return Labels.from(pairs)
  }

  private parseLabelSet(pairs: [string, string][]): void {
    this.take()
    while (this.peek().type !== '}') {
      const token = this.peek()
      const quoted = token.type === 'string'
      if (!quoted && token.type !== 'identifier') this.unexpected(LABELS, 'identifier or "}"')
      this.take()
      const name = quoted ? this.unquoted(token) : token.text
      if (this.peek().type === '=') {
        this.take()
        if (this.peek().type !== 'string') this.unexpected(LABELS, 'string')
        pairs.push([name, this.unquoted(this.take())])
      } else if (quoted) pairs.push([METRIC_NAME, name])
      else this.unexpected(LABELS, '"="')
      if (this.peek().type === ',') this.take()
      else if (this.peek().type !== '}') this.unexpected(LABELS, '"," or "}"')
      else break
    }
    this.take()
  }

  /** One value or a repetition; blanks may follow each other, so there may be none. */
  private parseItem(): void {
    const token = this.peek()
    switch (token.type) {
      case '_': {
        this.take()
        const count = this.peek().type === 'x' ? this.parseTimes() : 1
        for (let i = 0; i < count; i++) this.push({ kind: 'omitted' }, token)
        return
      }
      case '{{':
        return this.parseHistograms()
      case 'identifier':
        if (token.text !== 'stale') this.unexpected(VALUES, 'number or "stale"')
        this.take()
        return this.parseFloats(token, undefined)
      case '+':
      case '-':
      case 'number':
        return this.parseFloats(token, this.parseSigned())
    }
  }

  private push(value: SeriesValue, token: Token): void {
    this.checkCount(1, token.start)
    this.#values.push(value)
  }

  private checkCount(more: number, offset: number): void {
    if (this.#values.length + more > this.options.valuesMax)
      this.fail(`series has more than ${this.options.valuesMax} values`, offset)
  }

  private parseSigned(context = VALUES, expected = ''): number {
    const sign = this.peek().type
    if (sign === '+' || sign === '-') this.take()
    if (this.peek().type !== 'number') this.unexpected(context, expected)
    const { value } = this.parseNumberLiteral()
    return sign === '-' ? -value : value
  }

  /** After a value (undefined: stale): `xN` repeats it, `+DxN` and `-DxN` change it step by step. */
  private parseFloats(token: Token, first: number | undefined): void {
    const following = this.peek().type
    if (following !== 'x' && following !== '+' && following !== '-') return this.pushFloat(first, token)
    const delta = following === 'x' ? 0 : this.parseSigned()
    if (this.peek().type !== 'x') this.unexpected(VALUES)
    const count = this.parseTimes()
    let value = first
    for (let i = 0; i <= count; i++) {
      this.pushFloat(value, token)
      if (value !== undefined && following !== 'x') value += delta
    }
  }

  private pushFloat(value: number | undefined, token: Token): void {
    this.push(value === undefined ? { kind: 'stale' } : { kind: 'float', value }, token)
  }

  private parseTimes(): number {
    this.take()
    const token = this.peek()
    if (token.type !== 'number') this.unexpected(VALUES)
    const count = this.parseUnsigned()
    this.checkCount(count, token.start)
    return count
  }

  /** A whole number; the message is the same wherever it stands. */
  private parseUnsigned(): number {
    const { text, start } = this.take()
    const fault = !/^[0-9]+$/.test(text)
      ? 'invalid syntax'
      : BigInt(text) >= 2n ** 64n
        ? 'value out of range'
        : undefined
    if (fault)
      this.fail(
        `invalid repetition in series values: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${fault}`,
        start,
      )
    return Number(text)
  }

  private parseHistograms(): void {
    const token = this.peek()
    let value = this.parseHistogram()
    const op = this.peek().type
    if (op !== 'x' && op !== '+' && op !== '-') return this.push({ kind: 'histogram', ...value }, token)
    let step: HistogramValue | undefined
    if (op !== 'x') {
      this.take()
      if (this.peek().type !== '{{') this.unexpected(VALUES)
      step = this.parseHistogram()
      value = { ...value, hintSet: step.hintSet }
      if (this.peek().type !== 'x') this.unexpected(VALUES)
    }
    const count = this.parseTimes()
    const end = this.lastEnd - 1
    for (let i = 0; i <= count; i++) {
      this.push({ kind: 'histogram', ...value }, token)
      if (step && i < count) value = { ...value, histogram: this.combined(value.histogram, op, step, end) }
    }
  }

  private combined(base: FloatHistogram, op: string, step: HistogramValue, offset: number): FloatHistogram {
    if (base.schema > step.histogram.schema)
      this.fail(
        `error combining histograms: cannot merge from schema ${step.histogram.schema} to ${base.schema}`,
        offset,
      )
    try {
      return (op === '+' ? addHistograms : subHistograms)(base, step.histogram).histogram
    } catch (error) {
      if (error instanceof IncompatibleHistogramsError) this.fail(error.message, offset)
      throw error
    }
  }

  private parseHistogram(): HistogramValue {
    this.take()
    const fields = new Map<string, number | number[]>()
    if (this.peek().type === ' ') {
      this.take()
      if (this.peek().type !== '}}') this.unexpected(VALUES)
    }
    while (this.peek().type !== '}}') {
      const misplaced = (): never =>
        fields.size === 0
          ? this.unexpected(VALUES)
          : this.unexpected('histogram description', 'histogram description key, e.g. buckets:[5 10 7]')
      this.parseField(fields, misplaced)
      if (this.peek().type === ' ') this.take()
      else if (this.peek().type !== '}}') misplaced()
    }
    this.take()
    return { histogram: buildHistogram(fields), hintSet: fields.has('counter_reset_hint') }
  }

  private parseField(fields: Map<string, number | number[]>, misplaced: () => never): void {
    if (!this.peek().type.startsWith(KEY_PREFIX)) misplaced()
    const key = this.take().type.slice(KEY_PREFIX.length)
    if (this.peek().type !== ':') misplaced()
    this.take()
    const value = this.parseFieldValue(key, misplaced)
    if (fields.has(key)) this.fail(`duplicate key "${key}" in histogram`, 0)
    fields.set(key, value)
  }

  private parseFieldValue(key: string, misplaced: () => never): number | number[] {
    switch (key) {
      case 'buckets':
      case 'n_buckets':
      case 'custom_values':
        return this.parseBuckets(misplaced)
      case 'counter_reset_hint': {
        const hint = HINTS[this.peek().type]
        if (hint === undefined) misplaced()
        this.take()
        return hint!
      }
      case 'schema':
      case 'offset':
      case 'n_offset':
        return this.parseInteger(misplaced)
      default:
        return this.parseFieldNumber(misplaced)
    }
  }

  private parseInteger(misplaced: () => never): number {
    const negative = this.peek().type === '-'
    if (negative) this.take()
    if (this.peek().type !== 'number') misplaced()
    const value = this.parseUnsigned()
    // 32 bits, as the field in the histogram has.
    return (negative ? -value : value) | 0
  }

  private parseFieldNumber(misplaced: () => never): number {
    const negative = this.peek().type === '-'
    if (negative) this.take()
    if (this.peek().type !== 'number') misplaced()
    const { value } = this.parseNumberLiteral()
    return negative ? -value : value
  }

  private parseBuckets(misplaced: () => never): number[] {
    if (this.peek().type !== '[') misplaced()
    this.take()
    const counts = [this.parseFieldNumber(misplaced)]
    while (this.peek().type === ' ') {
      this.take()
      if (this.peek().type !== ']') counts.push(this.parseFieldNumber(misplaced))
    }
    if (this.peek().type !== ']') misplaced()
    this.take()
    return counts
  }
}

function buildHistogram(fields: ReadonlyMap<string, number | number[]>): FloatHistogram {
  const number = (key: string): number => (fields.get(key) as number | undefined) ?? 0
  const list = (key: string): number[] => (fields.get(key) as number[] | undefined) ?? []
  const spans = (buckets: string, offset: string): Span[] => {
    const { length } = list(buckets)
    return length > 0 ? [{ offset: number(offset), length }] : []
  }
  return {
    schema: number('schema'),
    zeroThreshold: number('z_bucket_w'),
    zeroCount: number('z_bucket'),
    count: number('count'),
    sum: number('sum'),
    positiveSpans: spans('buckets', 'offset'),
    negativeSpans: spans('n_buckets', 'n_offset'),
    positiveBuckets: Float64Array.from(list('buckets')),
    negativeBuckets: Float64Array.from(list('n_buckets')),
    customValues: list('custom_values'),
    counterResetHint: number('counter_reset_hint') as CounterResetHint,
  }
}
