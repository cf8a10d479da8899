// Blocks against a plain list of series: what was written is what any matcher and range selects.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Labels, Matcher, matchesAll } from '@watchfire/datamodel'
import { readSource, writeBlock, type PlainSeries } from '../testing/write-block.ts'
import { BlockSource } from './block-source.ts'
import { writeTombstones } from './tombstones.ts'
import { newUlid } from './ulid.ts'

const START = 1_700_000_000_000
const RANGE = { minTime: START, maxTime: START + 7_200_000 }

const texts = fc.constantFrom('a', 'b', 'ab', 'é', '\u{1F525}', '\uE000', 'x'.repeat(3000), '0', '-')
const labels = fc
  .dictionary(fc.constantFrom('job', 'instance', 'le', 'ä.b'), texts, { maxKeys: 4 })
  .map((rest) => Labels.from({ __name__: 'm', ...rest }))
const samples = fc
  .uniqueArray(fc.integer({ min: 0, max: 479 }), { minLength: 1, maxLength: 60 })
  .chain((steps) =>
    fc
      .array(fc.double(), { minLength: steps.length, maxLength: steps.length })
      .map((values) =>
        steps
          .sort((a, b) => a - b)
          .map((step, i): [number, number] => [
            START + step * 15_000,
            Number.isNaN(values[i]!) ? 0 : values[i]!,
          ]),
      ),
  )
const block = fc.uniqueArray(fc.record({ labels, samples }), {
  minLength: 1,
  maxLength: 80,
  selector: (series) => series.labels.key(),
})
const matcher = fc.record({
  type: fc.constantFrom('=' as const, '!=' as const, '=~' as const, '!~' as const),
  name: fc.constantFrom('__name__', 'job', 'instance', 'le', 'ä.b', 'none'),
  value: fc.constantFrom('', 'a', 'a|b', 'a.*', '.*', '.+', 'm', 'é|0|', '\u{1F525}'),
})

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-blocks-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

function inOrder(series: readonly PlainSeries[]): { labels: string; samples: [number, number][] }[] {
  return [...series]
    .sort((a, b) => a.labels.compare(b.labels))
    .map((each) => ({ labels: each.labels.toString(), samples: each.samples.map(([t, v]) => [t, v]) }))
}

describe('a block', () => {
  it('holds what was written, for all matchers, ranges and deletions', () => {
    fc.assert(
      fc.property(
        block,
        fc.array(matcher, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: -10, max: 490 }),
        fc.integer({ min: 0, max: 490 }),
        fc.integer({ min: 1, max: 50 }),
        (series, conditions, from, length, perChunk) => {
          const ulid = newUlid(START)
          writeBlock(dir, ulid, series, RANGE, perChunk)
          const source = new BlockSource(join(dir, ulid))
          const matchers = conditions.map(({ type, name, value }) => new Matcher(type, name, value))
          const [min, max] = [START + from * 15_000, START + (from + length) * 15_000]
          const matching = series.filter((each) => matchesAll(matchers, each.labels))
          const cut = matching
            .map((each) => ({ ...each, samples: each.samples.filter(([t]) => t >= min && t <= max) }))
            .filter((each) => each.samples.length > 0)
          expect(readSource(source, matchers, min, max)).toEqual(inOrder(cut))
          const names = new Set(series.flatMap((each) => each.labels.names()))
          expect(new Set(source.labelNames([], 0, 2 ** 52))).toEqual(names)
          for (const name of names) {
            const values = new Set(
              series.map((each) => each.labels.get(name)).filter((value) => value !== ''),
            )
            expect(new Set(source.labelValues(name, [], 0, 2 ** 52))).toEqual(values)
          }
          expect(source.series([matchers], 0, 2 ** 52).map(String)).toEqual(
            inOrder(matching).map((each) => each.labels),
          )
          source.close()
          const first = inOrder(series)[0]!
          const ref = new BlockSource(join(dir, ulid))
          const [id] = ref.index.postings('', '')
          ref.close()
          writeTombstones(join(dir, ulid), new Map([[id!, [{ minTime: min, maxTime: max }]]]))
          const deleted = new BlockSource(join(dir, ulid))
          const all = [new Matcher('=', '__name__', 'm')]
          const left = inOrder(series).map((each) =>
            each.labels === first.labels
              ? { ...each, samples: each.samples.filter(([t]) => t < min || t > max) }
              : each,
          )
          expect(readSource(deleted, all)).toEqual(left.filter((each) => each.samples.length > 0))
          deleted.close()
          rmSync(join(dir, ulid), { recursive: true })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('of many series and values finds each of them', () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({
      labels: Labels.from({ __name__: 'm', id: `value-${i}`, group: String(i % 7) }),
      samples: [[START + i, i]] as const,
    }))
    const ulid = newUlid(START)
    writeBlock(dir, ulid, many, RANGE)
    const source = new BlockSource(join(dir, ulid))
    for (let i = 0; i < 3000; i += 37)
      expect(readSource(source, [new Matcher('=', 'id', `value-${i}`)])).toEqual([
        { labels: many[i]!.labels.toString(), samples: [[START + i, i]] },
      ])
    expect(readSource(source, [new Matcher('=', 'id', 'value-3000')])).toEqual([])
    expect(readSource(source, [new Matcher('=', 'id', '')])).toEqual([])
    expect(
      readSource(source, [new Matcher('=', 'group', '3'), new Matcher('!~', 'id', '.*[02468]')]).length,
    ).toBe(many.filter((_, i) => i % 7 === 3 && i % 2 === 1).length)
    source.close()
  })
})
