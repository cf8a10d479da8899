// Worker shell of `checkCommits`.
import { parentPort, workerData } from 'node:worker_threads'
import type { DbHandle } from '../contract.ts'
import { checkCommits } from './commit-check.ts'

const { handle, until } = workerData as { handle: DbHandle; until: number }
try {
  parentPort!.postMessage({ ok: checkCommits(handle, until) })
} catch (error) {
  parentPort!.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
}
