// Differences between Prometheus 2.42 and the version this server follows (3.x), each with its reason.

/** The reason of a difference, or undefined. `found` is the text of `difference`. */
export function explain({ params: { query } }, found) {
  for (const { applies, reason } of KNOWN) if (applies(query, found)) return reason
  return undefined
}

const KNOWN = [
  {
    applies: (query, found) => query.includes('atan2') && /series|error/.test(found),
    reason: 'atan2 kept the name of the metric before 3.0',
  },
  {
    applies: (query, found) => /std(var|dev)/.test(query) && /but NaN/.test(found),
    reason: 'the deviation of infinite values is NaN since 3.x, and was that of the values after the first',
  },
  {
    applies: (_, found) => /^success .* but error \(multiple matches for labels/.test(found),
    reason: 'a match that a comparison leaves out counts as a match since 3.x',
  },
]
