// Worker shell of `runJob`: one job, then the thread ends and its memory with it.
import { parentPort, workerData } from 'node:worker_threads'
import { runJob, type Job } from './jobs.ts'

const port = parentPort
if (port === null) throw new Error('maintenance.worker is started as a worker thread')
try {
  port.postMessage({ meta: runJob(workerData as Job) })
} catch (error) {
  port.postMessage({ error: error instanceof Error ? error.message : String(error) })
}
