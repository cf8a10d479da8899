// A process that commits, cuts and merges is killed again and again: nothing it acknowledged is lost, nothing is there twice or changed.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Matcher } from '@watchfire/datamodel'
import { isUlid } from '../block/ulid.ts'
import { openDbSync } from '../index.ts'
import { readAll } from '../testing/read-all.ts'
import { LOOP_OPTIONS, LOOP_SERIES, LOOP_STEP_MS, loopValue } from '../testing/compact-loop.ts'

const LOOP = fileURLToPath(new URL('../../dist/testing/compact-loop.js', import.meta.url))
const ROUNDS = 5
/** Longest wait for a change of the blocks. */
const CHANGE_MS_MAX = 4000

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-kill-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

const blocks = (): string => readdirSync(dir).filter(isUlid).join()

/** Runs the loop from a step on until blocks change, kills it `ms` later, and gives the last step it acknowledged. */
async function runAndKill(first: number, ms: number): Promise<number> {
  const before = blocks()
  const child = spawn(process.execPath, [LOOP, dir, String(first)], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  let last = first - 1
  let text = ''
  const closed = new Promise((resolve) => child.once('close', resolve))
  const started = new Promise((resolve) => {
    ;(child.stdio[3] as Readable).on('data', (data: Buffer) => {
      text += data.toString()
      const lines = text.split('\n')
      text = lines.pop()!
      if (lines.length > 0) last = Number(lines.at(-1))
      resolve(undefined)
    })
  })
  await Promise.race([started, closed])
  for (const end = Date.now() + CHANGE_MS_MAX; blocks() === before && Date.now() < end;) await sleep(10)
  await sleep(ms)
  child.kill('SIGKILL')
  await closed
  return last
}

describe('a database that is killed while it compacts', () => {
  it.skipIf(!existsSync(LOOP))(
    'has everything it acknowledged when it opens again',
    async () => {
      let next = 0
      for (let round = 0; round < ROUNDS; round++) {
        const acknowledged = await runAndKill(next, round * 45)
        const db = openDbSync({ dir, ...LOOP_OPTIONS, memoryImage: round % 2 === 0 })
        const seen = Array.from({ length: LOOP_SERIES }, () => new Set<number>())
        for (const { labels, samples } of readAll(db, [new Matcher('=', '__name__', 'm')])) {
          const i = Number(/i="(\d+)"/.exec(labels)![1])
          for (const [time, value] of samples) {
            const step = time! / LOOP_STEP_MS
            if (value !== loopValue(i, step)) throw new Error(`series ${i} has ${value} at step ${step}`)
            seen[i]!.add(step)
          }
        }
        next = Math.max(...seen[0]!) + 1
        expect(next).toBeGreaterThan(acknowledged)
        for (const steps of seen) expect(steps.size).toBe(next)
        await db.close()
      }
      expect(blocks()).not.toBe('')
    },
    60_000,
  )
})
