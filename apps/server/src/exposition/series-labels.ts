// From the positions that a text parser noted to a sorted label set.
import { Labels, METRIC_NAME, compareUtf8, type MetricType } from '@watchfire/datamodel'
import { formatOpenMetricsFloat, goFloat, unescapeLabel, utf8 } from './go-text.ts'

/** Labels that say type and unit when they are asked for. */
const TYPE_LABEL = '__type__'
const UNIT_LABEL = '__unit__'

/** What the labels of a series depend on besides its own text. */
export interface FamilyContext {
  readonly type: MetricType
  readonly unit: string
  /** Adds `__type__` and `__unit__`, overriding exposed ones. */
  readonly typeAndUnitLabels: boolean
}

/** Sorts pairs by name, keeping the order of equal names. As exposed: empty values stay and a name may stand twice. */
export function sortedLabels(pairs: [string, string][]): Labels {
  pairs.sort((a, b) => compareUtf8(a[0], b[0]))
  return Labels.fromSortedPairs(pairs.flat())
}

/** Name, type and unit of a series as its first pairs, and which exposed labels they override. */
export function contextPairs(name: string, context: FamilyContext): [string, string][] {
  const pairs: [string, string][] = [[METRIC_NAME, name]]
  if (!context.typeAndUnitLabels) return pairs
  if (context.type !== 'unknown') pairs.push([TYPE_LABEL, context.type])
  if (context.unit !== '') pairs.push([UNIT_LABEL, context.unit])
  return pairs
}

/** True when the context sets this label itself. */
export function overridden(label: string, name: string, context: FamilyContext): boolean {
  if (!context.typeAndUnitLabels) return false
  if (label === METRIC_NAME) return name !== ''
  if (label === TYPE_LABEL) return context.type !== 'unknown'
  return label === UNIT_LABEL && context.unit !== ''
}

/**
 * `offsets`: start and end of the name, then start and end of each label's name and value, as positions in `bytes`.
 * Bounds of histograms and quantiles of summaries get their OpenMetrics form.
 */
export function labelsFromOffsets(bytes: Buffer, offsets: readonly number[], context: FamilyContext): Labels {
  const name = unescapeLabel(utf8(bytes, offsets[0] ?? 0, offsets[1] ?? 0))
  const pairs = contextPairs(name, context)
  for (let k = 2; k + 3 < offsets.length; k += 4) {
    const label = unescapeLabel(utf8(bytes, offsets[k] ?? 0, offsets[k + 1] ?? 0))
    if (overridden(label, name, context)) continue
    const value = unescapeLabel(utf8(bytes, offsets[k + 2] ?? 0, offsets[k + 3] ?? 0))
    pairs.push([label, normalizeBound(context.type, label, value)])
  }
  return sortedLabels(pairs)
}

function normalizeBound(type: MetricType, label: string, value: string): string {
  const isBound = (type === 'summary' && label === 'quantile') || (type === 'histogram' && label === 'le')
  if (!isBound) return value
  const number = goFloat(value)
  return number === undefined ? value : formatOpenMetricsFloat(number)
}
