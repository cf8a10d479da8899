// Points in time on the command line and in test files.
import { quoteString } from '@watchfire/datamodel'

const RFC3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/

/** Unix seconds with or without fraction, or RFC 3339; ms. Throws an Error. */
export function parseTime(text: string): number {
  if (/^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?$/i.test(text)) return Math.trunc(Number(text) * 1000)
  const match = RFC3339.exec(text)
  const ms = match ? Date.parse(`${match[1]}T${match[2]}${match[4]}`) : NaN
  if (Number.isNaN(ms)) throw new Error(`cannot parse ${quoteString(text)} to a valid timestamp`)
  const fraction = match?.[3] === undefined ? 0 : Number(`0.${match[3].slice(1)}`)
  return ms + Math.trunc(fraction * 1000)
}
