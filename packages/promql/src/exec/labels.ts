// Label sets as the operators need them: without the metric's identity, or reduced to what is matched or
// grouped by.
import { Labels, METRIC_NAME, compareUtf8 } from '@watchfire/datamodel'

/** Labels that say what a metric is; an operation that changes the meaning of the value drops them. */
const METADATA: ReadonlySet<string> = new Set([METRIC_NAME, '__type__', '__unit__'])

/** Name of the label with a classic bucket's upper bound. */
export const BUCKET_LABEL = 'le'

export function dropMetadata(labels: Labels): Labels {
  return labels.drop(METADATA)
}

/**
 * With one label set, or removed when the value is empty. Same as `Labels.with`, without a map in between.
 */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  const { pairs } = labels
  let at = 0
  while (at < pairs.length && compareUtf8(pairs[at]!, name) < 0) at += 2
  const present = pairs[at] === name
  if (present ? pairs[at + 1] === value : value === '') return labels
  const rest = pairs.slice(present ? at + 2 : at)
  const own = value === '' ? [] : [name, value]
  return Labels.fromSortedPairs(pairs.slice(0, at).concat(own, rest))
}

/** Text that is equal for label sets which agree in the named labels (a missing one counts as ''). */
export function keyOf(labels: Labels, names: readonly string[]): string {
  if (names.length === 0) return ''
  if (names.length === 1) return labels.get(names[0]!)
  let key = ''
  for (const name of names) key += labels.get(name) + '\u0000'
  return key
}

/** Text that is equal for label sets which agree in all but the given labels. */
export function keyWithout(labels: Labels, names: ReadonlySet<string>): string {
  const { pairs } = labels
  let key = ''
  for (let i = 0; i < pairs.length; i += 2)
    if (!names.has(pairs[i]!)) key += pairs[i] + '\u0000' + pairs[i + 1] + '\u0000'
  return key
}

/** True when dropping the metadata labels cannot make two of these label sets equal. */
export function sameMetric(all: readonly { readonly labels: Labels }[]): boolean {
  const first = all[0]
  if (!first) return true
  const name = first.labels.metricName
  const type = first.labels.get('__type__')
  const unit = first.labels.get('__unit__')
  for (let i = 1; i < all.length; i++) {
    const { labels } = all[i]!
    if (labels.metricName !== name) return false
    if (labels.get('__type__') !== type || labels.get('__unit__') !== unit) return false
  }
  return true
}
