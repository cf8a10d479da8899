import { Labels } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RANGE_FUNCTIONS } from '../functions/registry.ts'
import { MemoryStorage } from '../script/index.ts'
import { QueryContext } from './context.ts'
import { createRow, type Grid, type Row } from './operator.ts'
import { RangeCall } from './range-call.ts'
import { SelectorSource } from './range-source.ts'
import type { MatrixNode } from '../plan/nodes.ts'

const GRID: Grid = { startMs: 100_000, stepMs: 20_000, steps: 12 }
const RANGE_MS = 60_000

const NODE: MatrixNode = {
  kind: 'matrix',
  type: 'matrix',
  position: 0,
  rangeMs: RANGE_MS,
  selector: {
    kind: 'selector',
    type: 'vector',
    position: 0,
    matchers: [],
    smoothed: false,
    anchored: false,
    statisticsOnly: false,
    hints: { start: -Infinity, end: Infinity },
    offsetMs: 0,
    atMs: undefined,
  },
}

function evaluate(storage: MemoryStorage, name: string, useKernel: boolean): { row: Row; counted: number[] } {
  const context = new QueryContext({
    querier: storage.querier(-Infinity, Infinity),
    arena: createArena(1 << 20),
    features: {},
    lookbackMs: 300_000,
    samplesMax: 1e9,
    memoryBytesMax: 1e9,
    deadline: undefined,
    cancel: undefined,
  })
  const { kernel, ...rest } = RANGE_FUNCTIONS.get(name)!
  const spec = useKernel && kernel !== undefined ? { ...rest, kernel } : rest
  const source = new SelectorSource(NODE, context, GRID, false)
  const call = new RangeCall({ name, spec, source, scalars: [], position: 0 }, context, GRID)
  const row = createRow(GRID.steps)
  if (call.open().length > 0) call.next(row)
  return { row, counted: [context.counters.queryable, context.counters.read, context.peakSamples] }
}

const value = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -50, max: 500 }) },
  { weight: 2, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, 0) },
)
const samples = fc.array(
  fc.record({
    gap: fc.oneof(fc.constant(15_000), fc.integer({ min: 1, max: 90_000 })),
    value,
    stale: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
)

function close(a: number, b: number): boolean {
  if (a !== a) return b !== b
  if (a === b) return true
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1)
}

describe('functions over ranges', () => {
  const names = [...RANGE_FUNCTIONS].filter(([, { kernel }]) => kernel !== undefined).map(([name]) => name)
  it.each(names)('%s gives the same by kernel and window by window', (name) => {
    fc.assert(
      fc.property(samples, (list) => {
        const storage = new MemoryStorage()
        let timeMs = 30_000
        for (const { gap, value, stale } of list) {
          timeMs += gap
          const marked = stale && gap % 7 === 0
          storage.append(Labels.from({ __name__: 'x' }), {
            timeMs,
            value,
            stale: marked,
            histogram: undefined,
            startMs: 0,
          })
        }
        const fast = evaluate(storage, name, true)
        const plain = evaluate(storage, name, false)
        expect([...fast.row.kinds]).toEqual([...plain.row.kinds])
        expect(fast.counted.slice(0, 2)).toEqual(plain.counted.slice(0, 2))
        fast.row.kinds.forEach((kind, i) => {
          if (kind === 1 && !close(fast.row.values[i]!, plain.row.values[i]!))
            expect.fail(`step ${i}: kernel ${fast.row.values[i]}, windows ${plain.row.values[i]}`)
        })
      }),
      { numRuns: 150 },
    )
  })
})
