import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { DbHandle } from '@watchfire/tsdb'
import { WorkerQueryPool, type QueryPoolOptions } from './pool.ts'

const handle: DbHandle = {
  kind: 'watchfire-db-handle',
  shards: [],
  dir: '',
  blocks: new SharedArrayBuffer(0),
}
const workerUrl = new URL('../../dist/query/query.worker.js', import.meta.url)
const runnerUrl = new URL('./testdata/misbehaving-runner.mjs', import.meta.url).href

let pool: WorkerQueryPool | undefined
afterEach(async () => {
  await pool?.stop()
  pool = undefined
})

function open(options: Partial<QueryPoolOptions> = {}): WorkerQueryPool {
  pool = new WorkerQueryPool({ handle: () => handle, runnerUrl, graceMs: 200, threadsMax: 2, ...options })
  return pool
}
const instant = (expr: string, timeoutMs?: number) => ({
  expr,
  startMs: 0,
  endMs: 0,
  ...(timeoutMs !== undefined && { timeoutMs }),
})
async function ask(target: WorkerQueryPool, expr: string, timeoutMs?: number) {
  const answer = await target.json(instant(expr, timeoutMs))
  return answer.ok ? (JSON.parse(Buffer.from(answer.body).toString()) as { served: number }) : answer
}

describe.runIf(existsSync(workerUrl))('WorkerQueryPool', () => {
  it('answers with bytes and uses its idle workers again', async () => {
    const target = open()
    expect(await ask(target, 'ok')).toMatchObject({ what: 'ok', served: 1, left: true })
    expect(await ask(target, 'ok')).toMatchObject({ served: 2 })
  })

  it('runs no more tasks at once than it has threads for and queues the rest', async () => {
    const target = open({ threadsMax: 1 })
    const answers = Promise.all([ask(target, 'wait 100'), ask(target, 'ok'), ask(target, 'ok')])
    expect(target.running()).toHaveLength(1)
    expect(target.queued).toBe(2)
    expect((await answers).map((answer) => ('served' in answer ? answer.served : 0))).toEqual([1, 2, 3])
  })

  it('gives the rules a lane of their own', async () => {
    const target = open({ threadsMax: 1 })
    const slow = ask(target, 'wait 3000', 3000)
    const answer = await target.vector({ expr: 'ok', timeMs: 5 })
    expect(answer).toMatchObject({ ok: true, samples: [{ timeMs: 5, value: 1 }] })
    expect(target.running()).toHaveLength(1)
    await target.stop()
    expect(await slow).toMatchObject({ ok: false, kind: 'canceled' })
  })

  it('ends a query at its timeout, in the queue and in the evaluation', async () => {
    const target = open({ threadsMax: 1 })
    const first = ask(target, 'deaf 10000', 400)
    const second = ask(target, 'ok', 100)
    expect(await second).toEqual({ ok: false, kind: 'timeout', message: 'query timed out in query queue' })
    expect(await first).toEqual({
      ok: false,
      kind: 'timeout',
      message: 'query timed out in expression evaluation',
    })
    expect(await ask(target, 'ok')).toMatchObject({ served: 1 })
  })

  it('cancels the query of a client that went away', async () => {
    const target = open({ threadsMax: 1 })
    await ask(target, 'ok')
    const gone = new AbortController()
    const answer = target.json(instant('wait 10000'), gone.signal)
    setTimeout(() => gone.abort(), 50)
    expect(await answer).toMatchObject({ ok: false, kind: 'canceled' })
    // The worker noticed by itself and goes on to serve.
    expect(await ask(target, 'ok')).toMatchObject({ served: 2 })
  })

  it('loses only the query whose worker fails', async () => {
    const died: string[] = []
    const target = open({ events: { onWorkerDied: (reason) => died.push(reason) } })
    const [thrown, exited, stack, fine] = await Promise.all([
      ask(target, 'throw boom'),
      ask(target, 'exit'),
      ask(target, 'bomb stack'),
      ask(target, 'ok'),
    ])
    expect(thrown).toMatchObject({ ok: false, kind: 'internal', message: expect.stringContaining('boom') })
    expect(exited).toMatchObject({ ok: false, kind: 'internal', message: expect.stringContaining('code 7') })
    expect(stack).toMatchObject({ ok: false, kind: 'internal' })
    expect(fine).toMatchObject({ what: 'ok' })
    expect(died).toHaveLength(3)
  })

  it.each(['map', 'array', 'string', 'typed'])(
    'ends only the query that is a %s bomb',
    async (kind) => {
      const target = open({ growthBytesMax: 200 * 2 ** 20 })
      const [bomb, fine] = await Promise.all([ask(target, `bomb ${kind}`), ask(target, 'wait 50')])
      expect(bomb).toMatchObject({ ok: false, kind: 'execution' })
      expect(bomb).toHaveProperty('message', expect.stringContaining('too much memory'))
      expect(fine).toMatchObject({ what: 'wait' })
      expect(await ask(target, 'ok')).toMatchObject({ what: 'ok' })
    },
    30_000,
  )

  it('ends idle workers', async () => {
    const target = open({ threadsMax: 1, idleMs: 50 })
    expect(await ask(target, 'ok')).toMatchObject({ served: 1 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await ask(target, 'ok')).toMatchObject({ served: 1 })
  })
})
