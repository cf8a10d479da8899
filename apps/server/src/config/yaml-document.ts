// The YAML of a configuration file as a tree with positions. Scalars stay text here: what `yes`, `010` or `1m` mean is
// decided by the field that receives them, as Prometheus's YAML library does. Aliases and merge keys are resolved
// while reading, with a bound on the nodes read, so that a small file cannot expand without limit.
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml'
import type { Document, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml'
import { ValueError, type Place } from './errors.ts'

/** Most nodes one file may expand to. */
const NODES_MAX = 1_000_000
/** Deepest nesting. */
const DEPTH_MAX = 64

export type YamlNode = Node | null

/** A wrong type or an unknown field; these are collected, so that one run shows them all. */
export interface TypeProblem extends Place {
  readonly text: string
}

/** Something that is valid but that this build cannot do. */
export interface Unsupported extends Place {
  /** E.g. `scrape_configs[0].kubernetes_sd_configs`. */
  readonly what: string
}

/** One file being read. */
export class YamlDocument {
  readonly root: YamlNode
  readonly problems: TypeProblem[] = []
  readonly unsupported: Unsupported[] = []
  readonly #document: Document | undefined
  readonly #lines: LineCounter
  /** Path of the node being decoded, for messages. */
  readonly #path: string[] = []
  #nodes = 0

  /** Only the first document of the text is read. Throws `ValueError` for text that is no YAML. */
  constructor(text: string) {
    this.#lines = new LineCounter()
    const documents = parseAllDocuments(text, {
      schema: 'failsafe',
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: 'silent',
      lineCounter: this.#lines,
    })
    const first = Array.isArray(documents) ? documents[0] : undefined
    this.#document = first as Document | undefined
    const error = first?.errors[0]
    if (error) {
      const { line, col } = this.#lines.linePos(error.pos[0])
      throw new ValueError(`yaml: line ${line}: ${error.message}`, { line, column: col })
    }
    this.root = (first?.contents ?? null) as YamlNode
  }

  place(node: YamlNode): Place {
    const offset = node?.range?.[0] ?? 0
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }

  /** Follows aliases and counts the node against the limit. */
  resolve(node: YamlNode): YamlNode {
    if (++this.#nodes > NODES_MAX)
      throw new ValueError('yaml: document contains excessive aliasing', this.place(node))
    if (this.#path.length > DEPTH_MAX) throw new ValueError('yaml: exceeded max depth', this.place(node))
    if (!isAlias(node)) return node
    const target = this.#document && node.resolve(this.#document)
    if (!target) throw new ValueError(`yaml: unknown anchor '${node.source}' referenced`, this.place(node))
    return target
  }

  /** Runs `body` with one more step in the path of messages. */
  within<T>(step: string, body: () => T): T {
    this.#path.push(step)
    try {
      return body()
    } finally {
      this.#path.pop()
    }
  }

  /** Text of a scalar, decoded when it is tagged as binary. */
  text(node: Scalar): string {
    const text = textOf(node)
    if (node.tag !== 'tag:yaml.org,2002:binary') return text
    const compact = text.replace(/\s/g, '')
    const bytes = Buffer.from(compact, 'base64')
    if (bytes.toString('base64') !== compact)
      throw new ValueError('yaml: !!binary value contains invalid base64 data', this.place(node))
    const decoded = bytes.toString('utf8')
    // Bytes that are no UTF-8 stay recognisable: a lone surrogate is refused wherever names are checked.
    return Buffer.from(decoded, 'utf8').equals(bytes) ? decoded : '\ud800'
  }

  problem(node: YamlNode, text: string): void {
    this.problems.push({ ...this.place(node), text })
  }

  /** `field` is the step below the current path, '' for the current place itself. */
  refuse(node: YamlNode, field: string): void {
    let what = ''
    for (const step of field === '' ? this.#path : [...this.#path, field])
      what += step.startsWith('[') || what === '' ? step : `.${step}`
    this.unsupported.push({ ...this.place(node), what })
  }

  mismatch(node: YamlNode, goType: string): void {
    this.problem(node, `cannot unmarshal ${describe(node)} into ${goType}`)
  }

  /** Entries of a mapping with merge keys (`<<`) laid below the explicit ones. */
  entries(map: YAMLMap): { key: Scalar; value: YamlNode; name: string }[] {
    const out: { key: Scalar; value: YamlNode; name: string }[] = []
    const merged: { key: Scalar; value: YamlNode; name: string }[] = []
    for (const pair of map.items) {
      const key = this.resolve(pair.key as YamlNode)
      if (!isScalar(key)) {
        this.problem(key, `invalid map key: ${describe(key)}`)
        continue
      }
      const name = this.text(key)
      if (name === '<<' && key.type === 'PLAIN') merged.push(...this.#merge(pair.value as YamlNode))
      else out.push({ key, value: pair.value as YamlNode, name })
    }
    const known = new Set(out.map((entry) => entry.name))
    for (const entry of merged)
      if (!known.has(entry.name)) {
        known.add(entry.name)
        out.push(entry)
      }
    return out
  }

  #merge(node: YamlNode): { key: Scalar; value: YamlNode; name: string }[] {
    const target = this.resolve(node)
    if (isMap(target)) return this.entries(target)
    if (isSeq(target)) return target.items.flatMap((item) => this.#merge(item as YamlNode))
    throw new ValueError('yaml: map merge requires map or sequence of maps as the value', this.place(node))
  }
}

export function isNull(node: YamlNode): boolean {
  if (node === null) return true
  if (!isScalar(node)) return false
  return (
    (node.type === 'PLAIN' || node.type === undefined) &&
    (node.value === null || ['', '~', 'null', 'Null', 'NULL'].includes(String(node.value)))
  )
}

/** Text of a scalar. */
export function textOf(node: Scalar): string {
  return node.value === null || node.value === undefined ? '' : String(node.value)
}

const BOOLEANS = new Map<string, boolean>()
for (const word of ['y', 'yes', 'true', 'on'])
  for (const form of [word, word.toUpperCase(), word[0]!.toUpperCase() + word.slice(1)])
    BOOLEANS.set(form, true)
for (const word of ['n', 'no', 'false', 'off'])
  for (const form of [word, word.toUpperCase(), word[0]!.toUpperCase() + word.slice(1)])
    BOOLEANS.set(form, false)

/** The value of a plain scalar that reads as a boolean or a number; undefined for text. */
export function plainValue(node: Scalar): boolean | number | undefined {
  if (node.type !== 'PLAIN' || (node.tag !== undefined && node.tag !== '!')) return undefined
  const text = textOf(node)
  const bool = BOOLEANS.get(text)
  if (bool !== undefined) return bool
  const plain = text.replaceAll('_', '')
  if (/^[-+]?(0|[1-9][0-9]*)$/.test(plain)) return Number(plain)
  if (/^[-+]?0[0-7]+$/.test(plain)) return parseInt(plain.replace('0', ''), 8)
  if (/^0x[0-9a-fA-F]+$/.test(plain) || /^0b[01]+$/.test(plain) || /^0o[0-7]+$/.test(plain))
    return Number(plain)
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) return Number(plain)
  const special = /^([-+]?)\.(inf|Inf|INF)$/.exec(plain)
  if (special) return special[1] === '-' ? -Infinity : Infinity
  return /^\.(nan|NaN|NAN)$/.test(plain) ? NaN : undefined
}

/** The node as an error message of the YAML library names it: !!str `abc`. */
export function describe(node: YamlNode): string {
  if (isMap(node)) return '!!map'
  if (isSeq(node)) return '!!seq'
  if (!isScalar(node) || isNull(node)) return '!!null'
  const value = plainValue(node)
  const tag = typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? numberTag(node) : 'str'
  const text = textOf(node)
  return `!!${tag} \`${text.length > 10 ? text.slice(0, 7) + '...' : text}\``
}

function numberTag(node: Scalar): string {
  return /[.eE]/.test(textOf(node).replace(/^0x.*/, '')) ? 'float' : 'int'
}

export { isMap, isScalar, isSeq, type Scalar, type YAMLMap, type YAMLSeq }
