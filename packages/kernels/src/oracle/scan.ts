// The scan of an exposition the slow and obvious way. Texts are strings of bytes (latin1).

export interface ScannedLine {
  readonly id: number
  readonly offset: number
  readonly value: number
  /** Undefined = none. */
  readonly time: number | undefined
}

export interface CachedSeries {
  readonly text: string
  readonly id: number
}

const NUMBER = /^([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|nan)$/i
const TAIL = /^[ \t]+([^\0-\x20]+)(?:[ \t]+(\d{1,15}))?[ \t]*$/
const STRICT_TAIL = /^ ([^\0-\x20]+)(?: ([^\0-\x20]+))?$/

/** The number of a text, undefined when it is none or out of range. */
function numberOf(text: string): number | undefined {
  if (!NUMBER.test(text)) return undefined
  const word = text.toLowerCase()
  if (word.includes('inf')) return word.startsWith('-') ? -Infinity : Infinity
  const value = Number(text)
  return Math.abs(value) === Infinity ? undefined : value
}

function lineEnd(text: string, from: number): number {
  let quoted = false
  for (let i = from; i < text.length; i++) {
    if (quoted && text[i] === '\\') i++
    else if (text[i] === '"') quoted = !quoted
    else if (text[i] === '\n' && !quoted) return i
  }
  return text.length
}

export function scanText(text: string, cache: readonly CachedSeries[], strict: boolean): ScannedLine[] {
  const lines: ScannedLine[] = []
  let row = 0
  for (let at = 0; at < text.length;) {
    if (text[at] === '#') {
      const next = text.indexOf('\n', at)
      at = next < 0 ? text.length : next + 1
      continue
    }
    if (text[at] === '\n' && !strict) {
      at++
      continue
    }
    const known = cache.findIndex(
      ({ text: series, id }, i) =>
        i >= row &&
        i < row + 8 &&
        id !== 0 &&
        text.startsWith(series, at) &&
        (strict ? ' ' : ' \t').includes(text[at + series.length] || '?'),
    )
    let end = lineEnd(text, at)
    let line: ScannedLine = { id: 0, offset: at, value: 0, time: undefined }
    if (known >= 0) {
      row = known + 1
      const { text: series, id } = cache[known]!
      const newline = text.indexOf('\n', at + series.length)
      const tailEnd = newline < 0 ? text.length : newline
      const tail = (strict ? STRICT_TAIL : TAIL).exec(text.slice(at + series.length, tailEnd))
      const value = tail ? numberOf(tail[1]!) : undefined
      const time = tail?.[2] === undefined ? undefined : numberOf(tail[2])
      const badTime = tail?.[2] !== undefined && !(time !== undefined && Math.abs(time * 1000) < 2 ** 53)
      if (value !== undefined && !(strict && (newline < 0 || badTime))) {
        line = {
          id,
          offset: at,
          value,
          time: strict && time !== undefined ? Math.trunc(time * 1000) + 0 : time,
        }
        end = tailEnd
      }
    }
    lines.push(line)
    at = end + 1
  }
  return lines
}
