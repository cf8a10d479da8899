// Label sets: immutable, sorted by label name in UTF-8 byte order, as every format of the field expects.

/** Label that holds the name of a metric. */
export const METRIC_NAME = '__name__'

/**
 * Compares two strings by their UTF-8 bytes. JavaScript compares UTF-16 units, which differs for
 * characters above U+FFFF against U+E000..U+FFFF.
 */
export function compareUtf8(a: string, b: string): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return unitRank(x) - unitRank(y)
  }
  return a.length - b.length
}

/** Surrogates (U+D800..U+DFFF) stand for characters above U+FFFF, so they sort after every other unit. */
function unitRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** An immutable label set. Labels with an empty value do not exist. */
export class Labels {
  static readonly EMPTY: Labels = new Labels([])

  /** name0, value0, name1, value1 …, sorted by name. */
  readonly pairs: readonly string[]
  #key: string | undefined

  private constructor(pairs: readonly string[]) {
    this.pairs = pairs
  }

  /** Takes pairs that are sorted by name, unique and without empty values: the caller vouches for it. */
  static fromSortedPairs(pairs: readonly string[]): Labels {
    return pairs.length === 0 ? Labels.EMPTY : new Labels(pairs)
  }

  /** Builds from any order; of names given twice the last counts; empty values are dropped. */
  static from(source: Readonly<Record<string, string>> | Iterable<readonly [string, string]>): Labels {
    const map = new Map<string, string>(
      Symbol.iterator in source ? source : Object.entries(source as Record<string, string>),
    )
    const names = [...map.keys()].filter((name) => map.get(name) !== '').sort(compareUtf8)
    return Labels.fromSortedPairs(names.flatMap((name) => [name, map.get(name)!]))
  }

  /** Number of labels. */
  get size(): number {
    return this.pairs.length / 2
  }

  /** Value of a label, '' when it does not exist. */
  get(name: string): string {
    for (let i = 0; i < this.pairs.length; i += 2) if (this.pairs[i] === name) return this.pairs[i + 1]!
    return ''
  }

  has(name: string): boolean {
    for (let i = 0; i < this.pairs.length; i += 2) if (this.pairs[i] === name) return true
    return false
  }

  /** The metric's name, '' when there is none. */
  get metricName(): string {
    return this.get(METRIC_NAME)
  }

  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (let i = 0; i < this.pairs.length; i += 2) yield [this.pairs[i]!, this.pairs[i + 1]!]
  }

  names(): string[] {
    return this.pairs.filter((_, i) => i % 2 === 0)
  }

  /** Equal label sets have equal keys, different ones different keys. Made once. Not for showing. */
  key(): string {
    return (this.#key ??= this.pairs.join('\u0000'))
  }

  equals(other: Labels): boolean {
    return this === other || this.key() === other.key()
  }

  /** Order of label sets: name by name, then value by value, then the shorter first. */
  compare(other: Labels): number {
    const n = Math.min(this.pairs.length, other.pairs.length)
    for (let i = 0; i < n; i++) {
      const order = compareUtf8(this.pairs[i]!, other.pairs[i]!)
      if (order !== 0) return order
    }
    return this.pairs.length - other.pairs.length
  }

  /** Only the named labels. */
  keep(names: ReadonlySet<string>): Labels {
    return this.filter((name) => names.has(name))
  }

  /** All but the named labels. */
  drop(names: ReadonlySet<string>): Labels {
    return this.filter((name) => !names.has(name))
  }

  /** Without the metric's name. */
  withoutName(): Labels {
    return this.filter((name) => name !== METRIC_NAME)
  }

  private filter(keepName: (name: string) => boolean): Labels {
    const pairs: string[] = []
    for (let i = 0; i < this.pairs.length; i += 2)
      if (keepName(this.pairs[i]!)) pairs.push(this.pairs[i]!, this.pairs[i + 1]!)
    return pairs.length === this.pairs.length ? this : Labels.fromSortedPairs(pairs)
  }

  /** With one label set (or, given '', removed). */
  with(name: string, value: string): Labels {
    return new LabelsBuilder(this).set(name, value).labels()
  }

  toObject(): Record<string, string> {
    const object: Record<string, string> = {}
    for (const [name, value] of this) object[name] = value
    return object
  }

  toJSON(): Record<string, string> {
    return this.toObject()
  }

  /** The label set in braces with the name as a label: `{__name__="up", job="x"}`. */
  toString(): string {
    const parts: string[] = []
    for (const [name, value] of this) parts.push(`${quoteLabelName(name)}=${quoteString(value)}`)
    return `{${parts.join(', ')}}`
  }
}

/** Collects changes to a label set; `labels()` makes the result. */
export class LabelsBuilder {
  readonly #map: Map<string, string>

  constructor(base: Labels = Labels.EMPTY) {
    this.#map = new Map(base)
  }

  get(name: string): string {
    return this.#map.get(name) ?? ''
  }

  /** An empty value removes the label. */
  set(name: string, value: string): this {
    if (value === '') this.#map.delete(name)
    else this.#map.set(name, value)
    return this
  }

  delete(name: string): this {
    this.#map.delete(name)
    return this
  }

  names(): IterableIterator<string> {
    return this.#map.keys()
  }

  labels(): Labels {
    return Labels.from(this.#map)
  }
}

const LEGACY_LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
const LEGACY_METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/

/** A label name that needs no quotes in PromQL. */
export function isLegacyLabelName(name: string): boolean {
  return LEGACY_LABEL_NAME.test(name)
}

/** A metric name that needs no quotes in PromQL. */
export function isLegacyMetricName(name: string): boolean {
  return LEGACY_METRIC_NAME.test(name)
}

/** The name itself, or in quotes when it needs them. */
export function quoteLabelName(name: string): string {
  return isLegacyLabelName(name) ? name : quoteString(name)
}

/**
 * A Go string literal in double quotes, as strconv.Quote gives it. Bytes that are not UTF-8 (`"\xff"` in a query) are
 * the lone surrogates U+DC80…U+DCFF in strings here and are printed as `\xNN`.
 */
export function quoteString(value: string): string {
  let out = '"'
  for (const char of value) {
    const code = char.codePointAt(0)!
    if (char === '"' || char === '\\') out += '\\' + char
    else if (char === '\n') out += '\\n'
    else if (char === '\t') out += '\\t'
    else if (char === '\r') out += '\\r'
    else if (code === 7) out += '\\a'
    else if (code === 8) out += '\\b'
    else if (code === 12) out += '\\f'
    else if (code === 11) out += '\\v'
    else if (code < 0x20 || code === 0x7f) out += '\\x' + code.toString(16).padStart(2, '0')
    else if (code >= 0xdc80 && code <= 0xdcff) out += '\\x' + (code - 0xdc00).toString(16)
    else if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char)) out += char
    else if (code < 0x10000) out += '\\u' + code.toString(16).padStart(4, '0')
    else out += '\\U' + code.toString(16).padStart(8, '0')
  }
  return out + '"'
}
