// Entry of the helper thread: takes over parts of queries from the query workers it is linked with.
import { parentPort, type MessagePort } from 'node:worker_threads'
import { createFoldWorker, type FoldMessage } from '@watchfire/promql'

parentPort?.on('message', ({ port, state }: { port: MessagePort; state: Int32Array }) => {
  const take = createFoldWorker(state)
  port.on('message', (message: FoldMessage) => take(message))
})
