// Entry of the ingest worker: a core on the real clock and database, served over messages.
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '@watchfire/datamodel'
import { openDb } from '@watchfire/tsdb'
import { IngestCore } from './ingest-core.ts'
import { serveIngest } from './ingest-server.ts'
import type { FromWorker, IngestWorkerData } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('ingest.worker is started as a worker thread')
const post = (message: FromWorker): void => port.postMessage(message)
const core = new IngestCore(workerData as IngestWorkerData, {
  clock: systemClock,
  openDb,
  log: (level, message, fields) => post({ kind: 'log', level, message, ...(fields && { fields }) }),
  onReplay: (progress) => post({ kind: 'replay', progress }),
})
port.on('message', serveIngest(core, post))
