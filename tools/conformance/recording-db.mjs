// A database that keeps what was appended, with the rules of a head for order and duplicates.
import { APPEND, isStale } from '../../packages/datamodel/dist/index.js'

export class RecordingDb {
  /** { labels, samples: [{ timeMs, value | histogram, stale }], exemplars } in order of first sight. */
  series = []
  #refs = new Map()

  appender() {
    const staged = []
    const last = new Map()
    const add = (ref, sample) => {
      const series = this.series[ref - 1]
      if (series === undefined) return APPEND.unknownRef
      const before = last.get(ref) ?? series.samples.at(-1)
      if (before !== undefined && sample.timeMs < before.timeMs) return APPEND.outOfOrder
      if (before !== undefined && sample.timeMs === before.timeMs)
        return Object.is(before.value, sample.value) && !sample.histogram ? APPEND.ok : APPEND.duplicate
      last.set(ref, sample)
      staged.push(() => series.samples.push(sample))
      return APPEND.ok
    }
    const float = (ref, timeMs, value) => add(ref, { timeMs, value, stale: isStale(value) })
    return {
      series: (labels) => {
        const key = labels.key()
        if (!this.#refs.has(key))
          this.#refs.set(key, this.series.push({ labels, samples: [], exemplars: [] }))
        return this.#refs.get(key)
      },
      float,
      floats(refs, timeMs, values, results, count) {
        for (let i = 0; i < count; i++) results[i] = float(refs[i], timeMs, values[i])
      },
      histogram: (ref, timeMs, histogram) => add(ref, { timeMs, histogram, stale: isStale(histogram.sum) }),
      exemplar: (ref, exemplar) => {
        staged.push(() => this.series[ref - 1].exemplars.push(exemplar))
        return APPEND.ok
      },
      commit: () => staged.forEach((apply) => apply()),
      rollback() {},
    }
  }
}
