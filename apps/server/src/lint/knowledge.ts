// What the linter knows of the data: types of metrics, names and labels of series. Whatever is not known makes the
// rules that need it silent.
import type { MetricType } from '@watchfire/datamodel'

export interface Knowledge {
  /** Type of a metric family as exposed (a histogram without its suffixes); undefined = not known. */
  typeOf(family: string): MetricType | undefined
  /** All names of series; undefined = not known. */
  readonly names: ReadonlySet<string> | undefined
  /** Label names that series of a name have, without `__name__`; undefined = not known. */
  labelsOf(name: string): ReadonlySet<string> | undefined
}

export interface KnowledgeData {
  readonly types?: ReadonlyMap<string, MetricType>
  readonly names?: Iterable<string>
  readonly labels?: ReadonlyMap<string, Iterable<string>>
}

/** Knowledge from plain data. */
export function knowledgeOf({ types, names, labels }: KnowledgeData): Knowledge {
  const sets = new Map(Array.from(labels ?? [], ([name, list]) => [name, new Set(list)] as const))
  return {
    typeOf: (family) => types?.get(family),
    names: names && new Set(names),
    labelsOf: (name) => sets.get(name),
  }
}

/** Nothing is known: only what shows in the query itself is said. */
export const NO_KNOWLEDGE: Knowledge = knowledgeOf({})

/** How the values of a series behave, from the type of its family; undefined = not known. */
export function seriesType(knowledge: Knowledge, name: string): MetricType | undefined {
  const own = knowledge.typeOf(name)
  if (own !== undefined && own !== 'unknown') return own
  const match = /^(.+)_(bucket|sum|count|total|created)$/.exec(name)
  const family = match ? knowledge.typeOf(match[1]!) : undefined
  if (family === undefined) return undefined
  switch (match![2]) {
    case 'total':
      return family === 'counter' ? 'counter' : undefined
    case 'created':
      return 'gauge'
    default:
      if (family === 'gaugehistogram') return 'gauge'
      return family === 'histogram' || family === 'summary' ? 'counter' : undefined
  }
}

/** The known word that is closest to one that is not, undefined when none is close. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const most = Math.min(3, Math.max(1, Math.floor(word.length / 3)))
  let best: string | undefined
  let bestDistance = most + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > most) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Insertions, deletions and replacements between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced))
    }
    row = next
  }
  return row[b.length]!
}
