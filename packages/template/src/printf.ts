// Go's fmt.Sprintf, Sprint and Sprintln over template values. Mistakes show in the text, as in Go: `%!d(string=x)`.
import { TemplateObject, formatFloat, formatValue, itemsOf, typeName, type Value } from './values.ts'

interface Spec {
  readonly flags: string
  readonly width: number | undefined
  readonly precision: number | undefined
}

/** Widest field; Go's own limit is a million. */
const WIDTH_MAX = 10_000

export function sprintf(format: string, args: readonly Value[]): string {
  let out = ''
  let next = 0
  let reordered = false
  for (let i = 0; i < format.length;) {
    const percent = format.indexOf('%', i)
    if (percent < 0) {
      out += format.slice(i)
      break
    }
    out += format.slice(i, percent)
    const match = /^([+\-# 0]*)(\[(\d+)\])?(\*|\d+)?(?:\.(\[(\d+)\])?(\*|\d+)?)?(\[(\d+)\])?/.exec(
      format.slice(percent + 1),
    )!
    i = percent + 1 + match[0].length
    const dotted = match[0].includes('.')
    let flags = match[1]!
    const pick = (index: string | undefined) => {
      if (index === undefined) return
      reordered = true
      next = Number(index) - 1
    }
    const star = (text: string | undefined): number | undefined => {
      if (text !== '*') return text === undefined ? undefined : Math.min(Number(text), WIDTH_MAX)
      const value = args[next++]
      return typeof value === 'bigint' ? Math.max(-WIDTH_MAX, Math.min(Number(value), WIDTH_MAX)) : undefined
    }
    pick(match[3])
    let width = star(match[4])
    if (width !== undefined && width < 0) {
      flags += '-'
      width = -width
    }
    pick(match[6])
    const precision = dotted ? Math.max(0, star(match[7]) ?? 0) : undefined
    pick(match[9])
    if (i >= format.length) {
      out += '%!(NOVERB)'
      break
    }
    const verb = String.fromCodePoint(format.codePointAt(i)!)
    i += verb.length
    if (verb === '%') out += '%'
    else if (next < 0 || next >= args.length)
      out += `%!${verb}(${(match[3] ?? match[9]) ? 'BADINDEX' : 'MISSING'})`
    else out += formatArg(verb, args[next++], { flags, width, precision })
  }
  if (!reordered && next < args.length) {
    const extra = args
      .slice(next)
      .map((arg) => (arg === undefined ? '<nil>' : `${typeName(arg)}=${formatValue(arg)}`))
    out += `%!(EXTRA ${extra.join(', ')})`
  }
  return out
}

/** Sprint: spaces only between operands that are both no strings. */
export function sprint(args: readonly Value[]): string {
  return args.reduce<string>((out, arg, i) => {
    const space = i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string'
    return out + (space ? ' ' : '') + formatValue(arg)
  }, '')
}

export function sprintln(args: readonly Value[]): string {
  return args.map(formatValue).join(' ') + '\n'
}

function formatArg(verb: string, arg: Value, spec: Spec): string {
  if (verb === 'T') return pad(arg === undefined ? '<nil>' : typeName(arg), spec)
  if (arg === undefined) return verb === 'v' ? pad('<nil>', spec) : `%!${verb}(<nil>)`
  const text = known(verb, arg, spec)
  if (text !== undefined) return text
  return `%!${verb}(${typeName(arg)}=${known('v', arg, spec) ?? formatValue(arg)})`
}

/** The text of a value by a verb that fits it, else undefined. */
function known(verb: string, arg: Value, spec: Spec): string | undefined {
  switch (typeof arg) {
    case 'string':
      return knownString(verb, arg, spec)
    case 'boolean':
      return verb === 'v' || verb === 't' ? pad(String(arg), spec) : undefined
    case 'bigint':
      return knownInteger(verb, arg, spec)
    case 'number':
      return knownFloat(verb, arg, spec)
  }
  const items = itemsOf(arg)
  if (items) {
    if (verb === 's' || verb === 'v' || verb === 'q' || verb === 'd')
      return `[${items.map((item) => formatArg(verb, item, spec)).join(' ')}]`
    return undefined
  }
  if (arg instanceof TemplateObject && (verb === 'v' || verb === 's')) return pad(arg.format(), spec)
  if (arg instanceof TemplateObject && verb === 'q') return pad(JSON.stringify(arg.format()), spec)
  return undefined
}

function knownString(verb: string, arg: string, spec: Spec): string | undefined {
  const cut = spec.precision === undefined ? arg : [...arg].slice(0, spec.precision).join('')
  switch (verb) {
    case 'v':
    case 's':
      return pad(spec.flags.includes('#') && verb === 'v' ? JSON.stringify(cut) : cut, spec)
    case 'q':
      return pad(spec.flags.includes('#') && !cut.includes('`') ? `\`${cut}\`` : JSON.stringify(cut), spec)
    case 'x':
    case 'X': {
      const hex = [...new TextEncoder().encode(cut)]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('')
      return pad(verb === 'X' ? hex.toUpperCase() : hex, spec)
    }
  }
  return undefined
}

const BASES: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, d: 10, v: 10, x: 16, X: 16 }

function knownInteger(verb: string, arg: bigint, spec: Spec): string | undefined {
  if (verb === 'c') return pad(String.fromCodePoint(Math.min(Number(arg), 0x10ffff)), spec)
  if (verb === 'q') return pad(`'${String.fromCodePoint(Math.min(Number(arg), 0x10ffff))}'`, spec)
  if (verb === 'U') return pad(`U+${arg.toString(16).toUpperCase().padStart(4, '0')}`, spec)
  const base = BASES[verb]
  if (base === undefined) return undefined
  let digits = (arg < 0n ? -arg : arg).toString(base)
  if (verb === 'X') digits = digits.toUpperCase()
  if (spec.precision !== undefined) digits = digits.padStart(spec.precision, '0')
  if (verb === 'O') digits = `0o${digits}`
  else if (spec.flags.includes('#')) digits = ({ b: '0b', o: '0', x: '0x', X: '0X' }[verb] ?? '') + digits
  return padNumber(signOf(arg < 0n, spec), digits, spec, spec.precision === undefined)
}

function knownFloat(verb: string, arg: number, spec: Spec): string | undefined {
  const form = { v: 'g', g: 'g', G: 'g', e: 'e', E: 'e', f: 'f', F: 'f' }[verb] as 'e' | 'f' | 'g' | undefined
  if (!form) return undefined
  const text = formatFloat(arg, form, spec.precision ?? (form === 'g' ? -1 : 6)).replace(/^\+/, '')
  const negative = text.startsWith('-')
  const digits = negative ? text.slice(1) : text
  const finite = Number.isFinite(arg)
  const sign = Number.isNaN(arg) ? '' : arg === Infinity ? '+' : signOf(negative, spec)
  return padNumber(sign, verb === 'E' || verb === 'G' ? digits.toUpperCase() : digits, spec, finite)
}

function signOf(negative: boolean, { flags }: Spec): string {
  return negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : ''
}

function padNumber(sign: string, digits: string, spec: Spec, zeroFill: boolean): string {
  if (zeroFill && spec.flags.includes('0') && !spec.flags.includes('-') && spec.width !== undefined)
    return sign + digits.padStart(spec.width - sign.length, '0')
  return pad(sign + digits, spec, ' ')
}

function pad(text: string, { flags, width }: Spec, fill?: string): string {
  const missing = (width ?? 0) - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  return (fill ?? (flags.includes('0') ? '0' : ' ')).repeat(missing) + text
}
