// Cardinality of the head for `/api/v1/status/tsdb`: the largest metric names, labels and pairs. An inexact walk without a lock: series
// that come or go meanwhile may be counted or not.
import { METRIC_NAME, compareUtf8 } from '@watchfire/datamodel'
import type { HeadCardinality } from '../contract.ts'
import type { HeadSource } from './head-source.ts'

type Entry = readonly [string, number]

export function headCardinality(source: HeadSource, limit: number): HeadCardinality {
  const byMetric = new Top(limit)
  const valueCounts = new Top(limit)
  const bytes = new Top(limit)
  const byPair = new Top(limit)
  source.pinned(() => {
    source.labels.refresh()
    for (const symbol of source.nameSymbols()) {
      const name = source.symbols.text(symbol)
      const pairs = source.pairs.ofName(symbol)
      let valueBytes = 0
      for (const pair of pairs) {
        const count = source.pairs.count(pair)
        const value = source.symbols.text(source.pairs.value(pair))
        valueBytes += Buffer.byteLength(value) * count
        if (name === METRIC_NAME) byMetric.add(value, count)
        byPair.add(`${name}=${value}`, count)
      }
      valueCounts.add(name, pairs.length)
      bytes.add(name, valueBytes)
    }
  })
  return {
    seriesCountByMetricName: byMetric.entries(),
    labelValueCountByLabelName: valueCounts.entries(),
    memoryInBytesByLabelName: bytes.entries(),
    seriesCountByLabelValuePair: byPair.entries(),
  }
}

/** Keeps the largest entries; trims when it holds twice as many as wanted. */
class Top {
  readonly #limit: number
  #entries: Entry[] = []

  constructor(limit: number) {
    this.#limit = Math.max(limit, 1)
  }

  add(name: string, count: number): void {
    this.#entries.push([name, count])
    if (this.#entries.length >= this.#limit * 2 + 64) this.#trim()
  }

  entries(): Entry[] {
    this.#trim()
    return this.#entries
  }

  #trim(): void {
    this.#entries.sort((a, b) => b[1] - a[1] || compareUtf8(a[0], b[0]))
    this.#entries = this.#entries.slice(0, this.#limit)
  }
}
