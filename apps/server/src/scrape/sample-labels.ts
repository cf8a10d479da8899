// From exposed labels to stored labels: target labels, honor_labels, metric relabelling, limits.
import { Labels, METRIC_NAME, isLegacyLabelName, isLegacyMetricName, quoteString } from '@watchfire/datamodel'
import { duplicateLabel } from '../exposition/index.ts'
import { relabelMap, type CompiledRelabel } from '../relabel/index.ts'
import { ScrapeError } from './errors.ts'

const EXPORTED = 'exported_'

/** What decides about the labels of a target's series. */
export interface LabelPolicy {
  /** The target's labels. */
  readonly target: Labels
  readonly honorLabels: boolean
  readonly metricRelabel: readonly CompiledRelabel[]
  readonly validation: 'utf8' | 'legacy'
  /** 0 = no limit, for all. */
  readonly labelLimit: number
  readonly labelNameLengthLimit: number
  readonly labelValueLengthLimit: number
}

/** Stored labels of a series, undefined when it is dropped. Throws `ScrapeError` when the scrape has to fail. */
export function sampleLabels(exposed: Labels, policy: LabelPolicy): Labels | undefined {
  const map = new Map(exposed)
  const duplicate = duplicateLabel(exposed)
  for (const [name, value] of exposed) if (value === '') map.delete(name)
  if (policy.honorLabels) {
    for (const [name, value] of policy.target) if (!exposed.has(name)) map.set(name, value)
  } else overrideLabels(map, policy.target)
  if (!relabelMap(map, policy.metricRelabel)) return undefined
  const labels = Labels.from(map)
  if (labels.size === 0) return undefined
  checkLabels(labels, policy)
  if (duplicate !== undefined && labels.has(duplicate))
    throw new ScrapeError(`label name ${quoteString(duplicate)} is not unique: invalid sample`)
  return labels
}

/** Sets the target's labels; exposed ones of the same name move to `exported_…`. */
function overrideLabels(map: Map<string, string>, target: Labels): void {
  const moved: [string, string][] = []
  for (const [name, value] of target) {
    const exposed = map.get(name)
    if (exposed !== undefined) moved.push([name, exposed])
    map.set(name, value)
  }
  moved.sort((a, b) => a[0].length - b[0].length)
  for (const [name, value] of moved) {
    let free = EXPORTED + name
    while (map.has(free)) free = EXPORTED + free
    map.set(free, value)
  }
}

function checkLabels(labels: Labels, policy: LabelPolicy): void {
  const name = labels.metricName
  if (name === '') throw new ScrapeError('missing metric name (__name__ label)')
  if (policy.validation === 'legacy' && !isLegacy(labels))
    throw new ScrapeError(`invalid metric name or label names: ${labels.toString()}`)
  const { labelLimit, labelNameLengthLimit, labelValueLengthLimit } = policy
  const metric = cut(name)
  if (labelLimit > 0 && labels.size > labelLimit)
    throw limitError(
      `label_limit exceeded (metric: ${metric}, number of labels: ${labels.size}, limit: ${labelLimit})`,
    )
  if (labelNameLengthLimit === 0 && labelValueLengthLimit === 0) return
  for (const [label, value] of labels) {
    const shown = `metric: ${metric}, label name: ${cut(label)}`
    const nameLength = Buffer.byteLength(label)
    if (labelNameLengthLimit > 0 && nameLength > labelNameLengthLimit)
      throw limitError(
        `label_name_length_limit exceeded (${shown}, length: ${nameLength}, limit: ${labelNameLengthLimit})`,
      )
    const valueLength = Buffer.byteLength(value)
    if (labelValueLengthLimit > 0 && valueLength > labelValueLengthLimit)
      throw limitError(
        `label_value_length_limit exceeded (${shown}, value: ${quoteString(cut(value))}, length: ${valueLength}, limit: ${labelValueLengthLimit})`,
      )
  }
}

function isLegacy(labels: Labels): boolean {
  if (!isLegacyMetricName(labels.metricName)) return false
  return labels.names().every((name) => name === METRIC_NAME || isLegacyLabelName(name))
}

function limitError(message: string): ScrapeError {
  return new ScrapeError(message, { limit: 'label' })
}

/** At most 50 characters, as the messages show names. */
function cut(text: string): string {
  return text.length <= 50 ? text : [...text].slice(0, 50).join('')
}
