// Reads matchers as users write them in routes, silences, inhibitions and API filters. Two notations exist: the
// classic one, and the UTF-8 one (quoted or bare names of any characters). Where both read a text but disagree, the
// classic reading wins, as in Alertmanager's default mode.
import { Matcher, compileRe2, type MatchType } from '@watchfire/datamodel'

export type MatcherMode = 'classic' | 'utf8' | 'fallback'

/** A text that is no matcher; the message is Alertmanager's. */
export class MatcherError extends Error {
  override name = 'MatcherError'
}

/** One matcher, e.g. `team="ml"`. */
export function parseMatcher(text: string, mode: MatcherMode = 'fallback'): Matcher {
  if (text.startsWith('{') || text.endsWith('}'))
    throw new MatcherError(`unexpected open or close brace: ${text}`)
  if (mode === 'classic') return parseClassicMatcher(text)
  return readWith(
    () => {
      const matchers = new Utf8Reader(text).matchers()
      if (matchers.length === 0) throw new MatcherError('no matchers')
      if (matchers.length > 1) throw new MatcherError(`expected 1 matcher, found ${matchers.length}`)
      return matchers
    },
    () => [parseClassicMatcher(text)],
    mode,
  )[0]!
}

/** A list such as `{team="ml", severity=~"warning|info"}`, braces optional. */
export function parseMatchers(text: string, mode: MatcherMode = 'fallback'): Matcher[] {
  if (mode === 'classic') return parseClassicMatchers(text)
  return readWith(
    () => new Utf8Reader(text).matchers(),
    () => parseClassicMatchers(text),
    mode,
  )
}

function readWith(utf8: () => Matcher[], classic: () => Matcher[], mode: MatcherMode): Matcher[] {
  if (mode === 'utf8') return utf8()
  let modern: Matcher[] | undefined
  try {
    modern = utf8()
  } catch {
    return classic()
  }
  try {
    return classic()
  } catch {
    return modern
  }
}

const CLASSIC = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*([^]*?)\s*$/

function parseClassicMatchers(text: string): Matcher[] {
  const inner = (text.startsWith('{') ? text.slice(1) : text).replace(/\}$/, '')
  const parts: string[] = []
  let part = ''
  let quoted = false
  let escaped = false
  for (const char of inner) {
    if (char === ',' && !quoted) {
      parts.push(part)
      part = ''
      continue
    }
    if (char === '"' && !escaped) quoted = !quoted
    escaped = char === '\\' && !escaped
    part += char
  }
  if (part.trim() !== '') parts.push(part)
  return parts.map(parseClassicMatcher)
}

function parseClassicMatcher(text: string): Matcher {
  const match = CLASSIC.exec(text)
  if (!match) throw new MatcherError(`bad matcher format: ${text}`)
  const raw = match[3]!
  let value = ''
  let escaped = false
  let trailingQuote = false
  const body = raw.startsWith('"') ? raw.slice(1) : raw
  const opened = raw.startsWith('"')
  for (let i = 0; i < body.length; i++) {
    const char = body[i]!
    if (escaped) {
      escaped = false
      value += char === 'n' ? '\n' : char === '"' || char === '\\' ? char : '\\' + char
    } else if (char === '\\') {
      if (i === body.length - 1) value += '\\'
      else escaped = true
    } else if (char === '"') {
      if (!opened || i < body.length - 1)
        throw new MatcherError(`matcher value contains unescaped double quote: ${raw}`)
      trailingQuote = true
    } else value += char
  }
  if (opened && !trailingQuote)
    throw new MatcherError(`matcher value contains unescaped double quote: ${raw}`)
  return newMatcher(match[2] as MatchType, match[1]!, value, '')
}

function newMatcher(type: MatchType, name: string, value: string, prefix: string): Matcher {
  try {
    return new Matcher(type, name, value)
  } catch (error) {
    throw new MatcherError(prefix + regexFault(value, error as Error))
  }
}

/** The engine's words for the anchored pattern, which is what Alertmanager compiles and quotes. */
export function regexFault(pattern: string, fallback: Error): string {
  try {
    compileRe2(`^(?:${pattern})$`)
    return fallback.message
  } catch (error) {
    return (error as Error).message
  }
}

interface Token {
  readonly kind: 'open' | 'close' | 'comma' | 'op' | 'quoted' | 'bare' | 'end'
  readonly text: string
  readonly start: number
  readonly end: number
}

const RESERVED = '{}!=~,\\"\'`'
const WANT_OPERATOR = "expected an operator such as '=', '!=', '=~' or '!~'"

/** Recursive descent over `{name op value, …}`. Columns count characters from 0. */
class Utf8Reader {
  readonly #chars: readonly string[]
  #at = 0
  #peeked: Token | undefined

  constructor(text: string) {
    this.#chars = [...text]
  }

