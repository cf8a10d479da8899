// Names for readers that do not know every name: the escaping schemes of the exposition formats.
import { isLegacyMetricName } from '@watchfire/datamodel'

export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values'

export const ESCAPING_SCHEMES: ReadonlySet<string> = new Set<EscapingScheme>([
  'allow-utf-8',
  'underscores',
  'dots',
  'values',
])

/** A name of a metric or label in a scheme. */
export function escapeName(name: string, scheme: EscapingScheme): string {
  if (name === '' || scheme === 'allow-utf-8') return name
  if (scheme === 'dots') return escapeDots(name)
  if (isLegacyMetricName(name)) return name
  return scheme === 'underscores' ? escapeUnderscores(name) : escapeValues(name)
}

function isLegal(char: string, first: boolean): boolean {
  return first ? /[a-zA-Z_:]/.test(char) : /[a-zA-Z0-9_:]/.test(char)
}

function escapeUnderscores(name: string): string {
  return [...name].map((char, i) => (isLegal(char, i === 0) ? char : '_')).join('')
}

function escapeDots(name: string): string {
  return [...name]
    .map((char, i) => {
      if (char === '_') return '__'
      if (char === '.') return '_dot_'
      return isLegal(char, i === 0) ? char : '__'
    })
    .join('')
}

function escapeValues(name: string): string {
  const parts = [...name].map((char, i) => {
    if (char === '_') return '__'
    return isLegal(char, i === 0) ? char : `_${char.codePointAt(0)!.toString(16)}_`
  })
  return `U__${parts.join('')}`
}
