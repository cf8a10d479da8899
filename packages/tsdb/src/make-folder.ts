// Makes a data folder and what lies above it.
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** Folder by folder: Node's own recursive form never returns where a file system refuses folders (`/proc`). */
export function makeFolder(path: string): void {
  if (existsSync(path)) return
  makeFolder(dirname(path))
  mkdirSync(path)
}
