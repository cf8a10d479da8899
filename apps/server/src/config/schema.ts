// Descriptions of configuration values, used in both directions: a schema reads a YAML node with every error at its
// place, and prints the value the way Prometheus shows its effective configuration (fields in the order of its
// structs, empty ones left out unless they are always shown). Types of Prometheus's own appear in messages (`goType`)
// because its users search for those texts.
import { parseDuration, formatDuration } from '@watchfire/datamodel'
import { ValueError } from './errors.ts'
import {
  isMap,
  isNull,
  isScalar,
  isSeq,
  plainValue,
  type YamlDocument,
  type YamlNode,
} from './yaml-document.ts'

/** What a value prints as; undefined = the field is left out. */
export type Plain =
  string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain } | undefined

/** Reads and prints one kind of value. `zero` is its empty value, which a null in the file gives too. */
export interface Schema<T> {
  readonly goType: string
  readonly zero: T
  /** `node` is resolved and not null. On a wrong type it records a problem and answers `zero`. */
  decode(node: YamlNode, document: YamlDocument): T
  /** undefined when the value is empty. */
  encode(value: T): Plain
}

/** A field of a struct. */
export interface Field<T> {
  readonly schema: Schema<T>
  readonly fallback: T
  /** Shown even when empty. */
  readonly always: boolean
  /** Not known to this build when given: refused with its place. */
  readonly unsupported: boolean
}

interface FieldOptions<T> {
  readonly default?: T
  readonly always?: boolean
  readonly unsupported?: boolean
}

export function field<T>(schema: Schema<T>, options: FieldOptions<T> = {}): Field<T> {
  return {
    schema,
    fallback: 'default' in options ? options.default! : schema.zero,
    always: options.always ?? false,
    unsupported: options.unsupported ?? false,
  }
}

/** A struct also knows the value of an empty section (every field at its default). */
export interface StructSchema<T> extends Schema<T> {
  readonly defaults: T
}

type Fields = Readonly<Record<string, Field<unknown>>>
/** The values of a struct's fields. */
export type StructOf<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer T> ? T : never }
export type ValueOf<S> = S extends Schema<infer T> ? T : never

/** Where the parts of a struct stand, for checks. */
export interface StructPlaces {
  readonly node: YamlNode
  /** True when the file gives the field, even as null. */
  given(name: string): boolean
  /** Throws with the place of the field's value, or of the whole struct when the field is not given. */
  fail(name: string, message: string): never
}

export interface StructOptions<F extends Fields> {
  /** Runs when all fields were read without a type problem. */
  readonly check?: (value: StructOf<F>, places: StructPlaces, document: YamlDocument) => void
  /** Names that are recognised by pattern but not built, e.g. other service discoveries. */
  readonly refused?: (name: string) => boolean
}

export function struct<F extends Fields>(
  goType: string,
  fields: F,
  options: StructOptions<F> = {},
): StructSchema<StructOf<F>> {
  const zero = Object.fromEntries(
    Object.entries(fields).map(([name, { schema }]) => [name, schema.zero]),
  ) as StructOf<F>
  return {
    goType,
    zero,
    defaults: defaultsOf(fields),
    decode(node, document) {
      if (!isMap(node)) {
        document.mismatch(node, goType)
        return zero
      }
      const before = document.problems.length
      const value: Record<string, unknown> = defaultsOf(fields)
      const places = new Map<string, YamlNode>()
      for (const { key, value: child, name } of document.entries(node)) {
        const known = Object.hasOwn(fields, name) ? fields[name] : undefined
        if (!known) {
          if (options.refused?.(name)) document.refuse(key, name)
          else document.problem(key, `field ${name} not found in type ${goType}`)
          continue
        }
        if (places.has(name)) {
          document.problem(key, `field ${name} already set in type ${goType}`)
          continue
        }
        const target = document.resolve(child)
        places.set(name, target ?? key)
        document.within(name, () => {
          if (isNull(target)) {
            value[name] = known.schema.zero
            return
          }
          value[name] = known.schema.decode(target, document)
          if (known.unsupported && known.schema.encode(value[name]) !== undefined) document.refuse(key, '')
        })
      }
      if (document.problems.length === before)
        options.check?.(
          value as StructOf<F>,
          {
            node,
            given: (name) => places.has(name),
            fail: (name, message) => {
              throw new ValueError(message, document.place(places.get(name) ?? node))
            },
          },
          document,
        )
      return value as StructOf<F>
    },
    encode(value) {
      const out: Record<string, Plain> = {}
      for (const [name, { schema, always }] of Object.entries(fields)) {
        const child = (value as Record<string, unknown>)[name]
        const plain = schema.encode(child)
        if (plain !== undefined) out[name] = plain
        else if (always) out[name] = emptyOf(child)
      }
      return Object.keys(out).length === 0 ? undefined : out
    },
  }
}

