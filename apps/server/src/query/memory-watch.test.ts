import { afterEach, expect, it } from 'vitest'
import type { RunningTask } from './lane.ts'
import { MemoryWatch } from './memory-watch.ts'

let rss = 1000
let running: RunningTask[] = []
const ended: string[] = []
const watch = new MemoryWatch({
  growthBytesMax: 100,
  intervalMs: 60_000,
  running: () => running,
  rssBytes: () => rss,
})
function task(name: string, startedAt: number): RunningTask {
  const worker = { terminate: async () => void ended.push(name) }
  return { worker: worker as unknown as RunningTask['worker'], startedAt }
}
afterEach(() => {
  watch.stop()
  ended.length = 0
  running = []
})

it('ends the youngest task when the process grew too much, and then gives the others a new start', () => {
  running = [task('old', 1)]
  watch.wake()
  rss += 60
  running.push(task('young', 2))
  watch.check()
  expect(ended).toEqual([])
  rss += 50
  watch.check()
  expect(ended).toEqual(['young'])
  watch.check()
  rss += 90
  watch.check()
  expect(ended).toEqual(['young'])
  rss += 20
  watch.check()
  expect(ended).toEqual(['young', 'old'])
})

it('does not count what grew before the running tasks began', () => {
  for (let i = 0; i < 20; i++) {
    running = [task(`task ${i}`, i)]
    watch.wake()
    rss += 60
    watch.check()
  }
  expect(ended).toEqual([])
})
