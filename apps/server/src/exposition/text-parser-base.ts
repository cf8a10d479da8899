// What the parsers of the two text formats share: the fields of the current entry and the walk over `{…}`.
import type { HistogramSample, Labels, MetricType } from '@watchfire/datamodel'
import { decodeUtf8, latin1, parseFloatText, quoteBytes, utf8 } from './go-text.ts'
import { labelsFromOffsets } from './series-labels.ts'
import { TOKEN, type Lexer, type Token } from './lexer.ts'
import { ExpositionError, type Entry, type ExpositionParser, type ParsedExemplar } from './types.ts'

const QUOTE = 34

export abstract class TextParserBase<L extends Lexer> implements ExpositionParser {
  familyName = ''
  type: MetricType = 'unknown'
  help = ''
  unit = ''
  comment = ''
  value = 0
  timestampMs: number | undefined = undefined
  readonly histogram: HistogramSample | undefined = undefined

  protected readonly lexer: L
  readonly typeAndUnitLabels: boolean
  /** Position where the current entry began. */
  protected start = 0
  /** Position after the series text. */
  protected seriesEnd = 0
  /** See `labelsFromOffsets`; −1 for a name not seen yet. */
  protected offsets: number[] = []

  constructor(lexer: L, typeAndUnitLabels: boolean) {
    this.lexer = lexer
    this.typeAndUnitLabels = typeAndUnitLabels
  }

  abstract next(): Entry | undefined
  abstract exemplars(): ParsedExemplar[]
  abstract startTimestampMs(): number
  protected abstract token(): Token

  get seriesText(): string {
    return latin1(this.lexer.bytes, this.start, this.seriesEnd)
  }

  labels(): Labels {
    return labelsFromOffsets(this.lexer.bytes, this.offsets, this)
  }

  protected fail(expected: string, got: Token): ExpositionError {
    return this.lexer.error(expected, got, this.start)
  }

  /** An error about everything of the entry read so far. */
  protected failWhile(what: string): ExpositionError {
    const { bytes, i } = this.lexer
    return new ExpositionError(`${what} while parsing: ${quoteBytes(bytes.subarray(this.start, i))}`)
  }

  /** After HELP, TYPE or UNIT: the family's name, quotes off. */
  protected readFamilyName(after: Token): void {
    const got = this.token()
    if (got !== TOKEN.metricName) throw this.fail(`expected metric name after ${after}`, got)
    const { bytes, start, i } = this.lexer
    const quoted = bytes[start] === QUOTE && bytes[i - 1] === QUOTE
    this.offsets.push(quoted ? start + 1 : start, quoted ? i - 1 : i)
    this.familyName = utf8(bytes, this.offsets[0] ?? 0, this.offsets[1] ?? 0)
  }

  /** Help text from a range, which must be UTF-8. */
  protected helpText(start: number, end: number): string {
    const bytes = this.lexer.bytes.subarray(start, end)
    const text = decodeUtf8(bytes)
    if (text === undefined)
      throw new ExpositionError(`help text ${quoteBytes(bytes)} is not a valid utf8 string`)
    return text
  }

  /** The float from `skip` bytes after the token's start to its end. */
  protected floatOfToken(skip: number): number {
    const { bytes, start, i } = this.lexer
    try {
      return parseFloatText(latin1(bytes, start + skip, i))
    } catch (error) {
      throw this.failWhile(error instanceof Error ? error.message : String(error))
    }
  }

  /** Labels after `{` up to `}`, noted in `offsets`. `strictCommas`: OpenMetrics wants a comma or the end after a value. */
  protected readLabels(offsets: number[], options: { strictCommas: boolean; exemplar: boolean }): void {
    const { lexer } = this
    let token = this.token()
    for (;;) {
      let from = lexer.start
      let to = lexer.i
      if (token === TOKEN.braceClose) return
      if (token !== TOKEN.labelName && token !== TOKEN.quotedString)
        throw this.fail('expected label name', token)
      const isQuoted = token === TOKEN.quotedString
      token = this.token()
      if (isQuoted && (token === TOKEN.comma || token === TOKEN.braceClose)) {
        if (options.exemplar) throw this.fail('expected label name', token)
        if (offsets[0] !== -1 || offsets[1] !== -1) throw this.failWhile('metric name already set')
        offsets[0] = from + 1
        offsets[1] = to - 1
        if (token === TOKEN.braceClose) return
        token = this.token()
        continue
      }
      if (lexer.bytes[from] === QUOTE) {
        from++
        to--
      }
      if (token !== TOKEN.equal) throw this.fail('expected equal', token)
      token = this.token()
      if (token !== TOKEN.labelValue) throw this.fail('expected label value', token)
      if (!isAscii(lexer.bytes, lexer.start, lexer.i)) {
        const literal = lexer.bytes.subarray(lexer.start, lexer.i)
        if (decodeUtf8(literal) === undefined)
          throw new ExpositionError(`invalid UTF-8 label value: ${quoteBytes(literal)}`)
      }
      offsets.push(from, to, lexer.start + 1, lexer.i - 1)
      token = this.token()
      if (token === TOKEN.comma) token = this.token()
      else if (options.strictCommas && token !== TOKEN.braceClose)
        throw this.fail('expected comma or brace close', token)
    }
  }
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if ((bytes[i] ?? 0) >= 0x80) return false
  return true
}
