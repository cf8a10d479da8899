// The text of `--help`, laid out as promtool's.
import { quoteString } from '@watchfire/datamodel'
import type { ArgSpec, CommandNode, FlagSpec } from './command-line.ts'

const WIDTH = 80

/** Help on the last command of a path from the root. */
export function helpText(path: readonly CommandNode[]): string {
  const root = path[0]!
  const command = path.at(-1)!
  const flags = path.flatMap((node) => node.flags ?? [])
  const parts = [usageLine(path), command.help]
  parts.push(`Flags:\n${table(flags.map((flag) => [flagLabel(flag), flag.help]))}`)
  if (command.args) parts.push(`Args:\n${table(command.args.map((arg) => [argLabel(arg), arg.help]))}`)
  if (command.commands) {
    const leaves = leavesOf(path)
    const first =
      command === root ? ['help [<command>...]\n' + wrap('Show help.', WIDTH - 4, '    ').join('\n')] : []
    const rows = leaves.map(
      (leaf) => `${signature(leaf)}\n${wrap(leaf.at(-1)!.help, WIDTH - 4, '    ').join('\n')}`,
    )
    parts.push(`${command === root ? 'Commands' : 'Subcommands'}:\n${[...first, ...rows].join('\n\n')}`)
  }
  return `${parts.join('\n\n')}\n\n`
}

function usageLine(path: readonly CommandNode[]): string {
  const command = path.at(-1)!
  const program = path[0]!.name
  if (path.length === 1) return `usage: ${program} [<flags>] <command> [<args> ...]`
  const tail = command.commands ? ' <command> [<args> ...]' : ''
  return `usage: ${program} ${signature(path)}${tail}`
}

/** A command with its flags and arguments in short. */
function signature(path: readonly CommandNode[]): string {
  const command = path.at(-1)!
  const names = path.slice(1).map(({ name }) => name)
  const flags = command.flags ?? []
  const required = flags.filter((flag) => flag.required).map(flagText)
  const optional = flags.some((flag) => !flag.required) ? ['[<flags>]'] : []
  const args = (command.args ?? []).map((arg) => {
    const label = argLabel(arg)
    return arg.repeated ? `${label}...` : label
  })
  return [...names, ...required, ...optional, ...args].join(' ')
}

function leavesOf(path: readonly CommandNode[]): (readonly CommandNode[])[] {
  const command = path.at(-1)!
  return command.commands ? command.commands.flatMap((next) => leavesOf([...path, next])) : [path]
}

function argLabel(arg: ArgSpec): string {
  return arg.required ? `<${arg.name}>` : `[<${arg.name}>]`
}

function flagLabel(flag: FlagSpec): string {
  return `${flag.short === undefined ? '    ' : `-${flag.short}, `}${flagText(flag)}`
}

function flagText(flag: FlagSpec): string {
  if (flag.kind === 'bool') return `--[no-]${flag.name}`
  const text = flag.kind === 'string' ? quoteString(flag.default ?? '') : (flag.default ?? '')
  const value = flag.default === undefined || flag.default === '' ? flag.name.toUpperCase() : text
  return `--${flag.name}=${value}${flag.repeated ? ' ...' : ''}`
}

/** Two columns: labels that are too long stand on a line of their own. */
function table(rows: readonly (readonly [string, string])[]): string {
  const column = Math.min(30, Math.max(...rows.map(([label]) => label.length)) + 4)
  return rows
    .map(([label, help]) => {
      const lines = wrap(help, WIDTH - column, '')
      const indent = ' '.repeat(column)
      const fits = label.length + 4 <= column
      const first = fits ? `  ${label}`.padEnd(column) + lines[0]! : `  ${label}\n${indent}${lines[0]!}`
      return [first, ...lines.slice(1).map((line) => indent + line)].join('\n')
    })
    .join('\n')
}

function wrap(text: string, width: number, indent: string): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(indent + line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    return [...lines, line === '' ? '' : indent + line]
  })
}
