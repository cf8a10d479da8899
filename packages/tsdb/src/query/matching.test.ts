import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Labels, Matcher, compareUtf8, matchesAll, type MatchType, type Querier } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import { openDbSync, type Db, type DbReader } from '../index.ts'

const NAMES = ['__name__', 'job', 'pod', 'é', 'zone']
const VALUES = ['', 'a', 'b', 'ab', 'aa', 'c\n', '\u{1f600}', '\uffff']
const PATTERNS = ['.*', '.+', '', 'a', 'a|b', '(a|ab)', 'a.*', 'a?', '[ab]+', '|a', 'nothing', '.']
let dir: string
let db: Db
let reader: DbReader
let querier: Querier
let all: Labels[] = []

const labelSet = fc
  .array(fc.constantFrom(...VALUES), { minLength: NAMES.length, maxLength: NAMES.length })
  .map((values) => Labels.from(NAMES.map((name, i) => [name, values[i]!] as const)))
const matcher = fc
  .tuple(
    fc.constantFrom<MatchType[]>('=', '!=', '=~', '!~'),
    fc.constantFrom(...NAMES, 'unknown'),
    fc.constantFrom(...VALUES),
    fc.constantFrom(...PATTERNS),
  )
  .map(([type, name, value, pattern]) => new Matcher(type, name, type.includes('~') ? pattern : value))

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-match-'))
  db = openDbSync({ dir, headMemoryBytesMax: 32 * 1024 * 1024 })
  const byKey = new Map(
    fc
      .sample(labelSet, { numRuns: 700, seed: 7 })
      .filter((l) => l.size > 0)
      .map((l) => [l.key(), l]),
  )
  all = [...byKey.values()]
  for (let from = 0; from < all.length; from += 50) {
    const app = db.appender()
    for (const labels of all.slice(from, from + 50)) app.float(app.series(labels), 1000, 1)
    app.commit()
  }
  all.sort((a, b) => a.compare(b))
  reader = db.reader()
  querier = reader.querier(0, 5000)
})
afterAll(async () => {
  reader.close()
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

function select(matchers: Matcher[], limit = 0): string[] {
  const arena = createArena(16 * 1024 * 1024)
  const selection = querier.select(matchers, { start: 0, end: 5000, limit }, arena)
  return Array.from({ length: selection.count }, (_, i) => selection.labels(i).toString())
}

const naive = (matchers: Matcher[]) => all.filter((labels) => matchesAll(matchers, labels)).map(String)

describe('matching in the head', () => {
  it('selects what a naive scan selects, sorted by label set', () => {
    fc.assert(
      fc.property(fc.array(matcher, { maxLength: 4 }), (matchers) => {
        expect(select(matchers)).toEqual(naive(matchers))
      }),
      { numRuns: 300 },
    )
  })

  it('gives the first series of the order under a limit', () => {
    expect(select([], 7)).toEqual(all.slice(0, 7).map(String))
  })

  it('lists series, names and values as a naive scan does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(matcher, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
        fc.constantFrom(...NAMES, 'unknown'),
        fc.integer({ min: 0, max: 5 }),
        (sets, name, limit) => {
          const chosen = sets.length === 0 ? all : all.filter((l) => sets.some((set) => matchesAll(set, l)))
          const cut = <T>(items: T[]) => (limit > 0 ? items.slice(0, limit) : items)
          if (sets.length > 0)
            expect(querier.series(sets, 0, 5000, limit).map(String)).toEqual(cut(chosen.map(String)))
          const names = [...new Set(chosen.flatMap((l) => l.names()))].sort(compareUtf8)
          expect(querier.labelNames(sets, 0, 5000, limit)).toEqual(cut(names))
          const values = [...new Set(chosen.map((l) => l.get(name)))].filter(Boolean).sort(compareUtf8)
          expect(querier.labelValues(name, sets, 0, 5000, limit)).toEqual(cut(values))
        },
      ),
      { numRuns: 150 },
    )
  })

  it('selects nothing outside the range of samples', () => {
    expect(querier.series([[new Matcher('=~', 'job', '.*')]], 1001, 5000, 0)).toEqual([])
    expect(querier.labelNames([], 1001, 5000, 0)).toEqual([])
    expect(querier.labelValues('job', [], 0, 999, 0)).toEqual([])
  })

  it('counts series by name, values and pairs', () => {
    const top = reader.cardinality(3)
    const count = (name: string, value: string) => all.filter((l) => l.get(name) === value).length
    expect(top.seriesCountByMetricName).toHaveLength(3)
    for (const [name, n] of top.seriesCountByMetricName) expect(n).toBe(count('__name__', name))
    expect(top.labelValueCountByLabelName[0]![1]).toBe(VALUES.length - 1)
    const [pair, n] = top.seriesCountByLabelValuePair[0]!
    expect(n).toBe(count(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)))
  })
})
