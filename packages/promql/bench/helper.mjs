// The helper thread of engine.bench.mjs.
import { parentPort, workerData } from 'node:worker_threads'
import { createFoldWorker } from '@watchfire/promql'

parentPort.on('message', createFoldWorker(workerData))
