import { Labels } from '@watchfire/datamodel'
import { describe, expect, it } from 'vitest'
import { labelsRatio, xxHash64 } from './labels-hash.ts'

describe('the hash of label sets', () => {
  it.each([
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ])('is xxHash64 of %j', (text, hash) => {
    expect(xxHash64(Buffer.from(text))).toBe(hash)
  })

  it('spreads label sets over 0 to 1', () => {
    const ratios = Array.from({ length: 1000 }, (_, i) => labelsRatio(Labels.from({ i: String(i) })))
    const below = ratios.filter((ratio) => ratio < 0.5).length
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...ratios)).toBeLessThanOrEqual(1)
    expect(Math.abs(below - 500)).toBeLessThan(80)
  })
})
