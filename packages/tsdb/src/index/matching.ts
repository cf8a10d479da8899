// From matchers to postings of an index: conditions that an absent label fails are intersected, the others subtract what they refuse.
import type { Matcher } from '@watchfire/datamodel'
import type { IndexReader } from './index-reader.ts'
import { intersect, union, without } from './postings.ts'

/** References of the series all matchers accept, in order of label sets. */
export function matchingSeries(index: IndexReader, matchers: readonly Matcher[]): Uint32Array {
  let kept: Uint32Array | undefined
  const refusals: Matcher[] = []
  // Equality first: it is the cheapest and leaves the least.
  for (const matcher of [...matchers].sort((a, b) => cost(a) - cost(b))) {
    if (matcher.matchesEmpty()) {
      refusals.push(matcher)
      continue
    }
    const accepted = postingsOf(index, matcher, true)
    kept = kept === undefined ? accepted : intersect(kept, accepted)
    if (kept.length === 0) return kept
  }
  kept ??= index.postings('', '')
  for (const matcher of refusals) {
    if (kept.length === 0) break
    kept = without(kept, postingsOf(index, matcher, false))
  }
  return kept
}

function cost(matcher: Matcher): number {
  return matcher.type === '=' ? 0 : matcher.type === '=~' && matcher.regex!.setMatches ? 1 : 2
}

/** Series that have the label with a value the matcher accepts, or with one it refuses. */
function postingsOf(index: IndexReader, matcher: Matcher, accepted: boolean): Uint32Array {
  const literals = literalsOf(matcher, accepted)
  const lists: Uint32Array[] = []
  if (literals) {
    for (const value of new Set(literals)) {
      const list = value === '' ? undefined : index.postings(matcher.name, value)
      if (list && list.length > 0) lists.push(list)
    }
    return union(lists)
  }
  const offsets: number[] = []
  index.table.forEach(matcher.name, (value, postings) => {
    if (matcher.matches(value) === accepted) offsets.push(postings)
  })
  for (const offset of offsets) lists.push(index.postingsAt(offset))
  return union(lists)
}

/** The only values that can be in question, if they are few and known. */
function literalsOf(matcher: Matcher, accepted: boolean): readonly string[] | undefined {
  if (matcher.name === '') return []
  switch (matcher.type) {
    case '=':
      return accepted ? [matcher.value] : undefined
    case '!=':
      return accepted ? undefined : [matcher.value]
    case '=~':
      return accepted ? matcher.regex!.setMatches : undefined
    case '!~':
      return accepted ? undefined : matcher.regex!.setMatches
  }
}
