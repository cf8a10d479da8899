// File patterns as in rule_files and file_sd_configs: `*`, `?` and `[…]` within one part of a path, no `**`.
import { readdirSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'

/** Most files one pattern may find. */
const MATCHES_MAX = 100_000

/** Files that match, sorted. A pattern without wildcards finds the file if it is there. Never throws. */
export function glob(pattern: string): string[] {
  const absolute = pattern.startsWith(sep)
  const parts = pattern.split(sep).filter((part) => part !== '')
  let found = [absolute ? sep : '']
  parts.forEach((part, i) => {
    const last = i === parts.length - 1
    const next: string[] = []
    for (const base of found) {
      if (!/[*?[]/.test(part)) {
        const path = base === '' ? part : join(base, part)
        if (exists(path, last)) next.push(path)
        continue
      }
      const matcher = partMatcher(part)
      for (const name of names(base === '' ? '.' : base)) {
        if (!matcher(name) || next.length >= MATCHES_MAX) continue
        const path = base === '' ? name : join(base, name)
        if (exists(path, last)) next.push(path)
      }
    }
    found = next
  })
  return found.sort()
}

/** Tells whether a name matches one part of a pattern; a broken `[` matches only itself. */
export function partMatcher(part: string): (name: string) => boolean {
  let source = ''
  for (let i = 0; i < part.length; i++) {
    const char = part[i]!
    if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (char === '[') {
      const end = part.indexOf(']', i + 2)
      if (end < 0) source += '\\['
      else {
        const inner = part.slice(i + 1, end).replace(/[\\\]]/g, '\\$&')
        source += `[${inner}]`
        i = end
      }
    } else if (char === '\\' && i + 1 < part.length) source += escapeRegex(part[++i]!)
    else source += escapeRegex(char)
  }
  try {
    const regex = new RegExp(`^${source}$`, 'u')
    return (name) => regex.test(name)
  } catch {
    return (name) => name === part
  }
}

function escapeRegex(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}

function exists(path: string, asFile: boolean): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && (asFile ? !stat.isDirectory() : stat.isDirectory())
}
