// Start timestamps of a load: `_`, `_x3`, `-30s`, `-30sx3`, `-1m+10sx3`, each relative to its sample.
import { parseDuration } from '@watchfire/datamodel'

const ITEM = /^([+-]?)([0-9]+[a-wyzA-Z]*)(?:([+-])([+-]?)([0-9]+[a-wyzA-Z]*))?(?:x([0-9]+))?$/
/** Bounds a script line. */
const POSITIONS_MAX = 1_000_000

/** One offset in ms a position, undefined where none is given. Throws an Error that names the item. */
export function parseStarts(text: string): (number | undefined)[] {
  const starts: (number | undefined)[] = []
  for (const item of text.split(/\s+/)) {
    if (item !== '') starts.push(...parseItem(item))
    if (starts.length > POSITIONS_MAX) throw new Error(`more than ${POSITIONS_MAX} positions`)
  }
  return starts
}

function parseItem(item: string): (number | undefined)[] {
  const blanks = /^_(?:x([0-9]+))?$/.exec(item)
  if (blanks) {
    const count = blanks[1] === undefined ? 1 : repetitions(item, blanks[1])
    if (count === 0) throw new Error(`invalid ST item "${item}": invalid repeat count`)
    return Array.from({ length: count }, () => undefined)
  }
  const parts = ITEM.exec(item)
  if (!parts) throw new Error(`invalid ST item "${item}"`)
  const [, sign, base, op, deltaSign, delta, times] = parts
  if (op !== undefined && times === undefined)
    throw new Error(`invalid ST item "${item}": expected 'x<count>' after step duration`)
  const first = signed(sign, base!)
  const step = delta === undefined ? 0 : signed(deltaSign, delta) * (op === '-' ? -1 : 1)
  const count = times === undefined ? 1 : repetitions(item, times) + 1
  return Array.from({ length: count }, (_, i) => first + i * step)
}

function signed(sign: string | undefined, duration: string): number {
  return (sign === '-' ? -1 : 1) * parseDuration(duration)
}

function repetitions(item: string, text: string): number {
  const count = Number(text)
  if (count > POSITIONS_MAX) throw new Error(`invalid ST item "${item}": invalid repeat count`)
  return count
}