function defaultsOf<F extends Fields>(fields: F): StructOf<F> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { fallback }]) => [name, fallback]),
  ) as StructOf<F>
}

function emptyOf(value: unknown): Plain {
  return value === undefined ? null : (value as Plain)
}

/** A value that may be absent (a pointer in Prometheus): printed whenever it is there. */
export function optional<T>(schema: Schema<T>): Schema<T | undefined> {
  return {
    goType: schema.goType,
    zero: undefined,
    decode: (node, document) => {
      const before = document.problems.length
      const value = schema.decode(node, document)
      return document.problems.length === before ? value : undefined
    },
    encode: (value) => (value === undefined ? undefined : (schema.encode(value) ?? emptyOf(value))),
  }
}

/** A list; null items stay as null when `nulls` is given, and are its message's error otherwise. */
export function list<T>(
  schema: Schema<T>,
  options: { readonly nullItem?: string; readonly goType?: string } = {},
): Schema<readonly T[]> {
  const goType = options.goType ?? `[]${schema.goType}`
  return {
    goType,
    zero: [],
    decode(node, document) {
      if (!isSeq(node)) {
        document.mismatch(node, goType)
        return []
      }
      return node.items.map((item, i) =>
        document.within(`[${i}]`, () => {
          const target = document.resolve(item as YamlNode)
          if (!isNull(target)) return schema.decode(target, document)
          if (options.nullItem !== undefined)
            throw new ValueError(options.nullItem, document.place(target ?? node))
          return schema.zero
        }),
      )
    },
    encode: (value) => (value.length === 0 ? undefined : value.map((item) => schema.encode(item) ?? null)),
  }
}

/** A mapping from free names to values, printed sorted. */
export function mapOf<T>(
  schema: Schema<T>,
  goType = `map[string]${schema.goType}`,
): Schema<Readonly<Record<string, T>>> {
  return {
    goType,
    zero: {},
    decode(node, document) {
      if (!isMap(node)) {
        document.mismatch(node, goType)
        return {}
      }
      const out = new Map<string, T>()
      for (const { key, value, name } of document.entries(node)) {
        if (out.has(name)) document.problem(key, `key "${name}" already set in map`)
        const target = document.resolve(value)
        out.set(
          name,
          isNull(target) ? schema.zero : document.within(name || '""', () => schema.decode(target, document)),
        )
      }
      return Object.fromEntries(out)
    },
    encode(value) {
      const names = Object.keys(value).sort()
      if (names.length === 0) return undefined
      return Object.fromEntries(names.map((name) => [name, schema.encode(value[name]!) ?? '']))
    },
  }
}

/** Text of any scalar; numbers and booleans keep their spelling. */
export function text(goType = 'string'): Schema<string> {
  return {
    goType,
    zero: '',
    decode(node, document) {
      if (!isScalar(node)) {
        document.mismatch(node, goType)
        return ''
      }
      return document.text(node)
    },
    encode: (value) => (value === '' ? undefined : value),
  }
}

