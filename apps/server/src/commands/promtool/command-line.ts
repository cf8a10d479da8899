// Command lines with sub-commands, as promtool's: flags anywhere after the command they belong to, arguments by
// position, everything checked before anything runs. Texts of errors are those of its parser.
import { statSync } from 'node:fs'
import { quoteString } from '@watchfire/datamodel'

/** A command line that cannot be used; `message` is printed after `error: `. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** How the text of a flag or argument is checked. */
export type ValueKind = 'string' | 'bool' | 'duration' | 'url' | 'file' | 'int' | 'pair' | readonly string[]

export interface FlagSpec {
  readonly name: string
  readonly help: string
  /** A list = one of these words. */
  readonly kind: ValueKind
  readonly short?: string
  readonly default?: string
  readonly required?: boolean
  readonly repeated?: boolean
}

export interface ArgSpec {
  readonly name: string
  readonly help: string
  readonly kind: ValueKind
  readonly required?: boolean
  readonly default?: string
  /** Takes all that follow. Only the last. */
  readonly repeated?: boolean
}

export interface CommandNode {
  readonly name: string
  readonly help: string
  readonly flags?: readonly FlagSpec[]
  readonly args?: readonly ArgSpec[]
  readonly commands?: readonly CommandNode[]
}

/** Checked texts by name; lists for what may be repeated. Durations stay text: `goDuration` reads them. */
export class Values {
  readonly #texts: ReadonlyMap<string, readonly string[]>

  constructor(texts: ReadonlyMap<string, readonly string[]>) {
    this.#texts = texts
  }

  /** The value, '' when it is not given and has no default. */
  text(name: string): string {
    return this.#texts.get(name)?.[0] ?? ''
  }

  list(name: string): readonly string[] {
    return this.#texts.get(name) ?? []
  }

  flag(name: string): boolean {
    return this.text(name) === 'true'
  }

  /** Values `name=value` or `name:value` as an object. */
  pairs(name: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.list(name).map((pair) => splitPair(pair) ?? [pair, '']))
  }
}

export type CommandLine =
  | { readonly kind: 'run'; readonly path: string; readonly values: Values }
  | { readonly kind: 'help'; readonly path: readonly CommandNode[] }
  | { readonly kind: 'version' }

interface Found {
  readonly spec: FlagSpec
  readonly negated: boolean
}

/** Reads a command line. Throws `UsageError`. */
export function parseCommandLine(root: CommandNode, argv: readonly string[]): CommandLine {
  return new Reader(root).read(argv)
}

class Reader {
  readonly #path: CommandNode[]
  readonly #flags = new Map<string, string[]>()
  readonly #args: string[] = []
  #help = false
  #version = false

  constructor(root: CommandNode) {
    this.#path = [root]
  }

