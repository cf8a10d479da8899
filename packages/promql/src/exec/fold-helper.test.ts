import { describe, expect, it } from 'vitest'
import { Labels } from '@watchfire/datamodel'
import { createEngine, createFoldHelper, createFoldWorker, failFoldHelper } from '../index.ts'
import type { FoldHelper, FoldMessage } from '../index.ts'
import { MemoryStorage } from '../script/storage.ts'

const START = 1_700_000_000_000
const storage = new MemoryStorage()
for (let i = 0; i < 30; i++) {
  const labels = Labels.from({ __name__: 'x_total', group: String(i % 3), series: String(i) })
  for (let k = 0; k < 20_000; k++)
    storage.append(labels, {
      timeMs: START + k * 200,
      value: k * (i + 1.1),
      stale: false,
      histogram: undefined,
      startMs: 0,
    })
}

function run(helper?: FoldHelper) {
  const span = { startMs: START, endMs: START + 4_000_000, stepMs: 60_000 }
  const engine = createEngine(helper ? { helper } : {})
  return engine.query(storage, { expr: 'sum by (group) (rate(x_total[5m]))', ...span })
}

describe('a helper', () => {
  it('changes nothing in the result, whether it takes all units, comes too late, or is not asked', () => {
    const state = new Int32Array(new SharedArrayBuffer(4))
    const take = createFoldWorker(state)
    const late: FoldMessage[] = []
    const alone = run()
    let taken = 0
    const eager = createFoldHelper({
      state,
      isIdle: () => true,
      post: (message) => {
        take(message)
        if ((Atomics.load(state, 0) & 3) === 3) taken++
      },
    })
    for (const helper of [
      eager,
      createFoldHelper({ state, isIdle: () => true, post: (message) => void late.push(message) }),
      createFoldHelper({ state, isIdle: () => false, post: () => expect.unreachable() }),
    ]) {
      const { value, stats } = run(helper)
      expect(value).toEqual(alone.value)
      expect(stats.samples).toEqual(alone.stats.samples)
    }
    expect(taken).toBe(1)
    expect(late.length).toBe(1)
    const word = Atomics.load(state, 0)
    take(late[0]!)
    expect(Atomics.load(state, 0)).toBe(word)
  })

  it('that ends fails the query it was working on, and no later one', () => {
    const state = new Int32Array(new SharedArrayBuffer(4))
    const dying = createFoldHelper({ state, isIdle: () => true, post: () => failFoldHelper(state) })
    expect(() => run(dying)).toThrow(/a helper thread of the query ended/)
    expect(run(dying).value).toEqual(run().value)
  })
})
