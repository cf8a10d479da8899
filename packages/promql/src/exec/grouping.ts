// Which series an aggregation puts together.
import { METRIC_NAME, type Labels } from '@watchfire/datamodel'
import type { AggregateNode } from '../plan/nodes.ts'
import { keyOf, keyWithout } from './labels.ts'
import type { SeriesMeta } from './operator.ts'

export interface Groups {
  /** Group of each series. */
  readonly groupOf: Uint32Array
  /** Labels of each group, in order of first appearance. */
  readonly labels: readonly Labels[]
}

type By = Pick<AggregateNode, 'grouping' | 'without'>

export function groupSeries(series: readonly SeriesMeta[], by: By): Groups {
  const dropped = new Set([...by.grouping, METRIC_NAME])
  const kept = new Set(by.grouping)
  const groupOf = new Uint32Array(series.length)
  const labels: Labels[] = []
  const known = new Map<string, number>()
  for (let i = 0; i < series.length; i++) {
    const own = series[i]!.labels
    const key = by.without ? keyWithout(own, dropped) : keyOf(own, by.grouping)
    let group = known.get(key)
    if (group === undefined) {
      group = labels.length
      known.set(key, group)
      labels.push(by.without ? own.drop(dropped) : own.keep(kept))
    }
    groupOf[i] = group
  }
  return { groupOf, labels }
}
