import { describe, expect, it } from 'vitest'
import { GUARD_BYTES, HEAP_BASE, MemoryBudgetError, createArena, loadKernels } from './index.ts'

describe('arena', () => {
  it('gives aligned addresses and reuses what is released', () => {
    const arena = createArena(1 << 20)
    const first = arena.alloc(3)
    expect(first).toBe(HEAP_BASE)
    const mark = arena.mark()
    expect(arena.alloc(100) % 16).toBe(0)
    expect(arena.usedBytes).toBe(16 + 112)
    arena.release(mark)
    expect(arena.alloc(8)).toBe(first + 16)
    expect(arena.peakBytes).toBe(128)
  })

  it('grows up to the budget with guard bytes behind it and not further', () => {
    const budget = 10 << 20
    const arena = createArena(budget)
    const address = arena.alloc(budget)
    arena.bytes()[address + budget - 1] = 1
    expect(arena.bytes().length).toBeGreaterThanOrEqual(address + budget + GUARD_BYTES)
    expect(() => arena.alloc(1)).toThrow(MemoryBudgetError)
    expect(arena.alloc(0)).toBe(address + budget)
  })

  it('throws the error class it was given', () => {
    class Refused extends Error {}
    const arena = createArena(100, { budgetError: Refused })
    expect(() => arena.alloc(1000)).toThrow(Refused)
    expect(() => arena.alloc(NaN)).toThrow(RangeError)
    expect(() => arena.release(0)).toThrow(RangeError)
  })

  it('reaches almost 4 GiB', () => {
    const arena = createArena(8 * 2 ** 30)
    const address = arena.alloc(3 * 2 ** 30)
    const text = arena.alloc(9)
    expect(text).toBe(address + 3 * 2 ** 30)
    arena.bytes().set(new TextEncoder().encode('123456789'), text)
    expect(arena.kernels.crc32c(0, text, 9)).toBe(0xe3069283)
  })

  it('survives further instances on the same memory', () => {
    const arena = createArena(1 << 16)
    const text = arena.alloc(9)
    arena.bytes().set(new TextEncoder().encode('123456789'), text)
    expect(loadKernels(arena.memory).crc32c(0, text, 9)).toBe(0xe3069283)
    expect(arena.kernels.crc32c(0, text, 9)).toBe(0xe3069283)
  })
})