/** Text that must pass `parse`, whose error message is reported. The value is what `parse` gives. */
export function parsed<T>(
  goType: string,
  zero: T,
  parse: (value: string) => T,
  print: (value: T) => Plain,
): Schema<T> {
  const inner = text(goType)
  return {
    goType,
    zero,
    decode(node, document) {
      const before = document.problems.length
      const value = inner.decode(node, document)
      if (document.problems.length !== before) return zero
      try {
        return parse(value)
      } catch (error) {
        throw new ValueError(error instanceof Error ? error.message : String(error), document.place(node))
      }
    },
    encode: print,
  }
}

export const bool: Schema<boolean> = {
  goType: 'bool',
  zero: false,
  decode(node, document) {
    const value = isScalar(node) ? plainValue(node) : undefined
    if (typeof value === 'boolean') return value
    document.mismatch(node, 'bool')
    return false
  },
  encode: (value) => (value ? true : undefined),
}

function number(goType: string, accept: (value: number) => boolean): Schema<number> {
  return {
    goType,
    zero: 0,
    decode(node, document) {
      const value = isScalar(node) ? plainValue(node) : undefined
      if (typeof value === 'number' && accept(value)) return value
      document.mismatch(node, goType)
      return 0
    },
    encode: (value) => (value === 0 ? undefined : value),
  }
}

export const int: Schema<number> = number('int', Number.isInteger)
export const uint: Schema<number> = number('uint', (value) => Number.isInteger(value) && value >= 0)
export const uint64: Schema<number> = number('uint64', (value) => Number.isInteger(value) && value >= 0)
export const float: Schema<number> = number('float64', () => true)

/** A Prometheus duration in ms. */
export const duration: Schema<number> = parsed('string', 0, parseDuration, (value) =>
  value === 0 ? undefined : formatDuration(value),
)

/** A duration that prints as `0s` too. */
export const shownDuration: Schema<number> = { ...duration, encode: (value) => formatDuration(value) }

/** A size in bytes with a unit of base 2 (`10MB` and `10MiB` are the same). */
export const size: Schema<number> = parsed('string', 0, parseSize, (value) =>
  value === 0 ? undefined : formatSize(value),
)

const SIZE_UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E']

/** Parses a size; throws `units: invalid …`. */
export function parseSize(value: string): number {
  if (value === '0') return 0
  const match = /^([-+]?)((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[KMGTPE]?i?B))+$/.exec(value)
  if (!match) throw new Error(`units: invalid ${value}`)
  let sum = 0
  for (const [, count, unit] of value.matchAll(/([0-9.]+)([KMGTPE]?)i?B/g))
    sum += Number(count) * 1024 ** SIZE_UNITS.indexOf(unit!)
  if (!Number.isFinite(sum) || sum > 2 ** 63) throw new Error(`units: invalid ${value}`)
  return match[1] === '-' ? -Math.floor(sum) : Math.floor(sum)
}

/** Prints a size as its sum of base-2 units, e.g. `1GiB512MiB`. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B'
  let rest = Math.abs(bytes)
  let out = ''
  for (const unit of SIZE_UNITS) {
    if (rest === 0) break
    if (rest % 1024 !== 0) out = `${rest % 1024}${unit}${unit === '' ? 'B' : 'iB'}${out}`
    rest = Math.floor(rest / 1024)
  }
  return bytes < 0 ? `-${out}` : out
}

/** Text that is shown as `<secret>`. */
export const secret: Schema<string> = {
  ...text('string'),
  encode: (value) => (value === '' ? undefined : '<secret>'),
}

/** An absolute or relative URL, checked as Go's `url.Parse` would; a password in it is shown as `xxxxx`. */
export const url: Schema<string> = parsed('string', '', parseUrl, (value) =>
  value === '' ? undefined : value.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/@:]*):[^/@]*@/i, '$1:xxxxx@'),
)

function parseUrl(value: string): string {
  if (/^[^a-zA-Z/?#.]*:/.test(value) || /^:/.test(value))
    throw new Error(`parse ${JSON.stringify(value)}: missing protocol scheme`)
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(value) && !URL.canParse(value))
    throw new Error(`parse ${JSON.stringify(value)}: invalid URL`)
  return value
}
