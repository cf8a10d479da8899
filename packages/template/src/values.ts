// Values inside templates. Go tells integers from floats, so here a bigint is an int and a number a float64; strings,
// booleans and arrays are themselves, nothing is `undefined`. All else is a `TemplateObject`.

export type Value = undefined | string | boolean | number | bigint | readonly Value[] | TemplateObject

/** A method or function as templates call it. */
export interface Callable {
  /** Types of the parameters; with `variadic` the last one repeats. */
  readonly params: readonly ParamType[]
  readonly variadic?: boolean
  /** Gets converted arguments. Throws `FunctionError` for a Go error. */
  readonly call: (args: readonly Value[]) => Value | Promise<Value>
}

/** What a parameter accepts: `any` takes everything, `reflect.Value` too. Others are Go type names. */
export type ParamType = 'any' | 'string' | 'bool' | 'int' | 'float64' | (string & {})

/** A field or key that is not there. */
export const MISSING = Symbol('missing')

/** Base of maps, structs, times …; the defaults are those of a value without members. */
export abstract class TemplateObject {
  /** Go's name of the type, for messages. */
  abstract readonly goType: string
  /** What `print` shows. */
  abstract format(): string

  /** A struct field or map entry. */
  field(_name: string): Value | typeof MISSING {
    return MISSING
  }

  method(_name: string): Callable | undefined {
    return undefined
  }

  /** Names of the parameter types it may be passed as, besides its own. */
  get assignable(): readonly string[] {
    return []
  }

  truth(): boolean {
    return true
  }
}

/** A Go map with string keys; iterates in order of the keys. */
export class GoMap extends TemplateObject {
  readonly goType: string
  readonly entries: ReadonlyMap<string, Value>
  /** What an absent key reads as where the options ask for zero values. */
  readonly zero: Value
  readonly #methods: Readonly<Record<string, Callable>>
  readonly #format: ((map: GoMap) => string) | undefined

  constructor(
    entries: Iterable<readonly [string, Value]>,
    options: {
      readonly goType?: string
      readonly zero?: Value
      readonly methods?: Readonly<Record<string, Callable>>
      readonly format?: (map: GoMap) => string
    } = {},
  ) {
    super()
    this.entries = new Map([...entries].sort(([a], [b]) => compareStrings(a, b)))
    this.goType = options.goType ?? 'map[string]interface {}'
    this.zero = options.zero
    this.#methods = options.methods ?? {}
    this.#format = options.format
  }

  override field(name: string): Value | typeof MISSING {
    return this.entries.has(name) ? this.entries.get(name) : MISSING
  }

  override method(name: string): Callable | undefined {
    return Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined
  }

  override truth(): boolean {
    return this.entries.size > 0
  }

  override format(): string {
    if (this.#format) return this.#format(this)
    return `map[${[...this.entries].map(([key, value]) => `${key}:${formatValue(value)}`).join(' ')}]`
  }
}

/** A map[string]string: absent keys read as ''. */
export function stringMap(
  source: Readonly<Record<string, string>> | Iterable<readonly [string, string]>,
): GoMap {
  const entries = Symbol.iterator in source ? source : Object.entries(source as Record<string, string>)
  return new GoMap(entries, { goType: 'map[string]string', zero: '' })
}

/** A struct with named fields. */
export class GoStruct extends TemplateObject {
  readonly goType: string
  readonly #fields: ReadonlyMap<string, Value>
  readonly #methods: Readonly<Record<string, Callable>>

  constructor(
    goType: string,
    fields: Readonly<Record<string, Value>>,
    methods: Readonly<Record<string, Callable>> = {},
  ) {
    super()
    this.goType = goType
    this.#fields = new Map(Object.entries(fields))
    this.#methods = methods
  }

  get fields(): ReadonlyMap<string, Value> {
    return this.#fields
  }

  override field(name: string): Value | typeof MISSING {
    return this.#fields.has(name) ? this.#fields.get(name) : MISSING
  }

  override method(name: string): Callable | undefined {
    return Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined
  }

  override format(): string {
    return `{${[...this.#fields.values()].map(formatValue).join(' ')}}`
  }
}

/** A slice with a type of its own and methods. */
export class GoSlice extends TemplateObject {
  readonly goType: string
  readonly items: readonly Value[]
  readonly #methods: Readonly<Record<string, Callable>>

  constructor(goType: string, items: readonly Value[], methods: Readonly<Record<string, Callable>> = {}) {
    super()
    this.goType = goType
    this.items = items
    this.#methods = methods
  }

  override method(name: string): Callable | undefined {
    return Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined
  }

