// Quantiles of plain values.

/** Sorts in place, NaN first, and returns the φ-quantile with linear interpolation between neighbours. */
export function quantileOf(q: number, values: Float64Array): number {
  if (values.length === 0 || q !== q) return NaN
  if (q < 0) return -Infinity
  if (q > 1) return Infinity
  sortNanFirst(values)
  const n = values.length
  const rank = q * (n - 1)
  const lower = Math.max(0, Math.floor(rank))
  const upper = Math.min(n - 1, lower + 1)
  const weight = rank - Math.floor(rank)
  return values[lower]! * (1 - weight) + values[upper]! * weight
}

/** Typed arrays sort NaN last; here it comes first. */
function sortNanFirst(values: Float64Array): void {
  values.sort()
  let nans = 0
  while (nans < values.length && values[values.length - 1 - nans] !== values[values.length - 1 - nans]) nans++
  if (nans === 0) return
  values.copyWithin(nans, 0, values.length - nans)
  values.fill(NaN, 0, nans)
}
