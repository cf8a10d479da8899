// Regular expressions with RE2 semantics, always anchored, `.` matching newlines: as in matchers and relabelling.
// Patterns of users never reach a backtracking engine.
import { RE2JS } from 're2js'

/** Thrown for a pattern that RE2 refuses; the message is the engine's. */
export class RegexError extends Error {
  override name = 'RegexError'
}

/** An anchored pattern. */
export interface StringMatcher {
  readonly pattern: string
  matches(value: string): boolean
  /** The values of a pattern that is only an alternation of literals (`a|b|c`), else undefined. */
  readonly setMatches: readonly string[] | undefined
  /** A literal every match starts with, '' when none is known. */
  readonly prefix: string
}

const META = /[\\.+*?()|[\]{}^$]/

/** Compiles `^(?s:pattern)$`. Literals, alternations of literals, `.*`, `.+` and `prefix.*` take fast paths. */
export function compileAnchored(pattern: string): StringMatcher {
  if (!META.test(pattern)) return literalSet(pattern, [pattern])
  if (pattern === '.*') return { pattern, setMatches: undefined, prefix: '', matches: () => true }
  if (pattern === '.+') return { pattern, setMatches: undefined, prefix: '', matches: (v) => v !== '' }
  const inner = /^\(([^()?]*)\)$/.exec(pattern)?.[1] ?? pattern
  const parts = inner.split('|')
  if (parts.every((part) => !META.test(part))) return literalSet(pattern, parts)
  const tail = /^([^\\.+*?()|[\]{}^$]+)\.(\*|\+)$/.exec(pattern)
  if (tail) {
    const prefix = tail[1]!
    const longer = tail[2] === '+' ? 1 : 0
    return {
      pattern,
      setMatches: undefined,
      prefix,
      matches: (v) => v.length >= prefix.length + longer && v.startsWith(prefix),
    }
  }
  const re = compileRe2(`^(?s:${pattern})$`, pattern)
  return { pattern, setMatches: undefined, prefix: '', matches: (v) => re.matches(v) }
}

function literalSet(pattern: string, values: readonly string[]): StringMatcher {
  const set = new Set(values)
  return {
    pattern,
    setMatches: values,
    prefix: values.length === 1 ? values[0]! : '',
    matches: (value) => set.has(value),
  }
}

/** Compiles a pattern as RE2 does; `shown` names it in the error. */
export function compileRe2(source: string, shown: string = source): RE2JS {
  try {
    RE2JS.compile(shown) // so that an unbalanced `)` cannot close our own group
    return RE2JS.compile(source)
  } catch (error) {
    throw new RegexError(error instanceof Error ? error.message : String(error))
  }
}
