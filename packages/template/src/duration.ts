// Go's time.Duration: nanoseconds.
import { TemplateObject, type Callable, type Value } from './values.ts'
import { FunctionError } from './errors.ts'

const NS_PER_SECOND = 1_000_000_000n
const MIN_INT64 = -0x8000_0000_0000_0000n

/** A float as Go converts it to int64: what does not fit becomes the smallest int64. */
export function toInt64(value: number): bigint {
  if (!Number.isFinite(value)) return MIN_INT64
  const whole = BigInt(Math.trunc(value))
  return whole > 0x7fff_ffff_ffff_ffffn || whole < MIN_INT64 ? MIN_INT64 : whole
}

/** `1h2m3.5s`, as Go prints a duration. */
export function formatGoDuration(ns: bigint): string {
  if (ns === 0n) return '0s'
  const sign = ns < 0n ? '-' : ''
  const size = ns < 0n ? -ns : ns
  if (size < NS_PER_SECOND) {
    const [unit, scale] = size < 1000n ? ['ns', 0] : size < 1_000_000n ? ['µs', 3] : ['ms', 6]
    return sign + withFraction(size, scale as number) + unit
  }
  const seconds = size / NS_PER_SECOND
  const rest = withFraction(size % (60n * NS_PER_SECOND), 9) + 's'
  const minutes = seconds / 60n
  if (minutes === 0n) return sign + rest
  const hours = minutes / 60n
  return `${sign}${hours > 0n ? `${hours}h` : ''}${minutes % 60n}m${rest}`
}

function withFraction(value: bigint, digits: number): string {
  if (digits === 0) return String(value)
  const text = String(value).padStart(digits + 1, '0')
  const fraction = text.slice(-digits).replace(/0+$/, '')
  return text.slice(0, -digits) + (fraction === '' ? '' : `.${fraction}`)
}

const noArgs = (call: () => Value): Callable => ({ params: [], call })

export class GoDuration extends TemplateObject {
  readonly goType = 'time.Duration'
  readonly ns: bigint

  constructor(ns: bigint) {
    super()
    this.ns = BigInt.asIntN(64, ns)
  }

  override format(): string {
    return formatGoDuration(this.ns)
  }

  override truth(): boolean {
    return this.ns !== 0n
  }

  override method(name: string): Callable | undefined {
    const float = (unit: bigint) =>
      noArgs(() => Number(this.ns / unit) + Number(this.ns % unit) / Number(unit))
    switch (name) {
      case 'String':
        return noArgs(() => this.format())
      case 'Seconds':
        return float(NS_PER_SECOND)
      case 'Minutes':
        return float(60n * NS_PER_SECOND)
      case 'Hours':
        return float(3600n * NS_PER_SECOND)
      case 'Milliseconds':
        return noArgs(() => this.ns / 1_000_000n)
      case 'Microseconds':
        return noArgs(() => this.ns / 1000n)
      case 'Nanoseconds':
        return noArgs(() => this.ns)
      case 'Abs':
        return noArgs(() => new GoDuration(this.ns < 0n ? -this.ns : this.ns))
      case 'Round':
      case 'Truncate':
        return { params: ['time.Duration'], call: ([unit]) => this.#cut(name, (unit as GoDuration).ns) }
    }
    return undefined
  }

  #cut(how: string, unit: bigint): GoDuration {
    if (unit <= 0n) return this
    const rest = this.ns % unit
    const down = this.ns - rest
    if (how === 'Truncate') return new GoDuration(down)
    const size = rest < 0n ? -rest : rest
    return new GoDuration(size + size < unit ? down : down + (rest < 0n ? -unit : unit))
  }
}

/** Number of a float, an int, a duration (seconds) or a text; throws Go's ParseFloat error. */
export function toFloat(value: Value): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof GoDuration) return Number(value.ns) / 1e9
  if (typeof value === 'string') {
    const text = value.replace(/^\+/, '')
    if (/^[+-]?inf(inity)?$/i.test(value)) return value.startsWith('-') ? -Infinity : Infinity
    if (/^nan$/i.test(value)) return NaN
    const plain = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)
    if (!plain)
      throw new FunctionError(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`)
    return Number(text)
  }
  throw new FunctionError(
    `can't convert ${value instanceof TemplateObject ? value.goType : typeof value} to float`,
  )
}
