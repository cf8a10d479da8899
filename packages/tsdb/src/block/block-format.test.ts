import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChunkReadError, Matcher } from '@watchfire/datamodel'
import { createArena } from '@watchfire/kernels'
import { seriesEntry } from '../index/index-reader.ts'
import { readSource } from '../testing/write-block.ts'
import { BlockSource } from './block-source.ts'
import { BlockWriter } from './block-writer.ts'
import { CorruptionError } from './corruption.ts'
import { crc32c } from './crc32c.ts'
import { formatMeta, parseMeta } from './meta.ts'
import { decodeTombstones, encodeTombstones, mergeIntervals } from './tombstones.ts'
import { newUlid, ulidBytes, ulidText } from './ulid.ts'

// A block as Prometheus 3.14 wrote it.
const INDEX =
  'uqrXAAIAAAAgAAAABwABMAExATIIX19uYW1lX18BaQl0YWlsX3Rlc3QS9vUmAAAAEAIEBgUBAYD51fHuZqjaIwgR7baqAAAAAAAAAAAAAAAQAgQGBQIBgPnV8e5mqNojKoP5NNMAAAAAAAAAAAAAABACBAYFAwGA+dXx7mao2iNxeiSRCwAAAAAAABAAAAADAAAAAwAAAAUAAAAHBjdrmwAAABAAAAADAAAAAwAAAAUAAAAHBjdrmwAAAAgAAAABAAAAA6dpLtIAAAAIAAAAAQAAAAWByMk6AAAACAAAAAEAAAAHYPO5zQAAADQAAAAFAgAAiAECCF9fbmFtZV9fCXRhaWxfdGVzdKABAgFpATC4AQIBaQExyAECAWkBMtgB8oeUKQAAAAAAAAAFAAAAAAAAAC0AAAAAAAAAhQAAAAAAAADoAAAAAAAAAIUAAAAAAAAA6Da52po='
const CHUNKS =
  'hb1A3QEAAAAcAQAogPnV8e5mAAAAAAAAAACYdQAAAAAAAAAAAABWhgdgQQEAKID51fHuZkBxgAAAAAAAmHXmDcgtLiH0U0W4b9AoNAodAoNAo9AoNAodAoNAp9AoNAodAoNAo9AoNAodAoNAgPLlhNBBAQAogPnV8e5mQIGAAAAAAACYdeYNyC0uIfRTRbhv0Cg0Ch0Cg0Cj0Cg0Ch0Cg0Cn0Cg0Ch0Cg0Cj0Cg0Ch0Cg0CA/qrwMw=='
const META = `{
	"ulid": "01M84KDYW3JK0G1WKRTS77JH2Q",
	"minTime": 1767229800000,
	"maxTime": 1767230400000,
	"stats": {
		"numSamples": 120,
		"numFloatSamples": 120,
		"numSeries": 3,
		"numChunks": 3
	},
	"compaction": {
		"level": 1,
		"sources": [
			"01M84KDYW3JK0G1WKRTS77JH2Q"
		]
	},
	"version": 1
}`
const TOMBSTONES = Buffer.from('ATC6MAE+wO/57e5mwI7D7u5m1NyS0Q==', 'base64')
const ALL = [new Matcher('=~', '__name__', '.+')]

let dir: string
let block: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wf-block-'))
  block = join(dir, '01M84KDYW3JK0G1WKRTS77JH2Q')
  mkdirSync(join(block, 'chunks'), { recursive: true })
  writeFileSync(join(block, 'index'), Buffer.from(INDEX, 'base64'))
  writeFileSync(join(block, 'chunks', '000001'), Buffer.from(CHUNKS, 'base64'))
  writeFileSync(join(block, 'meta.json'), META)
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

