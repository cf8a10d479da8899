// Which series of two vectors belong together.
import { METRIC_NAME, type Labels } from '@watchfire/datamodel'
import type { Matching } from '../plan/nodes.ts'
import { keyOf, keyWithout } from './labels.ts'
import type { SeriesMeta } from './operator.ts'

/** Numbers the match groups of two vectors: series with one number match. */
export class MatchGroups {
  readonly left: Uint32Array
  readonly right: Uint32Array
  readonly count: number

  constructor(left: readonly SeriesMeta[], right: readonly SeriesMeta[], matching: Matching) {
    const numbers = new Map<string, number>()
    const without = new Set([METRIC_NAME, ...matching.labels])
    const number = ({ labels }: SeriesMeta): number => {
      const key = matching.on ? keyOf(labels, matching.labels) : keyWithout(labels, without)
      let group = numbers.get(key)
      if (group === undefined) {
        group = numbers.size
        numbers.set(key, group)
      }
      return group
    }
    this.left = Uint32Array.from(left, number)
    this.right = Uint32Array.from(right, number)
    this.count = numbers.size
  }
}

/** The labels that matched, as the errors show them and as a filled-in series has them. */
export function matchLabels(labels: Labels, matching: Matching): Labels {
  const names = new Set(matching.labels)
  if (matching.on) return labels.keep(names)
  names.add(METRIC_NAME)
  return labels.drop(names)
}
