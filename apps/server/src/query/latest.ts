// The newest sample of every selected series with its own time, as federation wants it: the series that an instant query shows, and of each
// the last sample of the window.
import { formatDuration, quoteLabelName, quoteString, type Labels } from '@watchfire/datamodel'
import type { MatrixSeries } from '@watchfire/promql'
import { parseMetricSelector } from '@watchfire/promql/parser'
import type { LatestRequest, PlainSample } from './contract.ts'
import type { TaskAnswer } from './messages.ts'
import type { Control, RunnerParts } from './query-runner.ts'

export function latest(
  { engine, reader }: RunnerParts,
  request: LatestRequest,
  control: Control,
): TaskAnswer {
  const { timeMs, lookbackMs } = request
  const found = new Map<string, { labels: Labels; sample: PlainSample }>()
  const run = (expr: string) =>
    engine.query(reader, { expr, startMs: timeMs, endMs: timeMs, lookbackMs, ...control }).value
  for (const match of request.matches) {
    const selector = selectorText(match)
    const shown = run(selector)
    const windows = run(`${selector}[${formatDuration(lookbackMs)}]`)
    if (shown.type !== 'vector' || windows.type !== 'matrix') throw new Error(`BUG: no selector: ${selector}`)
    const series = new Map(windows.series.map((one) => [one.labels.key(), one]))
    for (const { labels } of shown.samples) {
      const window = series.get(labels.key())
      if (window !== undefined) found.set(labels.key(), { labels, sample: lastOf(window) })
    }
  }
  const sorted = [...found.values()].sort((a, b) => a.labels.compare(b.labels))
  return { ok: true, samples: sorted.map(({ sample }) => sample), warnings: [], infos: [] }
}

function lastOf({ labels, times, values, histograms }: MatrixSeries): PlainSample {
  const last = times.length - 1
  const histogram = histograms?.[last]
  return {
    pairs: labels.pairs,
    timeMs: times[last]!,
    value: values[last]!,
    ...(histogram && { histogram }),
  }
}

/** The selector with a name that is not empty, so that it may match everything. Series without a name are not wanted. */
function selectorText(match: string): string {
  const matchers = parseMetricSelector(match).map(
    ({ name, type, value }) => `${quoteLabelName(name)}${type}${quoteString(value)}`,
  )
  return `{${[...matchers, '__name__!=""'].join(',')}}`
}
