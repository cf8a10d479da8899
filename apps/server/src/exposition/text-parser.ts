// Parser of the Prometheus text format 0.0.4 / 1.0.0.
import type { MetricType } from '@watchfire/datamodel'
import { latin1, unescapeHelp, utf8 } from './go-text.ts'
import { quoteString } from '@watchfire/datamodel'
import { TOKEN, type Token } from './lexer.ts'
import { TextLexer } from './text-lexer.ts'
import { TextParserBase } from './text-parser-base.ts'
import { ExpositionError, type Entry, type ParsedExemplar } from './types.ts'

const TYPES: ReadonlyMap<string, MetricType> = new Map([
  ['counter', 'counter'],
  ['gauge', 'gauge'],
  ['histogram', 'histogram'],
  ['summary', 'summary'],
  ['untyped', 'unknown'],
])
const INT64_MAX = 9_223_372_036_854_775_807n

export class TextParser extends TextParserBase<TextLexer> {
  constructor(body: Uint8Array, typeAndUnitLabels = false) {
    super(new TextLexer(body), typeAndUnitLabels)
  }

  next(): Entry | undefined {
    for (;;) {
      this.start = this.lexer.i
      this.offsets = []
      const token = this.token()
      switch (token) {
        case TOKEN.eof:
          return undefined
        case TOKEN.linebreak:
          continue
        case TOKEN.help:
        case TOKEN.type:
          return this.meta(token)
        case TOKEN.comment: {
          this.comment = utf8(this.lexer.bytes, this.lexer.start, this.lexer.i)
          const end = this.token()
          if (end !== TOKEN.linebreak) throw this.fail('linebreak expected after comment', end)
          return 'comment'
        }
        case TOKEN.braceOpen:
          this.offsets = [-1, -1]
          this.readLabels(this.offsets, { strictCommas: false, exemplar: false })
          this.seriesEnd = this.lexer.i
          return this.afterSeries(this.token())
        case TOKEN.metricName:
          return this.afterSeries(this.named())
        default:
          throw this.fail('expected a valid start token', token)
      }
    }
  }

  exemplars(): ParsedExemplar[] {
    return []
  }

  startTimestampMs(): number {
    return 0
  }

  protected token(): Token {
    for (;;) {
      const token = this.lexer.lex()
      if (token !== TOKEN.whitespace) return token
    }
  }

  private named(): Token {
    // The name reaches from the start of the line, blanks in front of it included, as Prometheus has it.
    this.offsets.push(this.start, this.lexer.i)
    this.seriesEnd = this.lexer.i
    const token = this.token()
    if (token !== TOKEN.braceOpen) return token
    this.readLabels(this.offsets, { strictCommas: false, exemplar: false })
    this.seriesEnd = this.lexer.i
    return this.token()
  }

  private meta(kind: typeof TOKEN.help | typeof TOKEN.type): Entry {
    this.readFamilyName(kind)
    const got = this.token()
    if (got !== TOKEN.text) throw new ExpositionError(`expected text in ${kind}, got ${got}`)
    const { bytes, start, i } = this.lexer
    const from = Math.min(start + 1, i)
    if (kind === TOKEN.help) this.help = unescapeHelp(this.helpText(from, i))
    else {
      const name = utf8(bytes, from, i)
      const type = TYPES.get(name)
      if (type === undefined) throw new ExpositionError(`invalid metric type ${quoteString(name)}`)
      this.type = type
    }
    const end = this.token()
    if (end !== TOKEN.linebreak) throw this.fail('linebreak expected after metadata', end)
    return kind === TOKEN.help ? 'help' : 'type'
  }

  private afterSeries(token: Token): Entry {
    if (this.offsets[0] === -1) throw this.failWhile('metric name not set')
    if (token !== TOKEN.value) throw this.fail('expected value after metric', token)
    this.value = this.floatOfToken(0)
    this.timestampMs = undefined
    const after = this.token()
    if (after === TOKEN.linebreak) return 'series'
    if (after !== TOKEN.timestamp) throw this.fail('expected timestamp or new record', after)
    const text = latin1(this.lexer.bytes, this.lexer.start, this.lexer.i)
    if (text.length > 18 && BigInt(text) > INT64_MAX)
      throw this.failWhile(`strconv.ParseInt: parsing ${quoteString(text)}: value out of range`)
    this.timestampMs = Number(text)
    const end = this.token()
    if (end !== TOKEN.linebreak) throw this.fail('expected next entry after timestamp', end)
    return 'series'
  }
}