  override truth(): boolean {
    return this.items.length > 0
  }

  override format(): string {
    return formatValue(this.items)
  }
}

/** A string that is not escaped again (html/template's HTML). */
export class SafeHtml extends TemplateObject {
  readonly goType = 'template.HTML'
  readonly text: string

  constructor(text: string) {
    super()
    this.text = text
  }

  override get assignable(): readonly string[] {
    return ['string']
  }

  override truth(): boolean {
    return this.text !== ''
  }

  override format(): string {
    return this.text
  }
}

/** A URL whose scheme is trusted (html/template's URL). */
export class SafeUrl extends TemplateObject {
  readonly goType = 'template.URL'
  readonly text: string

  constructor(text: string) {
    super()
    this.text = text
  }

  override get assignable(): readonly string[] {
    return ['string']
  }

  override truth(): boolean {
    return this.text !== ''
  }

  override format(): string {
    return this.text
  }
}

/** Items of an array or slice, undefined for anything else. */
export function itemsOf(value: Value): readonly Value[] | undefined {
  if (value instanceof GoSlice) return value.items
  return Array.isArray(value) ? (value as readonly Value[]) : undefined
}

/** Go's name of the value's type. */
export function typeName(value: Value): string {
  if (value === undefined) return 'nil'
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
      return 'float64'
    case 'bigint':
      return 'int'
  }
  if (value instanceof TemplateObject) return value.goType
  return value.length > 0 && value.every((item) => typeof item === 'string') ? '[]string' : '[]interface {}'
}

/** Go template truth: not zero and not empty. */
export function isTrue(value: Value): boolean {
  if (value instanceof TemplateObject) return value.truth()
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'number') return value !== 0
  return Boolean(value)
}

/** What `{{ value }}` and `%v` print. */
export function formatValue(value: Value): string {
  if (value === undefined) return '<nil>'
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'number':
      return formatFloat(value, 'g', -1)
  }
  if (value instanceof TemplateObject) return value.format()
  return `[${value.map(formatValue).join(' ')}]`
}

/** Order of Go strings: by bytes, which for valid text is the order of code points. */
export function compareStrings(a: string, b: string): number {
  const x = [...a]
  const y = [...b]
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const order = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!
    if (order !== 0) return order
  }
  return x.length - y.length
}

/** A float as Go's strconv prints it; precision −1 = the shortest that reads back. */
export function formatFloat(value: number, form: 'e' | 'f' | 'g', precision: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const size = Math.abs(value)
  if (form === 'f') return sign + (precision < 0 ? plainDecimal(size) : fixed(size, precision))
  if (form === 'e')
    return (
      sign + goExponent(precision < 0 ? size.toExponential() : size.toExponential(Math.min(precision, 100)))
    )
  const shortest = precision < 0
  const digits = shortest ? 0 : Math.max(precision, 1)
  const text = shortest ? size.toExponential() : size.toExponential(Math.min(digits - 1, 100))
  const [mantissa, exponentText] = text.split('e')
  const exponent = Number(exponentText)
  const figures = mantissa!.replace('.', '').replace(/0+$/, '') || '0'
  let limit = shortest ? 6 : digits
  if (!shortest && limit > figures.length && figures.length >= exponent + 1) limit = figures.length
  if (exponent < -4 || exponent >= limit) {
    const rest = figures.slice(1)
    return `${sign}${goExponent(`${figures[0]}${rest === '' ? '' : `.${rest}`}e${exponent}`)}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${figures}`
  const whole = figures.padEnd(exponent + 1, '0')
  const fraction = whole.slice(exponent + 1)
  return `${sign}${whole.slice(0, exponent + 1)}${fraction === '' ? '' : `.${fraction}`}`
}

function goExponent(text: string): string {
  return text.replace(
    /e([+-]?)(\d+)$/,
    (_, sign: string, digits: string) => `e${sign || '+'}${digits.padStart(2, '0')}`,
  )
}

/** Shortest digits in plain notation. */
function plainDecimal(size: number): string {
  const [mantissa, exponentText] = size.toExponential().split('e')
  const exponent = Number(exponentText)
  const figures = mantissa!.replace('.', '')
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${figures}`
  const whole = figures.padEnd(exponent + 1, '0')
  const fraction = whole.slice(exponent + 1)
  return whole.slice(0, exponent + 1) + (fraction === '' ? '' : `.${fraction}`)
}

function fixed(size: number, precision: number): string {
  if (size < 1e21) return size.toFixed(Math.min(precision, 100))
  const whole = BigInt(size).toString()
  return precision > 0 ? `${whole}.${'0'.repeat(precision)}` : whole
}
