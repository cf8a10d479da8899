// Quantiles of plain values, by selection: only the two neighbours of the rank are put in place. Data plane.

/**
 * Reorders `values` and returns the φ-quantile with linear interpolation between neighbours; NaN counts as
 * the smallest.
 */
export function quantileOf(q: number, values: Float64Array): number {
  const n = values.length
  if (n === 0 || q !== q) return NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  const rank = q * (n - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(n - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  const nans = moveNansFirst(values)
  const low = lower < nans ? NaN : select(values, nans, n - 1, lower)
  let high = low
  if (upper !== lower) high = upper < nans ? NaN : smallest(values, Math.max(upper, nans), n)
  return low * (1 - weight) + high * weight
}

/** Returns how many NaN there are. */
function moveNansFirst(values: Float64Array): number {
  let nans = 0
  for (let i = 0; i < values.length; i++) {
    if (values[i] === values[i]) continue
    values[i] = values[nans]!
    values[nans++] = NaN
  }
  return nans
}

/** Puts the k-th smallest of from…to (inclusive) at position k, smaller ones before it. */
function select(values: Float64Array, from: number, to: number, k: number): number {
  while (to > from) {
    const pivot = medianOfThree(values[from]!, values[(from + to) >>> 1]!, values[to]!)
    let i = from
    let j = to
    while (i <= j) {
      while (values[i]! < pivot) i++
      while (values[j]! > pivot) j--
      if (i > j) break
      const swapped = values[i]!
      values[i++] = values[j]!
      values[j--] = swapped
    }
    if (k <= j) to = j
    else if (k >= i) from = i
    else break
  }
  return values[k]!
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}

function smallest(values: Float64Array, from: number, to: number): number {
  let least = values[from]!
  for (let i = from + 1; i < to; i++) if (values[i]! < least) least = values[i]!
  return least
}
