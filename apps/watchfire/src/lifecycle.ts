// Signals and the end of the process.

/** How long a clean stop may take, ms, before the process ends anyway. */
const STOP_MS_MAX = 20_000

export interface Running {
  /** SIGHUP. */
  reload?(): Promise<void>
  stop(): Promise<void>
}

/**
 * Runs until SIGINT, SIGTERM or the end of `ended`, then stops; resolves with the exit code. A second signal while stopping
 * ends the process at once.
 */
export async function runUntilStopped(running: Running, ended?: Promise<void>): Promise<number> {
  process.on('SIGHUP', () => {
    running.reload?.().catch(() => {}) // said in the log by the part that failed
  })
  let stopping = false
  let toldAt = 0
  const told = new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        // A terminal's Ctrl-C can arrive twice: from the terminal and handed on by npm.
        if (stopping && Date.now() - toldAt > 1000) process.exit(1)
        if (!stopping) toldAt = Date.now()
        stopping = true
        done()
      })
  })
  await (ended ? Promise.race([told, ended]) : told)
  stopping = true
  const insist = setTimeout(() => {
    process.stderr.write(`watchfire: not stopped within ${STOP_MS_MAX / 1000} s, ending anyway\n`)
    process.exit(1)
  }, STOP_MS_MAX)
  insist.unref()
  await running.stop()
  clearTimeout(insist)
  return 0
}
