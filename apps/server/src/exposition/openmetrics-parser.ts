// Parser of OpenMetrics text 1.0.0 / 0.0.1, with exemplars and start timestamps from `_created` lines.
import { formatGo, quoteString, type MetricType } from '@watchfire/datamodel'
import { latin1, unescapeLabel, utf8 } from './go-text.ts'
import { sortedLabels } from './series-labels.ts'
import { TOKEN, type Token } from './lexer.ts'
import { OpenMetricsLexer } from './openmetrics-lexer.ts'
import { TextParserBase } from './text-parser-base.ts'
import { ExpositionError, type Entry, type ParsedExemplar } from './types.ts'

const TYPES: ReadonlySet<string> = new Set([
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
  'unknown',
])
const CREATED = '_created'
const LABEL_OPTIONS = { strictCommas: true, exemplar: false }
const NO_EOF = 'data does not end with # EOF'

/** What follows in the body: the next `_created` line from some position on, or none before the family ends. */
interface NextCreated {
  /** Valid for series that begin here or later … */
  readonly from: number
  /** … and before here. */
  readonly until: number
  readonly key: string | undefined
  readonly startMs: number
}

export class OpenMetricsParser extends TextParserBase<OpenMetricsLexer> {
  /** Set by the option, and by the first question for a start: then `_created` lines are answers, not series. */
  #skipCreated: boolean
  readonly #peeking: boolean
  #familyNameLength = 0
  #exemplar: ParsedExemplar | undefined
  #nextCreated: NextCreated | undefined
  /** Series whose start is known from a `_created` line that stood before or after it. */
  #known: { key: string; startMs: number } | undefined

  constructor(
    body: Uint8Array | OpenMetricsLexer,
    options: { typeAndUnitLabels?: boolean; skipCreated?: boolean; peeking?: boolean } = {},
  ) {
    super(
      body instanceof OpenMetricsLexer ? body : new OpenMetricsLexer(body),
      options.typeAndUnitLabels ?? false,
    )
    this.#skipCreated = options.skipCreated ?? false
    this.#peeking = options.peeking ?? false
  }

