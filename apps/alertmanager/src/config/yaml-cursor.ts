// A typed walk over a YAML document that knows where it is: every error names file, line and column, and a field
// nobody asked for is an error.
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node } from 'yaml'
import { parseDuration } from '@watchfire/datamodel'

/** A configuration that cannot be used. `text` is the bare reason, `message` also names the place. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly text: string
  /** `reason` is what `message` says after the place, where that differs from the bare reason. */
  constructor(text: string, place: string, reason = text) {
    super(`${place}: ${reason}`)
    this.text = text
  }
}

interface Source {
  readonly file: string
  readonly lines: LineCounter
  readonly document: Document
}

/** Longest configuration text, bytes of UTF-16. */
const TEXT_MAX = 16 * 1024 * 1024

/** Parses a document; an empty one reads as an empty mapping. */
export function openYaml(text: string, file: string): YamlCursor {
  if (text.length > TEXT_MAX) throw new ConfigError('configuration is too large', file)
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    merge: true,
  })
  const source = { file, lines, document }
  const problem = document.errors[0]
  if (problem) {
    const { line, col } = lines.linePos(problem.pos[0])
    throw new ConfigError(`yaml: ${problem.message}`, `${file}:${line}:${col}`)
  }
  return new YamlCursor(source, document.contents ?? undefined, '', 0)
}

/** A place in the document. Absent and `null` values read alike. */
export class YamlCursor {
  readonly #source: Source
  readonly #node: Node | undefined
  readonly #offset: number
  /** Where the field's name stands. */
  readonly #keyOffset: number
  /** Name of the field, for messages. */
  readonly field: string

  constructor(source: Source, node: unknown, field: string, offset: number) {
    this.#source = source
    const resolved = isAlias(node) ? node.resolve(source.document) : node
    this.#node = isScalar(resolved) && resolved.value === null ? undefined : (resolved as Node | undefined)
    this.field = field
    this.#keyOffset = offset
    this.#offset = (node as Node | undefined)?.range?.[0] ?? offset
  }

  get present(): boolean {
    return this.#node !== undefined && this.#node !== null
  }

  /** `file:line:column` of this place. */
  get place(): string {
    const { line, col } = this.#source.lines.linePos(this.#offset)
    return `${this.#source.file}:${line}:${col}`
  }

  fail(text: string): never {
    throw new ConfigError(text, this.place)
  }

  /** An unknown field reads as Go's YAML says it, with the line of its name. */
  #failUnknown(reason: string): never {
    const { line, col } = this.#source.lines.linePos(this.#keyOffset)
    const text = `yaml: unmarshal errors:\n  line ${line}: ${reason}`
    throw new ConfigError(text, `${this.#source.file}:${line}:${col}`, reason)
  }

  /** Opens a mapping that may hold only `fields`; `type` names it in the message. */
  mapping<K extends string>(type: string, fields: readonly K[]): Record<K, YamlCursor> {
    const found: Record<string, YamlCursor> = {}
    for (const [name, cursor] of this.entries()) {
      if (!(fields as readonly string[]).includes(name))
        cursor.#failUnknown(`field ${name} not found in type ${type}`)
      found[name] = cursor
    }
    const result = {} as Record<K, YamlCursor>
    for (const field of fields)
      result[field] = found[field] ?? new YamlCursor(this.#source, undefined, field, this.#offset)
    return result
  }

  /** Fields of a mapping in order of the text; none when absent. */
  entries(): [string, YamlCursor][] {
    const node = this.#node
    if (!node) return []
    if (!isMap(node)) this.fail(`${this.field || 'document'} must be a mapping`)
    return node.items.map((pair) => {
      const key = pair.key as Node
      const name = isScalar(key) ? String(key.value) : this.fail('a field name must be a scalar')
      return [name, new YamlCursor(this.#source, pair.value, name, key.range?.[0] ?? this.#offset)]
    })
  }

  /** Elements of a sequence; none when absent. */
  items(): YamlCursor[] {
    const node = this.#node
    if (!node) return []
    if (!isSeq(node)) this.fail(`${this.field} must be a list`)
    return node.items.map((item) => new YamlCursor(this.#source, item, this.field, this.#offset))
  }

  get isMapping(): boolean {
    return isMap(this.#node)
  }

  string(fallback = ''): string {
    const node = this.#node
    if (!node) return fallback
    if (!isScalar(node)) this.fail(`${this.field} must be a string`)
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
  }

  strings(): string[] {
    return this.items().map((item) => item.string())
  }

  boolean(fallback: boolean): boolean {
    const node = this.#node
    if (!node) return fallback
    if (!isScalar(node) || typeof node.value !== 'boolean') this.fail(`${this.field} must be true or false`)
    return node.value
  }

  /** A whole number ≥ 0. */
  count(fallback: number): number {
    const node = this.#node
    if (!node) return fallback
    if (
      !isScalar(node) ||
      typeof node.value !== 'number' ||
      !Number.isSafeInteger(node.value) ||
      node.value < 0
    )
      this.fail(`${this.field} must be a whole number that is not negative`)
    return node.value
  }

  /** The value as JavaScript has it: texts, numbers, lists, records; undefined when absent. */
  plain(): unknown {
    const node = this.#node
    return node ? (node.toJS(this.#source.document, { maxAliasCount: 100 }) as unknown) : undefined
  }

  /** A Prometheus duration in ms. */
  duration(): number | undefined {
    if (!this.present) return undefined
    try {
      return parseDuration(this.string())
    } catch (error) {
      return this.fail((error as Error).message)
    }
  }
}
