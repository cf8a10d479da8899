// One truncation of the head, in steps of a few ms: drops old chunks, collects series without samples, shrinks postings, then replaces old
// WAL segments by a checkpoint. Each step leaves the head consistent; appends may come between steps.
import { join } from 'node:path'
import { CTL, SERIES, SERIES_FLAG, PAIR } from './layout.ts'
import type { Head } from './head.ts'
import { beginChange, endChange, waitForReaders } from './pins.ts'
import { listSegments } from '../wal/format.ts'
import { writeCheckpoint } from '../wal/checkpoint.ts'

const SERIES_PER_STEP = 256
const PAIRS_PER_STEP = 256
/** Postings looked at in one step. */
const POSTINGS_PER_STEP = 100_000

export interface TruncationOptions {
  readonly walDir: string
  readonly currentSegment: () => number
  readonly nextSegment: () => void
  readonly compression?: 'none' | 'snappy' | undefined
  /** Further references of series in the log. */
  readonly aliases: Map<number, number>
  /** References of collected series and the segment that was current then: older segments still name them. */
  readonly deletedRefs: Map<number, number>
  readonly log: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields?: Record<string, unknown>,
  ) => void
  /** False: only closed chunks go, series and log stay. */
  readonly whole: boolean
}

export class Truncation {
  readonly #head: Head
  readonly #timeMs: number
  readonly #options: TruncationOptions
  readonly #steps: Generator<void>
  /** 1 for slots whose series is collected. */
  #dead = new Uint8Array(0)
  /** The memory's part is done; what is left concerns the log. */
  #swept = false
  seriesRemoved = 0
  checkpointed = false

  constructor(head: Head, timeMs: number, options: TruncationOptions) {
    this.#head = head
    this.#timeMs = timeMs
    this.#options = options
    this.#steps = this.#run()
  }

  /** Works for about `budgetMs`; true while there is more to do. Not while an appender is open. */
  step(budgetMs: number): boolean {
    const end = performance.now() + budgetMs
    do {
      if (this.#steps.next().done) return false
    } while (performance.now() < end)
    return true
  }

  /** Gives up once the memory is in order; a checkpoint in the making is removed. */
  abort(): void {
    while (!this.#swept && !this.#steps.next().done);
    this.#steps.return(undefined)
  }

  *#run(): Generator<void> {
    yield* this.#sweepSeries()
    if (this.seriesRemoved > 0) {
      this.#dropAliases()
      yield* this.#sweepPairs()
    }
    this.#swept = true
    if (this.#options.whole) yield* this.#checkpoint()
  }

  *#sweepSeries(): Generator<void> {
    const { mem } = this.#head
    const { u32, f64 } = mem
    const end = u32[CTL.seriesSlots >>> 2]!
    this.#dead = new Uint8Array(end)
    let oldest = Infinity
    for (let from = 1; from < end; from += SERIES_PER_STEP) {
      waitForReaders(mem)
      beginChange(mem)
      for (let slot = from; slot < Math.min(end, from + SERIES_PER_STEP); slot++) {
        const series = mem.seriesAddress(slot)
        if ((u32[(series + SERIES.flags) >>> 2]! & SERIES_FLAG.live) === 0) continue
        if (!this.#options.whole) this.#head.dropClosedChunks(slot, this.#timeMs)
        else if (this.#head.dropChunks(slot, this.#timeMs)) {
          this.#options.deletedRefs.set(this.#head.walRef(slot), this.#options.currentSegment())
          this.#head.series.unlink(slot)
          this.#dead[slot] = 1
          this.seriesRemoved++
          continue
        }
        oldest = Math.min(oldest, this.#head.firstTime(slot))
      }
      endChange(mem)
      this.#head.reclaim()
      yield
    }
    beginChange(mem)
    if (this.seriesRemoved > 0) Atomics.add(u32, CTL.structVersion >>> 2, 1)
    // Appends between the steps are newer than what was seen.
    if (oldest > f64[CTL.minTime >>> 3]! && oldest < Infinity) this.#head.setMinTime(oldest)
    endChange(mem)
  }

  /** References of collected series: their slots will be others' soon. */
  #dropAliases(): void {
    const { aliases, deletedRefs, currentSegment } = this.#options
    for (const [ref, slot] of aliases) {
      if (this.#dead[slot] !== 1) continue
      aliases.delete(ref)
      deletedRefs.set(ref, currentSegment())
    }
  }

  *#sweepPairs(): Generator<void> {
    const { mem, pairs } = this.#head
    const { u32 } = mem
    const end = u32[CTL.pairSlots >>> 2]!
    for (let pair = 1; pair < end;) {
      waitForReaders(mem)
      beginChange(mem)
      let work = 0
      const stop = Math.min(end, pair + PAIRS_PER_STEP)
      for (; pair < stop && work < POSTINGS_PER_STEP; pair++) {
        const address = mem.pairAddress(pair) >>> 2
        // A free slot has no name.
        if (u32[address] === 0) continue
        work += u32[address + (PAIR.count >>> 2)]!
        if (pairs.compact(pair, this.#dead) === 0) pairs.drop(pair)
      }
      Atomics.add(u32, CTL.structVersion >>> 2, 1)
      endChange(mem)
      this.#head.reclaim()
      yield
    }
    beginChange(mem)
    for (let slot = 1; slot < this.#dead.length; slot++)
      if (this.#dead[slot] === 1) this.#head.series.release(slot)
    endChange(mem)
    this.#head.reclaim()
    yield
  }

  *#checkpoint(): Generator<void> {
    const { walDir, aliases, deletedRefs, log } = this.#options
    this.#options.nextSegment()
    const segments = listSegments(walDir)
    const first = segments[0] ?? 0
    const last = (segments.at(-1) ?? 0) - 1
    const to = first + Math.floor(((last - first) * 2) / 3)
    if (to <= first) return
    const live = this.#liveRefs(aliases)
    const keep = (ref: number) => live.has(ref) || (deletedRefs.get(ref) ?? -1) > to
    yield* writeCheckpoint({
      walDir,
      to,
      minTime: this.#timeMs,
      keep,
      compression: this.#options.compression,
    })
    for (const [ref, segment] of deletedRefs) if (segment <= to) deletedRefs.delete(ref)
    this.checkpointed = true
    log('info', 'WAL checkpoint complete', { dir: join(walDir), first, last: to })
  }

  #liveRefs(aliases: ReadonlyMap<number, number>): Set<number> {
    const { mem } = this.#head
    const live = new Set<number>()
    const end = mem.u32[CTL.seriesSlots >>> 2]!
    const isLive = (slot: number) =>
      (mem.u32[(mem.seriesAddress(slot) + SERIES.flags) >>> 2]! & SERIES_FLAG.live) !== 0
    for (let slot = 1; slot < end; slot++) if (isLive(slot)) live.add(this.#head.walRef(slot))
    for (const [ref, slot] of aliases) if (isLive(slot)) live.add(ref)
    return live
  }
}
