// Command lines as kingpin reads them: flags anywhere, `--x=y`, `--x y`, `-x y`, `--no-x` for switches, sub-commands
// with a default one. Wrong ones throw `UsageError` with kingpin's words.

/** What a user got wrong; the message is shown after `amtool: error: `. */
export class UsageError extends Error {
  override name = 'UsageError'
}

export interface FlagSpec {
  readonly kind: 'text' | 'switch' | 'list'
  readonly short?: string
  readonly help: string
  readonly fallback?: string
  /** The only values it takes. */
  readonly values?: readonly string[]
  readonly required?: boolean
  readonly hidden?: boolean
}
export type FlagTable = Readonly<Record<string, FlagSpec>>

export interface CommandSpec {
  readonly name: string
  readonly help: string
  readonly flags?: FlagTable
  readonly commands?: readonly CommandSpec[]
  /** The sub-command that is meant when none is named. */
  readonly fallback?: string
  /** Name of the arguments, where it takes any. */
  readonly args?: string
}

export interface CommandLine {
  /** Names of the commands, e.g. `['silence', 'add']`. */
  readonly path: readonly string[]
  readonly args: readonly string[]
  readonly wantsHelp: boolean
  text(flag: string): string
  isOn(flag: string): boolean
  list(flag: string): readonly string[]
  isGiven(flag: string): boolean
}

/** Reads a command line. `defaults` come from a configuration file and give way to what is on the line. */
export function parseCommandLine(
  root: CommandSpec,
  argv: readonly string[],
  defaults: Readonly<Record<string, string>> = {},
): CommandLine {
  let command = root
  const path: string[] = []
  const flags = new Map(Object.entries(root.flags ?? {}))
  const given = new Map<string, string[]>()
  const args: string[] = []
  let wantsHelp = false
  const enter = (next: CommandSpec) => {
    command = next
    path.push(next.name)
    for (const [name, spec] of Object.entries(next.flags ?? {})) flags.set(name, spec)
  }
  const enterFallback = () => {
    while (command.commands && command.fallback !== undefined)
      enter(command.commands.find(({ name }) => name === command.fallback)!)
  }
  const rest = [...argv]
  const valueOf = (shown: string, inline: string | undefined): string => {
    const value = inline ?? rest.shift()
    if (value === undefined) throw new UsageError(`expected argument for flag '${shown}'`)
    return value
  }
  const set = (name: string, shown: string, inline: string | undefined, off: boolean) => {
    const spec = flags.get(name)!
    const value = spec.kind === 'switch' ? (inline ?? String(!off)) : valueOf(shown, inline)
    if (spec.values && !spec.values.includes(value))
      throw new UsageError(`enum value must be one of ${spec.values.join(',')}, got '${value}'`)
    if (spec.kind === 'list') given.set(name, [...(given.get(name) ?? []), value])
    else if (given.has(name)) throw new UsageError(`flag '${name}' cannot be repeated`)
    else given.set(name, [value])
  }
  const readFlag = (token: string) => {
    const [, dashes, body] = /^(--?)(.*)$/s.exec(token)!
    const [name = '', inline] =
      dashes === '--' ? splitOnce(body!) : [body!.slice(0, 1), body!.slice(1) || undefined]
    if (dashes === '-') {
      if (name === 'h') {
        wantsHelp = true
        return
      }
      const found = [...flags].find(([, { short }]) => short === name)
      if (!found) throw new UsageError(`unknown short flag '-${name}'`)
      if (found[1].kind === 'switch' && inline !== undefined) {
        set(found[0], `-${name}`, undefined, false)
        readFlag(`-${inline}`)
      } else set(found[0], `-${name}`, inline, false)
      return
    }
    if (/^help(-long|-man)?$/.test(name)) {
      wantsHelp = true
      return
    }
    const positive = name.startsWith('no-') ? name.slice(3) : ''
    const isOff = flags.get(positive)?.kind === 'switch'
    const known = isOff ? positive : name
    // Flags of a default sub-command may stand without its name.
    if (!flags.has(known)) enterFallback()
    if (!flags.has(known)) throw new UsageError(`unknown long flag '--${name}'`)
    set(known, `--${name}`, inline, isOff)
  }
  while (rest.length > 0) {
    const token = rest.shift()!
    if (token === '--') {
      enterFallback()
      args.push(...rest.splice(0))
    } else if (token.length > 1 && token.startsWith('-')) readFlag(token)
    else if (command.commands && args.length === 0) {
      const next = command.commands.find(({ name }) => name === token)
      if (next) enter(next)
      else if (command.fallback === undefined)
        throw new UsageError(`expected command but got ${JSON.stringify(token)}`)
      else {
        rest.unshift(token)
        enterFallback()
      }
    } else if (command.args === undefined) throw new UsageError(`unexpected ${token}`)
    else args.push(token)
  }
  if (!wantsHelp) {
    enterFallback()
    if (command.commands) throw new UsageError('must select a subcommand')
  }
  const textOf = (name: string) =>
    given.get(name)?.at(-1) ?? defaults[name] ?? flags.get(name)?.fallback ?? ''
  for (const [name, spec] of flags)
    if (spec.required && !wantsHelp && !given.has(name))
      throw new UsageError(`required flag(s) '--${name}' not provided`)
  return {
    path,
    args,
    wantsHelp,
    text: textOf,
    isOn: (name) => textOf(name) === 'true',
    list: (name) => given.get(name) ?? [],
    isGiven: (name) => given.has(name) || name in defaults,
  }
}

function splitOnce(text: string): [string, string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}

/** The usage text of a command. */
export function usageText(program: string, root: CommandSpec, path: readonly string[]): string {
  let command = root
  const flags = { ...root.flags }
  for (const name of path) {
    command = command.commands!.find((one) => one.name === name)!
    Object.assign(flags, command.flags)
  }
  const left = Object.entries(flags)
    .filter(([, { hidden }]) => !hidden)
    .map(([name, { short, kind, help, fallback }]) => {
      const shape =
        kind === 'switch' ? `--[no-]${name}` : `--${name}=${(fallback ?? name.toUpperCase()) || '""'}`
      return [`  ${short ? `-${short}, ` : '    '}${shape}`, help] as const
    })
  const width = Math.max(...left.map(([shown]) => shown.length)) + 2
  const usage = [program, ...path, '[<flags>]', ...(command.commands ? ['<command>'] : [])]
  if (command.args !== undefined) usage.push(`[<${command.args}>...]`)
  const lines = [`usage: ${usage.join(' ')}`, '', command.help, '', 'Flags:']
  lines.push(...left.map(([shown, help]) => `${shown.padEnd(width)}${help}`))
  if (command.commands)
    lines.push(
      '',
      'Commands:',
      ...command.commands.map(({ name, help }) => `${name.padEnd(16)}${help.split('\n')[0]}`),
    )
  return `${lines.join('\n')}\n`
}