  read(argv: readonly string[]): CommandLine {
    if (argv.length === 0) return { kind: 'help', path: this.#path }
    let onlyArgs = false
    for (let i = 0; i < argv.length; i++) {
      const word = argv[i]!
      if (onlyArgs || !word.startsWith('-') || word === '-') this.#word(word)
      else if (word === '--') onlyArgs = true
      else i += this.#flag(word, argv[i + 1])
    }
    if (this.#version) return { kind: 'version' }
    if (this.#help) return { kind: 'help', path: this.#path }
    const command = this.#path.at(-1)!
    if (command.commands) throw new UsageError(`must select a subcommand of '${this.#name()}'`)
    return { kind: 'run', path: this.#name(), values: this.#values(command) }
  }

  #name(): string {
    return this.#path
      .slice(1)
      .map(({ name }) => name)
      .join(' ')
  }

  #word(word: string): void {
    const command = this.#path.at(-1)!
    if (command.commands) {
      if (word === 'help' && this.#path.length === 1) {
        this.#help = true
        return
      }
      const next = command.commands.find(({ name }) => name === word)
      if (!next) throw new UsageError(`expected command but got ${quoteString(word)}`)
      this.#path.push(next)
      return
    }
    const specs = command.args ?? []
    if (this.#args.length >= specs.length && !specs.at(-1)?.repeated)
      throw new UsageError(`unexpected ${word}`)
    this.#args.push(word)
  }

  /** Takes a flag; answers with how many words of those behind it belong to it. */
  #flag(word: string, next: string | undefined): number {
    const equals = word.indexOf('=')
    const long = word.startsWith('--')
    const name = long ? word.slice(2, equals < 0 ? undefined : equals) : word.slice(1, 2)
    let value = long ? (equals < 0 ? undefined : word.slice(equals + 1)) : word.slice(2) || undefined
    const found = this.#find(name, long)
    if (!found) throw new UsageError(long ? `unknown long flag '--${name}'` : `unknown short flag '-${name}'`)
    const { spec, negated } = found
    if (spec.kind === 'bool') {
      this.#give(spec, String(!negated))
      if (spec.name === 'help' || spec.name === 'help-long' || spec.name === 'help-man') this.#help = true
      if (spec.name === 'version') this.#version = true
      if (value !== undefined) this.#word(value)
      return 0
    }
    let used = 0
    if (value === undefined) {
      if (next === undefined || (next.startsWith('-') && next !== '-'))
        throw new UsageError(`expected argument for flag '${long ? '--' : '-'}${name}'`)
      value = next
      used = 1
    }
    this.#give(spec, value)
    return used
  }

  #give(spec: FlagSpec, value: string): void {
    const before = this.#flags.get(spec.name)
    if (before && !spec.repeated) throw new UsageError(`flag '${spec.name}' cannot be repeated`)
    this.#flags.set(spec.name, [...(before ?? []), value])
  }

  #find(name: string, long: boolean): Found | undefined {
    for (const { flags = [] } of this.#path)
      for (const spec of flags) {
        if (long ? spec.name === name : spec.short === name) return { spec, negated: false }
        if (long && spec.kind === 'bool' && name === `no-${spec.name}`) return { spec, negated: true }
      }
    return undefined
  }

  #values(command: CommandNode): Values {
    const texts = new Map<string, readonly string[]>()
    const specs = this.#path.flatMap(({ flags = [] }) => flags)
    for (const { name, required } of specs)
      if (required && !this.#flags.has(name)) throw new UsageError(`required flag --${name} not provided`)
    for (const [i, { name, required }] of (command.args ?? []).entries())
      if (required && i >= this.#args.length) throw new UsageError(`required argument '${name}' not provided`)
    for (const spec of specs) {
      const given = this.#flags.get(spec.name) ?? (spec.default === undefined ? undefined : [spec.default])
      if (!given) continue
      for (const value of given) checkValue(spec.kind, value)
      texts.set(spec.name, given)
    }
    for (const [i, spec] of (command.args ?? []).entries()) {
      const rest = spec.repeated ? this.#args.slice(i) : this.#args.slice(i, i + 1)
      const given = rest.length > 0 || spec.default === undefined ? rest : [spec.default]
      for (const value of given) checkValue(spec.kind, value)
      texts.set(spec.name, given)
    }
    return new Values(texts)
  }
}

function checkValue(kind: ValueKind, value: string): void {
  switch (kind) {
    case 'string':
    case 'bool':
      return
    case 'duration':
      goDuration(value)
      return
    case 'int':
      if (!/^[-+]?[0-9]+$/.test(value))
        throw new UsageError(`strconv.ParseFloat: parsing ${quoteString(value)}: invalid syntax`)
      return
    case 'url':
      if (/^[^a-zA-Z/?#.]*:/.test(value))
        throw new UsageError(`invalid URL: parse ${quoteString(value)}: missing protocol scheme`)
      return
    case 'file': {
      const stat = statSync(value, { throwIfNoEntry: false })
      if (!stat) throw new UsageError(`path '${value}' does not exist`)
      if (stat.isDirectory()) throw new UsageError(`'${value}' is a directory`)
      return
    }
    case 'pair':
      if (!splitPair(value)) throw new UsageError(`expected KEY=VALUE got '${value}'`)
      return
    default:
      if (!kind.includes(value))
        throw new UsageError(`enum value must be one of ${kind.join(',')}, got '${value}'`)
  }
}

function splitPair(value: string): readonly [string, string] | undefined {
  const at = /[:=]/.exec(value)?.index
  return at === undefined ? undefined : [value.slice(0, at), value.slice(at + 1)]
}

const GO_UNITS_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Reads a duration as Go writes it, `1h30m` or `1.5s`; ms. Throws `UsageError`. */
export function goDuration(text: string): number {
  const body = text.replace(/^[-+]/, '')
  const part = /([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/g
  if (body === '0') return 0
  if (body === '' || body.replace(part, '') !== '') {
    const unitless = /^([0-9]+\.?[0-9]*|\.[0-9]+)$/.test(body)
    throw new UsageError(
      unitless
        ? `time: missing unit in duration ${quoteString(text)}`
        : `time: invalid duration ${quoteString(text)}`,
    )
  }
  let sum = 0
  for (const [, count, unit] of body.matchAll(part)) sum += Number(count) * GO_UNITS_MS[unit!]!
  return text.startsWith('-') ? -sum : sum
}

/** Prints a duration as Go does: `1h0m0s`, `1.5s`, `250ms`. */
export function goDurationText(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const rest = Math.abs(ms)
  if (rest < 1000) return `${sign}${rest}ms`
  const seconds = `${Number(((rest % 60_000) / 1000).toFixed(3))}s`
  const minutes = Math.floor(rest / 60_000)
  if (minutes === 0) return sign + seconds
  const hours = Math.floor(minutes / 60)
  return `${sign}${hours > 0 ? `${hours}h` : ''}${minutes % 60}m${seconds}`
}
