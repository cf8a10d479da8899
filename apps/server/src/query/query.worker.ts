// Entry of a query worker: receives tasks, runs them with the runner module it was given, answers. Everything that
// can be tested lives in the runner.
import { parentPort, workerData } from 'node:worker_threads'
import type { AnswerMessage, QueryWorkerData, RunnerModule, TaskMessage } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('query.worker is started as a worker thread')
const data = workerData as QueryWorkerData
const { createRunner } = (await import(data.runnerUrl)) as RunnerModule
const runner = createRunner(data)
const cancel = new Int32Array(data.cancel)

port.on('message', ({ id, task, deadlineMs, queueSeconds }: TaskMessage) => {
  const deadline = performance.now() + (deadlineMs - Date.now())
  const { answer, cost } = runner.run(task, deadline, cancel, queueSeconds)
  const message: AnswerMessage = { id, answer, ...(cost && { cost }) }
  const owned = answer.ok && 'body' in answer && answer.body.buffer instanceof ArrayBuffer
  port.postMessage(message, owned ? [answer.body.buffer] : [])
})