  matchers(): Matcher[] {
    const matchers: Matcher[] = []
    const open = this.#peek('expected label name or open brace').kind === 'open'
    if (open) this.#next('')
    for (;;) {
      const first = this.#peek('expected label name')
      if (first.kind === 'close' || first.kind === 'end') break
      if (matchers.length > 0 && first.kind === 'comma')
        this.#fail(first, 'expected a matcher or close brace after comma')
      matchers.push(this.#matcher())
      const after = this.#peek('expected a comma or close brace')
      if (after.kind === 'comma') this.#next('')
      else if (after.kind !== 'close' && after.kind !== 'end')
        this.#fail(after, 'expected a comma or close brace')
    }
    const last = this.#next('expected close brace')
    if (open) {
      if (last.kind !== 'close')
        throw new MatcherError('0:' + this.#chars.length + ': end of input: expected close brace')
      const rest = this.#next('expected end of input')
      if (rest.kind !== 'end')
        throw new MatcherError(`${rest.start}:${rest.end}: ${rest.text}: expected end of input`)
    } else if (last.kind === 'close') throw new MatcherError(`0:${last.end}: }: expected opening brace`)
    return matchers
  }

  #matcher(): Matcher {
    const name = this.#next('expected label name')
    if (name.kind !== 'bare' && name.kind !== 'quoted') this.#fail(name, 'expected label name')
    const op = this.#next(WANT_OPERATOR)
    if (op.kind !== 'op') this.#fail(op, WANT_OPERATOR)
    const value = this.#next('expected label value')
    if (value.kind !== 'bare' && value.kind !== 'quoted') this.#fail(value, 'expected label value')
    return newMatcher(
      op.text as MatchType,
      this.#unquote(name),
      this.#unquote(value),
      'failed to create matcher: ',
    )
  }

  #unquote(token: Token): string {
    if (token.kind === 'bare') return token.text
    const value = unquoteGo(token.text)
    if (value === undefined)
      throw new MatcherError(`${token.start}:${token.end}: ${token.text}: invalid input`)
    return value
  }

  #fail(token: Token, expected: string): never {
    if (token.kind === 'end') throw new MatcherError(`end of input: ${expected}`)
    throw new MatcherError(`${token.start}:${token.end}: unexpected ${token.text}: ${expected}`)
  }

  #peek(expected: string): Token {
    return (this.#peeked ??= this.#scan(expected))
  }

  #next(expected: string): Token {
    const token = this.#peek(expected)
    this.#peeked = undefined
    return token
  }

  #scan(expected: string): Token {
    const chars = this.#chars
    while (this.#at < chars.length && /\s/.test(chars[this.#at]!)) this.#at++
    const start = this.#at
    const make = (kind: Token['kind'], length: number): Token => {
      this.#at = start + length
      return { kind, text: chars.slice(start, start + length).join(''), start, end: start + length }
    }
    if (start >= chars.length) return make('end', 0)
    const char = chars[start]!
    if (char === '{') return make('open', 1)
    if (char === '}') return make('close', 1)
    if (char === ',') return make('comma', 1)
    if (char === '=') return make('op', chars[start + 1] === '~' ? 2 : 1)
    if (char === '!') {
      if (chars[start + 1] === '=' || chars[start + 1] === '~') return make('op', 2)
      throw new MatcherError(`${start}:${start + 1}: !: expected one of '=~': ${expected}`)
    }
    if (char === '"') {
      let end = start + 1
      while (end < chars.length && chars[end] !== '"') end += chars[end] === '\\' ? 2 : 1
      if (end >= chars.length) {
        const text = chars.slice(start).join('')
        const suffix = start === 0 ? '' : `: ${expected}`
        throw new MatcherError(`${start}:${chars.length}: ${text}: missing end "${suffix}`)
      }
      return make('quoted', end - start + 1)
    }
    let end = start
    while (end < chars.length && !RESERVED.includes(chars[end]!) && !/\s/.test(chars[end]!)) end++
    if (end === start) throw new MatcherError(`${start}:${start + 1}: ${char}: invalid input: ${expected}`)
    return make('bare', end - start)
  }
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
}

/** A Go string literal in double quotes; undefined when it is none. */
function unquoteGo(text: string): string | undefined {
  const bytes: number[] = []
  const encoder = new TextEncoder()
  const body = text.slice(1, -1)
  for (let i = 0; i < body.length;) {
    const char = String.fromCodePoint(body.codePointAt(i)!)
    if (char === '\n') return undefined
    if (char !== '\\') {
      bytes.push(...encoder.encode(char))
      i += char.length
      continue
    }
    const kind = body[i + 1] ?? ''
    const simple = SIMPLE_ESCAPES[kind]
    if (simple !== undefined) {
      bytes.push(...encoder.encode(simple))
      i += 2
      continue
    }
    const digits = { x: 2, u: 4, U: 8 }[kind]
    const octal = /^[0-7]{3}/.exec(body.slice(i + 1))
    if (digits) {
      const hex = body.slice(i + 2, i + 2 + digits)
      const code = Number.parseInt(hex, 16)
      if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== digits || code > 0x10ffff) return undefined
      if (kind === 'x') bytes.push(code)
      else bytes.push(...encoder.encode(String.fromCodePoint(code)))
      i += 2 + digits
    } else if (octal) {
      const code = Number.parseInt(octal[0], 8)
      if (code > 255) return undefined
      bytes.push(code)
      i += 4
    } else return undefined
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch {
    return undefined
  }
}

/** `{a="b",c=~"d"}`: how group keys and the API show matchers. */
export function matchersText(matchers: readonly Matcher[]): string {
  return `{${matchers.map(matcherText).join(',')}}`
}

/** `a="b"`; names with characters beyond the reserved ones are shown bare. */
export function matcherText(matcher: Matcher): string {
  const bare = ![...matcher.name].some((char) => RESERVED.includes(char) || /\s/.test(char))
  const name = bare && matcher.name !== '' ? matcher.name : JSON.stringify(matcher.name)
  const value = matcher.value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
  return `${name}${matcher.type}"${value}"`
}
