// Warnings and infos of one query. They are told apart by their text without the position; the newest
// position wins.

export type AnnotationLevel = 'warning' | 'info'

interface Annotation {
  readonly level: AnnotationLevel
  readonly text: string
  position: number
  /** Details collected over several occurrences, printed at the end. */
  detail: MonotonicityDetail | undefined
  count: number
}

/** What had to be fixed in the buckets given to histogram_quantile. */
export interface MonotonicityDetail {
  readonly minTimeMs: number
  readonly maxTimeMs: number
  readonly minBucket: number
  readonly maxBucket: number
  readonly maxDiff: number
}

export class Annotations {
  readonly #byText = new Map<string, Annotation>()

  warn(text: string, position: number): void {
    this.#add('warning', text, position)
  }

  info(text: string, position: number): void {
    this.#add('info', text, position)
  }

  monotonicity(text: string, position: number, detail: MonotonicityDetail): void {
    const annotation = this.#add('info', text, position)
    const old = annotation.detail
    annotation.detail = old
      ? {
          minTimeMs: Math.min(old.minTimeMs, detail.minTimeMs),
          maxTimeMs: Math.max(old.maxTimeMs, detail.maxTimeMs),
          minBucket: Math.min(old.minBucket, detail.minBucket),
          maxBucket: Math.max(old.maxBucket, detail.maxBucket),
          maxDiff: Math.max(old.maxDiff, detail.maxDiff),
        }
      : detail
  }

  #add(level: AnnotationLevel, text: string, position: number): Annotation {
    const key = level + text
    const known = this.#byText.get(key)
    if (known) {
      known.position = position
      known.count++
      return known
    }
    const annotation: Annotation = { level, text, position, detail: undefined, count: 1 }
    this.#byText.set(key, annotation)
    return annotation
  }

  /** Texts as the API shows them. */
  print(level: AnnotationLevel, query: string): string[] {
    const out: string[] = []
    for (const annotation of this.#byText.values()) {
      if (annotation.level !== level) continue
      let text = `PromQL ${level}: ${annotation.text}`
      if (annotation.detail) text += printDetail(annotation.detail, annotation.count)
      else if (annotation.count > 1 && annotation.text.startsWith(OVERLAP))
        text += ` (${annotation.count} occurrences)`
      out.push(`${text} (${printPosition(query, annotation.position)})`)
    }
    return out
  }
}

/** Start of the one text that tells how often it happened. */
export const OVERLAP = 'sample has start time that overlaps with previous sample timestamp'

function printDetail(detail: MonotonicityDetail, count: number): string {
  const time = (ms: number) => new Date(Math.trunc(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z')
  const from = formatG(detail.minBucket)
  const to = formatG(detail.maxBucket)
  const diff = formatG(detail.maxDiff, 2)
  const span = `from ${time(detail.minTimeMs)} to ${time(detail.maxTimeMs)}`
  return `, from buckets ${from} to ${to}, with a max diff of ${diff}, over ${count} samples ${span}`
}

/** line:column, both from 1, the column in UTF-8 bytes as Prometheus counts. */
function printPosition(query: string, position: number): string {
  const before = query.slice(0, position)
  const line = before.split('\n').length
  const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1), 'utf8') + 1
  return `${line}:${column}`
}

/** C's %g: shortest digits, or `precision` significant ones. */
export function formatG(value: number, precision?: number): string {
  if (value !== value) return 'NaN'
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', power = '0'] = value
    .toExponential(precision === undefined ? undefined : precision - 1)
    .split('e')
  const exponent = Number(power)
  const digits = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  const limit = precision ?? 6
  if (exponent < -4 || exponent >= limit) {
    const sign = exponent < 0 ? '-' : '+'
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return Number(`${digits}e${exponent}`).toString()
}
