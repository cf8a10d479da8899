// The functions every Go template has.
import { FunctionError } from './errors.ts'
import { sprint, sprintf, sprintln } from './printf.ts'
import {
  GoMap,
  TemplateObject,
  compareStrings,
  formatValue,
  isTrue,
  itemsOf,
  typeName,
  type Callable,
  type Value,
} from './values.ts'

/** Texts of values that are printed together, for html, js and urlquery. */
function printed(args: readonly Value[]): string {
  return args.length === 1 && typeof args[0] === 'string' ? args[0] : sprint(args)
}

/** Escapes text for HTML as Go's template.HTMLEscapeString does. */
export function htmlEscape(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '"': '&#34;',
    "'": '&#39;',
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '\0': '\ufffd',
  }
  return text.replace(/["'&<>\0]/g, (char) => names[char]!)
}

function jsEscape(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '\\': '\\\\',
    "'": "\\'",
    '"': '\\"',
    '<': '\\u003C',
    '>': '\\u003E',
    '&': '\\u0026',
    '=': '\\u003D',
  }
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\\'"<>&=\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    return names[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
  })
}

/** Escapes text for a query string as Go's url.QueryEscape does. */
export function queryEscape(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

type BasicKind = 'bool' | 'int' | 'float' | 'string'

function basicKind(value: Value): BasicKind {
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'float'
    case 'string':
      return 'string'
  }
  if (value instanceof TemplateObject && value.assignable.includes('string')) return 'string'
  throw new FunctionError('incompatible types for comparison')
}

function equal(a: Value, b: Value): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a instanceof TemplateObject && b instanceof TemplateObject && a.goType === b.goType) {
    if (a instanceof GoMap || itemsOf(a))
      throw new FunctionError(`non-comparable type ${formatValue(a)}: ${a.goType}`)
    return a.format() === b.format()
  }
  if (itemsOf(a) || itemsOf(b)) throw new FunctionError('non-comparable type')
  if (basicKind(a) !== basicKind(b)) throw new FunctionError('incompatible types for comparison')
  return formatValue(a) === formatValue(b) || (typeof a === 'number' && a === b)
}

function less(a: Value, b: Value): boolean {
  const kind = basicKind(a)
  if (kind !== basicKind(b)) throw new FunctionError('incompatible types for comparison')
  if (kind === 'bool') throw new FunctionError('invalid type for comparison')
  if (kind === 'string') return compareStrings(formatValue(a), formatValue(b)) < 0
  return (a as number) < (b as number)
}

function asIndex(value: Value, length: number, what: string, inclusive: boolean): number {
  if (typeof value !== 'bigint') {
    if (value === undefined) throw new FunctionError(`cannot ${what} slice/array with nil`)
    throw new FunctionError(`cannot ${what} slice/array with type ${typeName(value)}`)
  }
  if (value < 0n || (inclusive ? value > BigInt(length) : value >= BigInt(length)))
    throw new FunctionError(`index out of range: ${value}`)
  return Number(value)
}

function index([item, ...indexes]: readonly Value[]): Value {
  if (item === undefined) throw new FunctionError('index of untyped nil')
  let at: Value = item
  for (const key of indexes) {
    const items = itemsOf(at)
    if (items) at = items[asIndex(key, items.length, 'index', false)]
    else if (typeof at === 'string') {
      const bytes = new TextEncoder().encode(at)
      at = BigInt(bytes[asIndex(key, bytes.length, 'index', false)]!)
    } else if (at instanceof GoMap) {
      if (typeof key !== 'string')
        throw new FunctionError(`value has type ${typeName(key)}; should be string`)
      at = at.entries.has(key) ? at.entries.get(key) : at.zero
    } else if (at === undefined) throw new FunctionError('index of nil pointer')
    else throw new FunctionError(`can't index item of type ${typeName(at)}`)
  }
  return at
}

function slice([item, ...bounds]: readonly Value[]): Value {
  if (item === undefined) throw new FunctionError('slice of untyped nil')
  if (bounds.length > 3) throw new FunctionError(`too many slice indexes: ${bounds.length}`)
  const bytes = typeof item === 'string' ? new TextEncoder().encode(item) : undefined
  if (bytes && bounds.length === 3) throw new FunctionError('cannot 3-index slice a string')
  const items = itemsOf(item)
  const length = bytes?.length ?? items?.length
  if (length === undefined) throw new FunctionError(`can't slice item of type ${typeName(item)}`)
  const [from = 0, to = length] = bounds.map((bound) => asIndex(bound, length, 'slice', true))
  if (from > to) throw new FunctionError(`invalid slice index: ${from} > ${to}`)
  return bytes ? new TextDecoder().decode(bytes.subarray(from, to)) : items!.slice(from, to)
}

function len([value]: readonly Value[]): Value {
  if (value === undefined) throw new FunctionError('len of nil pointer')
  if (typeof value === 'string') return BigInt(new TextEncoder().encode(value).length)
  if (value instanceof GoMap) return BigInt(value.entries.size)
  const items = itemsOf(value)
  if (!items) throw new FunctionError(`len of type ${typeName(value)}`)
  return BigInt(items.length)
}

const anyArgs = (call: Callable['call'], least = 0): Callable => ({
  params: [...Array<string>(least).fill('any'), 'any'],
  variadic: true,
  call,
})
const two = (call: (a: Value, b: Value) => boolean): Callable => ({
  params: ['any', 'any'],
  call: ([a, b]) => call(a, b),
})

/** `and` and `or` are here for their names: the engine evaluates them itself, because they stop early. */
export const BUILTINS: Readonly<Record<string, Callable>> = {
  and: anyArgs(() => undefined, 1),
  or: anyArgs(() => undefined, 1),
  not: { params: ['any'], call: ([value]) => !isTrue(value) },
  len: { params: ['any'], call: len },
  index: anyArgs(index, 1),
  slice: anyArgs(slice, 1),
  call: anyArgs(([fn]) => {
    throw new FunctionError(
      fn === undefined ? 'call of nil' : `non-function ${formatValue(fn)} of type ${typeName(fn)}`,
    )
  }, 1),
  print: anyArgs((args) => sprint(args)),
  println: anyArgs((args) => sprintln(args)),
  printf: {
    params: ['string', 'any'],
    variadic: true,
    call: ([format, ...args]) => sprintf(format as string, args),
  },
  html: anyArgs((args) => htmlEscape(printed(args))),
  js: anyArgs((args) => jsEscape(printed(args))),
  urlquery: anyArgs((args) => queryEscape(printed(args))),
  eq: anyArgs(([first, ...others]) => {
    if (others.length === 0) throw new FunctionError('missing argument for comparison')
    return others.some((other) => equal(first, other))
  }, 1),
  ne: two((a, b) => !equal(a, b)),
  lt: two(less),
  le: two((a, b) => less(a, b) || equal(a, b)),
  gt: two((a, b) => !(less(a, b) || equal(a, b))),
  ge: two((a, b) => !less(a, b)),
}
