// Natural order of label values: runs of digits compare as numbers.

const CHUNK = /(\d+|\D+)/g

/** True when `a` comes before `b`. */
export function naturalLess(a: string, b: string): boolean {
  const left = a.match(CHUNK) ?? []
  const right = b.match(CHUNK) ?? []
  for (let i = 0; i < left.length; i++) {
    if (i >= right.length) return false
    const x = left[i]!
    const y = right[i]!
    if (x === y) continue
    const numbers = /^\d/.test(x) && /^\d/.test(y)
    if (!numbers) return x < y
    const m = Number(x)
    const n = Number(y)
    if (m === n) return x.length < y.length
    return m < n
  }
  return left.length < right.length
}
