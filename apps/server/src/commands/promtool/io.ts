// Where the commands read and write: the process's streams, or buffers in tests.
import { fstatSync } from 'node:fs'

export interface Io {
  out(text: string): void
  err(text: string): void
  /** All of standard input. Rejects when it is larger than the limit. */
  stdin(): Promise<string>
  /** ms since 1970. */
  now(): number
}

/** Exit codes of all commands. */
export const EXIT = { success: 0, failure: 1, lint: 3 } as const

/** Most bytes read from standard input. */
const STDIN_BYTES_MAX = 256 * 1024 * 1024

/** The streams of this process. */
export const processIo: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stdin: readStdin,
  now: () => Date.now(),
}

async function readStdin(): Promise<string> {
  try {
    fstatSync(0)
  } catch {
    return ''
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin) {
    const buffer = Buffer.from(chunk as Uint8Array)
    bytes += buffer.length
    if (bytes > STDIN_BYTES_MAX) throw new Error(`standard input is larger than ${STDIN_BYTES_MAX} bytes`)
    chunks.push(buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The words of the system for a failed file operation: `open x: no such file or directory`. */
export function fileErrorText(operation: string, path: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const words: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
    ELOOP: 'too many levels of symbolic links',
  }
  return `${operation} ${path}: ${words[code ?? ''] ?? message}`
}