describe('a block of Prometheus', () => {
  it('is read', () => {
    const source = new BlockSource(block)
    const series = readSource(source, ALL)
    expect(series.map(({ labels }) => labels)).toEqual([
      '{__name__="tail_test", i="0"}',
      '{__name__="tail_test", i="1"}',
      '{__name__="tail_test", i="2"}',
    ])
    expect(series.reduce((sum, { samples }) => sum + samples.length, 0)).toBe(120)
    expect(series[0]!.samples[0]![0]).toBe(1_767_229_800_000)
    expect([...source.labelNames([], 0, 2 ** 52)].sort()).toEqual(['__name__', 'i'])
    expect([...source.labelValues('i', [], 0, 2 ** 52)]).toEqual(['0', '1', '2'])
    expect([...source.labelValues('i', [], 0, 1)]).toEqual([])
    source.close()
  })

  it('is written bit for bit', () => {
    const source = new BlockSource(block)
    const copy = join(dir, 'copy')
    mkdirSync(copy)
    const writer = new BlockWriter(copy, source.meta.ulid)
    for (const { text } of source.index.symbols.all()) writer.addSymbol(text)
    const entry = seriesEntry()
    for (const ref of source.index.postings('', '')) {
      source.index.series(ref, entry)
      for (let i = 0; i < entry.chunkCount; i++) {
        const chunk = source.chunks.locate(entry.chunkRefs[i]!)
        writer.addChunk(
          chunk.encoding,
          entry.minTimes[i]!,
          entry.maxTimes[i]!,
          chunk.bytes,
          chunk.start,
          chunk.end,
        )
      }
      writer.endSeries(entry.symbols, entry.labelCount)
    }
    source.close()
    writer.finish(1_767_229_800_000, 1_767_230_400_000)
    const written = (name: string): string =>
      readFileSync(join(copy, '01M84KDYW3JK0G1WKRTS77JH2Q', name)).toString('base64')
    expect(written('index')).toBe(INDEX)
    expect(written(join('chunks', '000001'))).toBe(CHUNKS)
    expect(Buffer.from(written('meta.json'), 'base64').toString()).toBe(META)
  })

  it('leaves out what its tombstones delete', () => {
    const source = new BlockSource(block)
    const [ref] = source.index.postings('i', '1')
    const whole = readSource(source, ALL)
    source.close()
    const { samples } = whole[1]!
    const [from, to] = [samples[3]![0], samples[7]![0]]
    writeFileSync(
      join(block, 'tombstones'),
      encodeTombstones(new Map([[ref!, [{ minTime: from, maxTime: to }]]])),
    )
    const deleted = new BlockSource(block)
    const left = readSource(deleted, ALL)
    deleted.close()
    expect(left[0]).toEqual(whole[0])
    expect(left[1]!.samples).toEqual(samples.filter(([time]) => time < from || time > to))
  })

  it('with any byte changed is read as it was or refused with file and offset, never wrong', () => {
    const source = new BlockSource(block)
    const whole = readSource(source, ALL)
    source.close()
    const damage = (name: string, original: string): number => {
      let refused = 0
      const bytes = Buffer.from(original, 'base64')
      for (let at = 0; at < bytes.length; at++) {
        const damaged = Buffer.from(bytes)
        damaged[at]! ^= 0x21
        writeFileSync(join(block, name), damaged)
        try {
          const open = new BlockSource(block)
          try {
            open.chunks.check()
            expect(readSource(open, ALL)).toEqual(whole)
          } finally {
            open.close()
          }
        } catch (error) {
          const cause = error instanceof ChunkReadError ? error.cause : error
          if (!(cause instanceof CorruptionError)) throw error
          expect((error as Error).message).toContain(cause.file)
          refused++
        }
      }
      writeFileSync(join(block, name), bytes)
      return refused
    }
    expect(damage('index', INDEX)).toBeGreaterThan(200)
    expect(damage(join('chunks', '000001'), CHUNKS)).toBeGreaterThan(170)
  })

  it('without meta.json, index or chunks is not opened', () => {
    for (const name of ['meta.json', 'index', 'chunks']) {
      renameSync(join(block, name), join(dir, 'away'))
      expect(() => new BlockSource(block)).toThrow(name)
      renameSync(join(dir, 'away'), join(block, name))
    }
  })

  it('stays within the memory of a query', () => {
    const source = new BlockSource(block)
    expect(() => source.select(ALL, 0, 2 ** 52, 0, createArena(256))).toThrow('budget')
    source.close()
  })
})

describe('meta.json', () => {
  it('is written as it was read', () => {
    expect(formatMeta(parseMeta(META))).toBe(META)
  })

  it('is refused when it is of another version or not what it should be', () => {
    expect(() => parseMeta(META.replace('"version": 1', '"version": 2'))).toThrow('version 2')
    expect(() => parseMeta(META.replace('1767229800000', '"x"'))).toThrow('minTime')
    expect(() => parseMeta(META.replace('01M84', '!1M84'))).toThrow('ulid')
    expect(() => parseMeta('[]')).toThrow('document is not an object')
  })
})

describe('tombstones', () => {
  it('of Prometheus are read and written bit for bit', () => {
    const stones = decodeTombstones(TOMBSTONES, 'tombstones')
    expect([...stones]).toEqual([[62, [{ minTime: 1_767_225_900_000, maxTime: 1_767_226_500_000 }]]])
    expect(Buffer.from(encodeTombstones(stones))).toEqual(TOMBSTONES)
  })

  it('are merged where they overlap or touch', () => {
    const intervals = [
      { minTime: 10, maxTime: 20 },
      { minTime: -5, maxTime: 2 },
      { minTime: 21, maxTime: 30 },
      { minTime: 3, maxTime: 4 },
    ]
    expect(mergeIntervals(intervals)).toEqual([
      { minTime: -5, maxTime: 4 },
      { minTime: 10, maxTime: 30 },
    ])
  })

  it('are refused when a byte is changed', () => {
    for (let at = 0; at < TOMBSTONES.length; at++) {
      const damaged = Buffer.from(TOMBSTONES)
      damaged[at]! ^= 1
      expect(() => decodeTombstones(damaged, 'tombstones')).toThrow(CorruptionError)
    }
  })
})

describe('a ULID', () => {
  it('is text or bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        expect(ulidBytes(ulidText(bytes))).toEqual(bytes)
      }),
    )
  })

  it('sorts by time', () => {
    expect(newUlid(1_767_229_800_000) < newUlid(1_767_229_800_001)).toBe(true)
    expect(newUlid(1_469_918_176_385).slice(0, 10)).toBe('01ARYZ6S41')
  })
})

describe('CRC-32C', () => {
  it('gives the known value, at any split', () => {
    const text = Buffer.from('123456789123456789123456789')
    expect(crc32c(text, 0, 9)).toBe(0xe3069283)
    for (let split = 0; split <= text.length; split++)
      expect(crc32c(text, split, text.length, crc32c(text, 0, split))).toBe(crc32c(text))
  })
})
