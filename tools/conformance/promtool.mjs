// Runs promtool in this process, its output kept.
import { runPromtool } from '../../apps/server/dist/index.js'

/** What a command line (without the program) prints and ends with. */
export async function runTool(args) {
  let stdout = ''
  let stderr = ''
  const exit = await runPromtool(args, {
    out: (text) => void (stdout += text),
    err: (text) => void (stderr += text),
    stdin: async () => '',
    now: () => Date.now(),
  })
  return { exit, stdout, stderr }
}

/** Runs `body` with another working directory; gives nothing when there is none. */
export async function within(dir, body) {
  const before = process.cwd()
  try {
    process.chdir(dir)
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
  try {
    return await body()
  } finally {
    process.chdir(before)
  }
}