  next(): Entry | undefined {
    for (;;) {
      this.start = this.lexer.i
      this.offsets = []
      this.#exemplar = undefined
      const token = this.token()
      switch (token) {
        case TOKEN.eofWord:
          if (this.token() !== TOKEN.eof) throw new ExpositionError('unexpected data after # EOF')
          return undefined
        case TOKEN.eof:
          throw new ExpositionError(NO_EOF)
        case TOKEN.help:
        case TOKEN.type:
        case TOKEN.unit:
          return this.meta(token)
        case TOKEN.braceOpen:
          this.offsets = [-1, -1]
          this.readLabels(this.offsets, LABEL_OPTIONS)
          this.seriesEnd = this.lexer.i
          this.afterSeries(this.token())
          break
        case TOKEN.metricName: {
          this.offsets.push(this.start, this.lexer.i)
          this.seriesEnd = this.lexer.i
          let after = this.token()
          if (after === TOKEN.braceOpen) {
            this.readLabels(this.offsets, LABEL_OPTIONS)
            this.seriesEnd = this.lexer.i
            after = this.token()
          }
          this.afterSeries(after)
          break
        }
        default:
          throw this.fail('expected a valid start token', token)
      }
      if (this.#skipCreated && this.startMatters() && this.rawName().endsWith(CREATED)) continue
      return 'series'
    }
  }

  exemplars(): ParsedExemplar[] {
    return this.#exemplar === undefined ? [] : [this.#exemplar]
  }

  startTimestampMs(): number {
    if (!this.startMatters()) {
      this.#known = undefined
      return 0
    }
    const nameEnd = Math.min((this.offsets[0] ?? 0) + this.#familyNameLength, this.seriesEnd)
    const key = this.createdKey(latin1(this.lexer.bytes, this.offsets[0] ?? 0, nameEnd))
    if (this.#known?.key === key && this.#known.startMs > 0) return this.#known.startMs
    this.#skipCreated = true
    const ahead = this.#nextCreated
    const next =
      ahead !== undefined && this.start >= ahead.from && this.start < ahead.until
        ? ahead
        : (this.#nextCreated = this.lookAhead())
    if (next.key !== key) {
      this.#known = undefined
      return 0
    }
    this.#known = { key, startMs: next.startMs }
    return next.startMs
  }

  protected token(): Token {
    return this.lexer.lex()
  }

  /** Types whose series count from a start. */
  private startMatters(): boolean {
    return this.type === 'counter' || this.type === 'summary' || this.type === 'histogram'
  }

  private rawName(): string {
    return latin1(this.lexer.bytes, this.offsets[0] ?? 0, this.offsets[1] ?? 0)
  }

  /** Identity of a series within its family without `le` and `quantile`. */
  private createdKey(name: string): string {
    const parts = [name]
    const { bytes } = this.lexer
    for (let k = 2; k + 3 < this.offsets.length; k += 4) {
      const label = latin1(bytes, this.offsets[k] ?? 0, this.offsets[k + 1] ?? 0)
      if (this.type === 'summary' && label === 'quantile') continue
      if (this.type === 'histogram' && label === 'le') continue
      parts.push(label, latin1(bytes, this.offsets[k + 2] ?? 0, this.offsets[k + 3] ?? 0))
    }
    return parts.join('\xff')
  }

  private lookAhead(): NextCreated {
    const scout = new OpenMetricsParser(this.lexer.fork(), { peeking: true })
    scout.type = this.type
    try {
      while (scout.next() === 'series') {
        const name = scout.rawName()
        if (!name.endsWith(CREATED)) continue
        const key = scout.createdKey(name.slice(0, -CREATED.length))
        return { from: this.start, until: scout.start, key, startMs: Math.trunc(scout.value * 1000) }
      }
    } catch {
      // A damaged line further on is reported when it is reached.
    }
    return { from: this.start, until: scout.start, key: undefined, startMs: 0 }
  }

  private meta(kind: typeof TOKEN.help | typeof TOKEN.type | typeof TOKEN.unit): Entry {
    this.readFamilyName(kind)
    this.#familyNameLength = (this.offsets[1] ?? 0) - (this.offsets[0] ?? 0)
    if (this.token() !== TOKEN.text) throw new ExpositionError(`expected text in ${kind}`)
    const { bytes, start, i } = this.lexer
    const from = Math.min(start + 1, i)
    const to = Math.max(from, i - 1)
    if (kind === TOKEN.help) {
      this.help = unescapeLabel(this.helpText(from, to))
      return 'help'
    }
    const text = utf8(bytes, from, to)
    if (kind === TOKEN.type) {
      if (!TYPES.has(text)) throw new ExpositionError(`invalid metric type ${quoteString(text)}`)
      this.type = text as MetricType
      return 'type'
    }
    this.unit = text
    if (text !== '' && !this.familyName.endsWith(`_${text}`))
      throw new ExpositionError(
        `unit ${quoteString(text)} not a suffix of metric ${quoteString(this.familyName)}`,
      )
    return 'unit'
  }

  private afterSeries(token: Token): void {
    if (this.offsets[0] === -1) throw this.failWhile('metric name not set')
    this.value = this.valueAfter(token, 'metric')
    this.timestampMs = undefined
    const after = this.token()
    if (after === TOKEN.eof) throw new ExpositionError(NO_EOF)
    if (after === TOKEN.comment) this.readExemplar()
    if (after !== TOKEN.timestamp) return
    const seconds = this.floatOfToken(1)
    if (!Number.isFinite(seconds)) throw new ExpositionError(`invalid timestamp ${formatGo(seconds)}`)
    this.timestampMs = Math.trunc(seconds * 1000)
    const end = this.token()
    if (end === TOKEN.comment) this.readExemplar()
    else if (end !== TOKEN.linebreak) throw this.fail('expected next entry after timestamp', end)
  }

  private valueAfter(token: Token, what: string): number {
    if (token !== TOKEN.value) throw this.fail(`expected value after ${what}`, token)
    return this.floatOfToken(1)
  }

  private readExemplar(): void {
    if (this.#peeking) {
      for (let token = this.token(); token !== TOKEN.linebreak; token = this.token())
        if (token === TOKEN.eof || token === TOKEN.invalid) throw new ExpositionError(NO_EOF)
      return
    }
    const offsets: number[] = []
    this.readLabels(offsets, { strictCommas: true, exemplar: true })
    const value = this.valueAfter(this.token(), 'exemplar labels')
    const { bytes } = this.lexer
    const pairs: [string, string][] = []
    for (let k = 0; k + 3 < offsets.length; k += 4)
      pairs.push([
        utf8(bytes, offsets[k] ?? 0, offsets[k + 1] ?? 0),
        utf8(bytes, offsets[k + 2] ?? 0, offsets[k + 3] ?? 0),
      ])
    const labels = sortedLabels(pairs)
    this.#exemplar = { labels, value }
    const after = this.token()
    if (after === TOKEN.linebreak) return
    if (after === TOKEN.eof) throw new ExpositionError(NO_EOF)
    if (after !== TOKEN.timestamp) throw this.fail('expected timestamp or comment', after)
    const seconds = this.floatOfToken(1)
    if (!Number.isFinite(seconds))
      throw new ExpositionError(`invalid exemplar timestamp ${formatGo(seconds)}`)
    this.#exemplar = { labels, value, timestampMs: Math.trunc(seconds * 1000) }
    const end = this.token()
    if (end !== TOKEN.linebreak) throw this.fail('expected next entry after exemplar timestamp', end)
  }
}
