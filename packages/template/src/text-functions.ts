// Functions on text that Prometheus and Alertmanager share, with Go's rules for letters and expressions.
import { RegexError, compileRe2 } from '@watchfire/datamodel'
import { FunctionError } from './errors.ts'
import type { Callable, Value } from './values.ts'

/** Letter by letter, as Go does: ß stays ß. */
export function toUpper(text: string): string {
  return mapLetters(text, (char) => char.toUpperCase())
}

export function toLower(text: string): string {
  return mapLetters(text, (char) => char.toLowerCase())
}

function mapLetters(text: string, change: (char: string) => string): string {
  return [...text]
    .map((char) => {
      const changed = change(char)
      return [...changed].length === 1 ? changed : char
    })
    .join('')
}

/** Every first letter of a word in upper case (strings.Title). */
export function title(text: string): string {
  let previous = ' '
  return [...text]
    .map((char) => {
      const begins = isSeparator(previous)
      previous = char
      return begins ? toUpper(char) : char
    })
    .join('')
}

function isSeparator(char: string): boolean {
  if (char.codePointAt(0)! < 0x80) return !/[A-Za-z0-9_]/.test(char)
  return !/[\p{L}\p{Nd}]/u.test(char) && /\s/u.test(char)
}

/** Replaces all matches; `$1`, `$name` and `${name}` in the replacement stand for groups, as in Go. */
export function reReplaceAll(pattern: string, replacement: string, text: string): string {
  const matcher = compile(pattern).matcher(text)
  let out = ''
  let last = 0
  let lastMatchEnd = -1
  while (matcher.find()) {
    const start = matcher.start()
    const end = matcher.end()
    // Not for an empty match right after another match.
    if (end > lastMatchEnd || start === 0) {
      out += text.slice(last, start)
      out += expand(replacement, (name) => {
        try {
          const group = /^\d+$/.test(name) ? Number(name) : name
          if (typeof group === 'number' && group > matcher.groupCount()) return ''
          return matcher.group(group as number) ?? ''
        } catch {
          return ''
        }
      })
      last = end
    }
    lastMatchEnd = end
  }
  return out + text.slice(last)
}

function expand(template: string, group: (name: string) => string): string {
  return template.replace(
    /\$(?:\$|([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})/g,
    (whole, bare?: string, braced?: string) => (whole === '$$' ? '$' : group(bare ?? braced!)),
  )
}

/** True when the pattern occurs in the text. */
export function match(pattern: string, text: string): boolean {
  return compile(pattern).matcher(text).find()
}

function compile(pattern: string) {
  try {
    return compileRe2(pattern)
  } catch (error) {
    if (error instanceof RegexError) throw new FunctionError(error.message)
    throw error
  }
}

/** A function of texts. */
export function textFunction(count: number, call: (...texts: string[]) => Value): Callable {
  return { params: Array<string>(count).fill('string'), call: (args) => call(...(args as string[])) }
}
