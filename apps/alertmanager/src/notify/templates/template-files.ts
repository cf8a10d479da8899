// Reads the files that `templates` names. A pattern without files is fine: they may come later.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'

export interface TemplateFile {
  /** Shown in messages of mistakes. */
  readonly name: string
  readonly text: string
}

/** Bounds of what is read: files, and bytes of all together. */
const FILES_MAX = 1000
const BYTES_MAX = 16 * 1024 * 1024

/** All files of the patterns; relative ones start at `folder`. Throws with the name of a file that cannot be read. */
export function readTemplateFiles(patterns: readonly string[], folder: string): TemplateFile[] {
  const files: TemplateFile[] = []
  let bytes = 0
  for (const path of patterns.flatMap((pattern) => findFiles(pattern, folder))) {
    const text = readFileSync(path, 'utf8')
    bytes += text.length
    if (files.length >= FILES_MAX || bytes > BYTES_MAX) throw new Error(`too many template files: ${path}`)
    files.push({ name: basename(path), text })
  }
  return files
}

/** Files a pattern stands for, sorted; `*`, `?` and `[…]` match inside one part of the path. */
export function findFiles(pattern: string, folder: string): string[] {
  const full = isAbsolute(pattern) ? pattern : join(folder, pattern)
  return expand(resolve(full)).filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}

function expand(path: string): string[] {
  if (!/[*?[]/.test(path)) return statSync(path, { throwIfNoEntry: false }) ? [path] : []
  const test = partPattern(basename(path))
  return expand(dirname(path)).flatMap((folder) => {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return []
    const names = readdirSync(folder).filter((name) => test.test(name))
    return names.sort().map((name) => join(folder, name))
  })
}

function partPattern(part: string): RegExp {
  const source = part.replace(/\\.|\[\^?[^\]]+\]|[.*+?^${}()|[\]\\]/g, (piece) => {
    if (piece === '*') return '[^/]*'
    if (piece === '?') return '[^/]'
    if (piece.length > 1) return piece
    return `\\${piece}`
  })
  return new RegExp(`^${source}$`)
}
