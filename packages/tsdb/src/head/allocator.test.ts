import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Allocator, RETIRED } from './allocator.ts'
import { createHeadMemory, type HeadMemory } from './head-memory.ts'
import { CTL, PAGE_BYTES } from './layout.ts'

const MEMORY = 16 * 1024 * 1024

function heap(): { mem: HeadMemory; allocator: Allocator } {
  const mem = createHeadMemory(MEMORY, () => {})
  return { mem, allocator: new Allocator(mem) }
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 600 }) },
  { weight: 2, arbitrary: fc.integer({ min: 600, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 40_000, max: 700_000 }) },
)
const step = fc.oneof(
  fc.record({ alloc: size, count: fc.integer({ min: 1, max: 3000 }) }),
  fc.record({ free: fc.double({ min: 0, max: 1, noNaN: true }), from: fc.nat() }),
)

describe('the heap', () => {
  it('gives out blocks that never overlap, whatever is given back in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { mem, allocator } = heap()
        const live = new Map<number, { size: number; mark: number }>()
        let mark = 1
        const release = (address: number) => {
          const block = live.get(address)!
          expect([mem.u32[address >>> 2], mem.u8[address + block.size - 1]]).toEqual(
            block.size < 8 ? [mem.u32[address >>> 2], block.mark & 0xff] : [block.mark, block.mark & 0xff],
          )
          live.delete(address)
          allocator.free(address)
        }
        for (const one of steps) {
          if ('alloc' in one) {
            for (let i = 0; i < one.count; i++) {
              const address = allocator.alloc(one.alloc)
              if (address === 0) break
              expect(live.has(address)).toBe(false)
              mem.u8.fill(0, address, address + one.alloc)
              mem.u32[address >>> 2] = mark
              mem.u8[address + one.alloc - 1] = mark & 0xff
              live.set(address, { size: one.alloc, mark: mark++ })
            }
          } else {
            const addresses = [...live.keys()]
            const count = Math.floor(addresses.length * one.free)
            for (let i = 0; i < count; i++) release(addresses[(one.from + i) % addresses.length]!)
          }
        }
        for (const address of [...live.keys()]) release(address)
        expect(allocator.bytesInUse).toBe(0)
      }),
      { numRuns: 60 },
    )
  })

  it('reuses pages of one size for another, so that blocks may grow again and again', () => {
    const { mem, allocator } = heap()
    let blocks = Array.from({ length: 20_000 }, () => allocator.alloc(64))
    for (let bytes = 96; bytes <= 512; bytes += 32)
      blocks = blocks.map((block) => {
        const larger = allocator.alloc(bytes)
        expect(larger).not.toBe(0)
        allocator.free(block)
        return larger
      })
    const handedOut = mem.u32[CTL.heapTop >>> 2]!
    expect(handedOut).toBeLessThan(20_000 * 512 * 1.2 + 2 * 1024 * 1024)
    for (const block of blocks) allocator.free(block)
    expect(allocator.alloc(512 * 1024)).not.toBe(0)
    expect(mem.u32[CTL.heapTop >>> 2]).toBe(handedOut)
  })

  it('gives zeroed pages to tables, also used ones', () => {
    const { mem, allocator } = heap()
    const large = allocator.alloc(1024 * 1024)
    mem.u8.fill(7, large, large + 1024 * 1024)
    allocator.free(large)
    const page = allocator.page()
    expect(page).toBe(large)
    expect(mem.u8.subarray(page, page + PAGE_BYTES).every((byte) => byte === 0)).toBe(true)
  })

  it('keeps what is retired until no pin is older', () => {
    const { mem, allocator } = heap()
    const address = allocator.alloc(100)
    Atomics.store(mem.u32, (CTL.pins + 4) >>> 2, 1)
    allocator.retire(address)
    mem.u32[CTL.epoch >>> 2] = 5
    allocator.reclaim(() => {})
    expect(allocator.retired()).toEqual([RETIRED.block, address])
    Atomics.store(mem.u32, (CTL.pins + 4) >>> 2, 0)
    allocator.reclaim(() => {})
    expect(allocator.retired()).toEqual([])
    expect(allocator.alloc(100)).toBe(address)
  })

  it('says so when it is full, and takes larger blocks first', () => {
    const { allocator } = heap()
    const first = allocator.alloc(224)
    while (allocator.alloc(1024) !== 0);
    expect(allocator.alloc(16)).toBe(0)
    allocator.free(first)
    expect(allocator.alloc(208)).toBe(first)
  })
})
