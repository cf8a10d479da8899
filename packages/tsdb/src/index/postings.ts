// Algebra of postings: sorted arrays of series references without repetition. Data plane.

export const NO_POSTINGS: Uint32Array = new Uint32Array(0)

/** References in both. */
export function intersect(a: Uint32Array, b: Uint32Array): Uint32Array {
  const [small, large] = a.length <= b.length ? [a, b] : [b, a]
  const out = new Uint32Array(small.length)
  let n = 0
  let from = 0
  for (let i = 0; i < small.length && from < large.length; i++) {
    const ref = small[i]!
    from = seek(large, ref, from)
    if (from < large.length && large[from] === ref) out[n++] = ref
  }
  return out.subarray(0, n)
}

/** References of `a` that are not in `b`. */
export function without(a: Uint32Array, b: Uint32Array): Uint32Array {
  if (b.length === 0) return a
  const out = new Uint32Array(a.length)
  let n = 0
  let from = 0
  for (let i = 0; i < a.length; i++) {
    const ref = a[i]!
    from = seek(b, ref, from)
    if (from >= b.length || b[from] !== ref) out[n++] = ref
  }
  return out.subarray(0, n)
}

/** References in any of the lists. */
export function union(lists: readonly Uint32Array[]): Uint32Array {
  if (lists.length === 0) return NO_POSTINGS
  if (lists.length === 1) return lists[0]!
  const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  all.sort()
  let n = 0
  for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) all[n++] = all[i]!
  return all.subarray(0, n)
}

/** First place from `from` on that is not below `ref`, by doubling steps. */
function seek(list: Uint32Array, ref: number, from: number): number {
  let step = 1
  let low = from
  let high = from
  while (high < list.length && list[high]! < ref) {
    low = high + 1
    high += step
    step *= 2
  }
  high = Math.min(high, list.length)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle]! < ref) low = middle + 1
    else high = middle
  }
  return low
}
