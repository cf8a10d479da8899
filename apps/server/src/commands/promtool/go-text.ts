// Values as Go's fmt and strconv print them.
import { formatFloat } from '@watchfire/template'

/** Shortest text of a float: `g` = 0.1, 1e+21; `E` = 1.5E+00. */
export function goText(value: number, format: 'g' | 'E'): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  return format === 'g' ? formatFloat(value, 'g', -1) : formatFloat(value, 'e', -1).toUpperCase()
}
