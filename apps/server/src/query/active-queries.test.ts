import { afterEach, expect, it } from 'vitest'
import type { DbHandle } from '@watchfire/tsdb'
import { WorkerQueryPool } from './index.ts'
import type { SlowQuery } from './index.ts'

const runnerUrl = new URL('./testdata/misbehaving-runner.mjs', import.meta.url).href
const slow: SlowQuery[] = []
const pool = new WorkerQueryPool({
  handle: () => ({}) as DbHandle,
  runnerUrl,
  threadsMax: 1,
  slowMs: 1,
  events: { onSlow: (query) => slow.push(query) },
})
afterEach(() => pool.stop())

it('lists queries that wait and run, ends them by id, and tells which were slow', async () => {
  const ask = (expr: string) => pool.json({ expr, startMs: 0, endMs: 0 })
  const running = ask('wait 10000')
  const waiting = ask('wait 10000')
  await new Promise((resolve) => setTimeout(resolve, 50))
  const list = pool.activeQueries()
  expect(list.map(({ query, state, origin }) => [query, state, origin])).toEqual([
    ['wait 10000', 'running', 'api'],
    ['wait 10000', 'queued', 'api'],
  ])
  expect(pool.cancelQuery(99)).toBe(false)
  for (const { id } of list.toReversed()) expect(pool.cancelQuery(id)).toBe(true)
  expect(await waiting).toMatchObject({ ok: false, message: 'query was canceled in query queue' })
  expect(await running).toMatchObject({ ok: false, message: 'query was canceled in expression evaluation' })
  expect(pool.activeQueries()).toEqual([])
  expect(slow.map(({ query }) => query)).toEqual(['wait 10000', 'wait 10000'])
})
