import { describe, expect, it } from 'vitest'
import { Fingerprinter, SeriesCache } from './series-cache.ts'

const fingerprinter = new Fingerprinter()
function fingerprint(text: string): Uint32Array {
  const buffer = Buffer.from(text)
  const out = new Uint32Array(4)
  fingerprinter.bytes(new DataView(buffer.buffer, buffer.byteOffset, buffer.length), 0, buffer.length, 1, out)
  return out
}

describe('SeriesCache', () => {
  it('finds what it was given, in any order', () => {
    const cache = new SeriesCache()
    for (let i = 0; i < 5000; i++) cache.set(fingerprint(`series ${i}`), i + 1)
    for (let i = 0; i < 5000; i++) expect(cache.find(fingerprint(`series ${i}`))).toBe(i + 1)
    for (let i = 4999; i >= 0; i -= 7) expect(cache.find(fingerprint(`series ${i}`))).toBe(i + 1)
    expect(cache.find(fingerprint('another'))).toBe(0)
    cache.set(fingerprint('series 5'), 77)
    expect(cache.find(fingerprint('series 5'))).toBe(77)
    expect(cache.size).toBe(5000)
  })

  it('forgets everything when it is full', () => {
    const cache = new SeriesCache({ entriesMax: 1024 })
    for (let i = 0; i < 1025; i++) cache.set(fingerprint(`series ${i}`), i + 1)
    expect(cache.size).toBe(1)
    expect(cache.find(fingerprint('series 0'))).toBe(0)
    expect(cache.find(fingerprint('series 1024'))).toBe(1025)
  })
})

describe('Fingerprinter', () => {
  it('tells texts apart that differ in one bit, in length, or in their last bytes', () => {
    const seen = new Set<string>()
    const texts = [
      '',
      'a',
      'aa',
      'aaa',
      'aaaa',
      'aaaaa',
      'aaab',
      'baaa',
      'aaaaaaab',
      'aaaabaaa',
      'aaa\u0000',
      'abcdefg',
      'abcdefgh',
    ]
    for (const text of texts) seen.add(String(fingerprint(text)))
    expect(seen.size).toBe(texts.length)
  })

  it('has another seed in every process', () => {
    const other = new Fingerprinter()
    const out = new Uint32Array(4)
    const buffer = new Uint8Array([1, 2, 3, 4])
    other.bytes(new DataView(buffer.buffer), 0, 4, 1, out)
    const mine = new Uint32Array(4)
    fingerprinter.bytes(new DataView(buffer.buffer), 0, 4, 1, mine)
    expect(out).not.toEqual(mine)
  })
})
