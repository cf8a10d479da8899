// Reading of `.jsonl` files.
import { existsSync, readFileSync } from 'node:fs'

/** One value a line; none when the file does not exist. */
export function readJsonLines(file) {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
