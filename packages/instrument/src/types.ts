// The shapes every metric kind shares: options, label values, exemplars. No behaviour.

/** What a family is declared as in an exposition. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary'

/** Label values by name; numbers are printed as JavaScript prints them. */
export type LabelValues<L extends string = string> = Readonly<Record<L, string | number>>

/** A trace or request an observation belongs to. */
export interface Exemplar {
  /** At most 128 UTF-16 units over all names and values; an exemplar above that is ignored, the observation counts. */
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly timestampMs: number
}

/** The part of a registry a metric needs to enrol itself. */
export interface MetricRegister {
  /** Milliseconds since the epoch: start timestamps and exemplars. */
  readonly now: () => number
  readonly maxSeriesPerMetric: number
  /** Throws if the name, or a name the family prints, is taken. */
  registerMetric(metric: RegisteredMetric): void
}

/** What the registry and the renderers know of a metric, whatever its kind. */
export interface RegisteredMetric {
  readonly name: string
  readonly help: string
  readonly unit: string
  readonly type: MetricType
  readonly labelNames: readonly string[]
  /** Label sets that found the metric full (`maxSeries`). */
  readonly rejected: number
  /** Runs the `collect` option, so that values taken at scrape time are fresh. */
  runCollect(): void
  reset(): void
}

/** Options of every metric kind. */
export interface MetricOptions<L extends string> {
  name: string
  help: string
  labelNames?: readonly L[]
  /** Where the metric is registered: the default registry if absent, nowhere if empty. */
  registers?: readonly MetricRegister[]
  /** Most label sets kept (default: the registry's `maxSeriesPerMetric`); further ones are swallowed and counted. */
  maxSeries?: number
  /** OpenMetrics unit; must be the end of the name (`seconds`, `bytes`). */
  unit?: string
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** Throws unless the name can be printed in every format. */
export function checkMetricName(name: string): void {
  if (!METRIC_NAME.test(name)) throw new Error(`invalid metric name ${JSON.stringify(name)}`)
}

/** Throws unless the names are label names that are neither reserved nor repeated. */
export function checkLabelNames(metric: string, names: readonly string[], reserved: readonly string[]): void {
  const seen = new Set(reserved)
  for (const name of names) {
    if (!LABEL_NAME.test(name) || name.startsWith('__'))
      throw new Error(`metric ${metric}: invalid label name ${JSON.stringify(name)}`)
    if (seen.has(name)) throw new Error(`metric ${metric}: label name ${name} is reserved or repeated`)
    seen.add(name)
  }
}

/** The exemplar of an observation, or undefined if there are no labels or they are too long. */
export function makeExemplar(
  labels: Readonly<Record<string, string>> | undefined,
  value: number,
  timestampMs: number,
): Exemplar | undefined {
  if (labels === undefined) return undefined
  let length = 0
  for (const name of Object.keys(labels)) {
    if (!LABEL_NAME.test(name)) return undefined
    length += name.length + labels[name]!.length
  }
  return length > EXEMPLAR_MAX_LENGTH ? undefined : { labels, value, timestampMs }
}

/** OpenMetrics: label names and values of one exemplar together. */
const EXEMPLAR_MAX_LENGTH = 128
