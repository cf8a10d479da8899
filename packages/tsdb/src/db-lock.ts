// The lock of a data directory: a file `lock` with the process id and its start time. A lock of a process that is gone is taken over;
// one that Prometheus holds by flock(2) is seen in /proc/locks.
import { closeSync, existsSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** How long a holder may take to be gone, ms: a killed process with much memory lives on for a moment. */
const HOLDER_WAIT_MS = 4000
const HOLDER_POLL_MS = 50

export class DirLock {
  readonly #file: string

  private constructor(file: string) {
    this.#file = file
  }

  /** Throws when another live process (or this one) holds the directory, and goes on doing so for `waitMs`. */
  static acquire(dir: string, waitMs: number = HOLDER_WAIT_MS): DirLock {
    const file = join(dir, 'lock')
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        const fd = openSync(file, 'wx')
        writeSync(fd, `${process.pid} ${startTime(process.pid)}\n`)
        closeSync(fd)
        return new DirLock(file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = lastingHolder(file, waitMs)
      if (holder !== undefined)
        throw new Error(`cannot lock data directory ${dir}: it is in use by process ${holder}`)
      try {
        unlinkSync(file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    throw new Error(`cannot lock data directory ${dir}: somebody else keeps taking it`)
  }

  release(): void {
    try {
      unlinkSync(this.#file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** The live holder after waiting for it to end; a holder that is this process does not end. */
function lastingHolder(file: string, waitMs: number): number | undefined {
  const end = performance.now() + waitMs
  for (;;) {
    const holder = liveHolder(file)
    if (holder === undefined || holder === process.pid || performance.now() >= end) return holder
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HOLDER_POLL_MS)
  }
}

/** Process that holds the lock file and lives; undefined for a stale or foreign empty file. */
function liveHolder(file: string): number | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const [pid, started] = text.trim().split(' ')
  if (pid && /^\d+$/.test(pid)) {
    const now = startTime(Number(pid))
    const alive = now !== '' ? now === started || !started : !existsSync('/proc/self') && isAlive(Number(pid))
    if (alive) return Number(pid)
  }
  return flockHolder(file)
}

/** Start of a process in clock ticks since boot, '' when it cannot be read or the process has ended and only waits for its parent. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in parentheses may hold blanks; field 22 is the 20th after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '')
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function flockHolder(file: string): number | undefined {
  try {
    const { ino } = statSync(file)
    for (const line of readFileSync('/proc/locks', 'utf8').split('\n')) {
      const fields = line.trim().split(/\s+/)
      if (fields[1] === 'FLOCK' && fields[5]?.endsWith(`:${ino}`)) return Number(fields[4])
    }
  } catch {
    // Not Linux: nothing to see.
  }
  return undefined
}
