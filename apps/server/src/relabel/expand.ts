// Expansion of `$1`, `${1}` and `$name` in replacements, as Go's regexp does it.
import type { RE2JS } from 're2js'

/** A literal piece, a group by number, or a group by name. */
type Piece = string | { readonly group: number } | { readonly name: string }

/** A replacement taken apart once. */
export interface Template {
  readonly pieces: readonly Piece[]
  /** The text itself when no group occurs in it. */
  readonly literal: string | undefined
}

const REFERENCE = /^(?:\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/u

/** Parses a replacement. `$$` is a dollar; a `$` that begins no reference stands for itself. */
export function parseTemplate(text: string): Template {
  const pieces: Piece[] = []
  let literal = ''
  let rest = text
  for (;;) {
    const dollar = rest.indexOf('$')
    if (dollar < 0) break
    literal += rest.slice(0, dollar)
    rest = rest.slice(dollar + 1)
    if (rest.startsWith('$')) {
      literal += '$'
      rest = rest.slice(1)
      continue
    }
    const match = REFERENCE.exec(rest)
    if (match === null) {
      literal += '$'
      continue
    }
    rest = rest.slice(match[0].length)
    if (literal !== '') pieces.push(literal)
    literal = ''
    const name = match[1] ?? match[2] ?? ''
    pieces.push(/^(?:0|[1-9][0-9]{0,7})$/.test(name) ? { group: Number(name) } : { name })
  }
  literal += rest
  if (pieces.length === 0) return { pieces: [literal], literal }
  if (literal !== '') pieces.push(literal)
  return { pieces, literal: undefined }
}

/** A match of the whole text. */
export interface Match {
  group(reference: number | string): string
}

/** Matches all of `text`; undefined when it does not match. Groups that do not exist or took no part are ''. */
export function matchWhole(re: RE2JS, text: string): Match | undefined {
  const matcher = re.matcher(text)
  if (!matcher.find()) return undefined
  const names = re.namedGroups()
  return {
    group(reference) {
      const index = typeof reference === 'number' ? reference : names[reference]
      if (index === undefined || index > re.groupCount()) return ''
      return matcher.group(index) ?? ''
    },
  }
}

export function expand(template: Template, match: Match): string {
  if (template.literal !== undefined) return template.literal
  let out = ''
  for (const piece of template.pieces) {
    if (typeof piece === 'string') out += piece
    else out += match.group('group' in piece ? piece.group : piece.name)
  }
  return out
}
