// What happens to data that leaves the head: it is cut into blocks, blocks are merged into larger ones, and the oldest go. One run at a
// time; each waits for the one before.
import { join } from 'node:path'
import { HINT_OUT_OF_ORDER, readMeta, writeMeta, type BlockMeta } from '../block/meta.ts'
import { newUlid } from '../block/ulid.ts'
import type { BlockStats, DbHandle, DbOptions } from '../contract.ts'
import type { BlockSet } from './block-set.ts'
import { Maintenance } from './maintenance.ts'
import { blockRanges, planCompaction, rangeEnd } from './plan.ts'
import { pastSize, pastTime, sizeLimit, type RetentionLimits } from './retention.ts'

/** Length of a block that is cut from the head. */
export const BLOCK_RANGE_MS: number = 2 * 3_600_000
/** Longest block where the retention does not say less. */
const BLOCK_RANGE_MS_MAX = 31 * 86_400_000
/** The head is cut when it spans so many blocks: the newest half block still takes samples. */
const HEAD_SPAN = 1.5

/** What compaction needs of the database. */
export interface CompactionHost {
  readonly handle: DbHandle
  readonly log: NonNullable<DbOptions['log']>
  readonly now: () => number
  /** Bounds of the head's samples, NaN when it is empty. */
  bounds(): { readonly minTime: number; readonly maxTime: number }
  /** From when it resolves on the head takes no sample before `timeMs` and loses none. */
  closeRange(timeMs: number): Promise<void>
  /** Drops the head's samples before `timeMs` and what the log has of them. */
  dropRange(timeMs: number): Promise<void>
  /** Puts the out-of-order samples aside, unless some are still; tells their bounds, undefined when there are none. */
  sealLate(): Promise<{ readonly minTime: number; readonly maxTime: number } | undefined>
  /** Drops what was put aside, and its log. */
  dropLate(): Promise<void>
  /** Bytes on disk that are not of blocks. */
  logBytes(): number
  threadEnded(threadId: number): void
}

export class Compaction {
  readonly #host: CompactionHost
  readonly #set: BlockSet
  readonly #options: DbOptions
  readonly #maintenance: Maintenance
  readonly #range: number
  readonly #ranges: readonly number[]
  readonly #limits: RetentionLimits
  #running: Promise<void> | undefined
  #stopped = false
  #counts = {
    headCuts: 0,
    headCutFailures: 0,
    compactions: 0,
    compactionsFailed: 0,
    compactionsTriggered: 0,
    verticalCompactions: 0,
    reloads: 0,
    reloadFailures: 0,
    timeRetentions: 0,
    sizeRetentions: 0,
    lastCompactionMs: 0,
  }

  constructor(host: CompactionHost, set: BlockSet, options: DbOptions) {
    this.#host = host
    this.#set = set
    this.#options = options
    this.#maintenance = new Maintenance(options.maintenance === 'inline', (id) => host.threadEnded(id))
    this.#range = options.blockRangeMs ?? BLOCK_RANGE_MS
    const timeMs = options.retentionMs ?? 0
    const longest = timeMs > 0 ? Math.min(BLOCK_RANGE_MS_MAX, timeMs / 10) : BLOCK_RANGE_MS_MAX
    this.#ranges = blockRanges(this.#range, options.blockRangeMsMax ?? longest)
    this.#limits = {
      timeMs,
      bytes: options.retentionBytes ?? 0,
      percentage: options.retentionPercentage ?? 0,
    }
  }

  stats(): BlockStats {
    return {
      ...this.#counts,
      loaded: this.#set.metas.length,
      bytes: this.#set.bytes,
      minTime: this.#set.metas[0]?.minTime ?? NaN,
      retentionBytes: this.#limits.bytes,
      retentionPercentage: this.#limits.percentage,
    }
  }

  /** True while a range is being cut from the head: its samples must stay. */
  get isCutting(): boolean {
    return this.#cutting
  }
  #cutting = false

  /** One round of everything that is due; joins the round that runs. Rejects when a part fails. */
  run(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Ends what runs; what was not finished is removed at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#maintenance.stop()
    await this.#running?.catch(() => undefined)
  }

  async #round(): Promise<void> {
    this.#reload()
    if (await this.#cutHead()) await this.#cutLate()
    await this.#mergeBlocks()
    this.#retire()
  }

  /** True when something was cut. */
  async #cutHead(): Promise<boolean> {
    for (let cuts = 0; ; cuts++) {
      const { minTime: oldest, maxTime } = this.#host.bounds()
      // What a crash kept from being dropped is in a block already.
      const minTime = Math.max(oldest, this.#set.headFrom)
      if (this.#stopped || !(maxTime - minTime > this.#range * HEAD_SPAN)) return cuts > 0
      const end = rangeEnd(minTime, this.#range)
      this.#counts.compactionsTriggered++
      this.#cutting = true
      try {
        await this.#host.closeRange(end)
        const ulid = newUlid(this.#host.now())
        const meta = await this.#timed('write block', () =>
          this.#maintenance.run({
            kind: 'head',
            handle: this.#host.handle,
            ulid,
            range: { minTime, maxTime: end },
            segmentBytes: this.#options.blockSegmentBytes,
          }),
        )
        if (this.#stopped) return false
        if (meta) this.#load(meta, end)
        await this.#host.dropRange(end)
        this.#counts.headCuts++
      } catch (error) {
        if (!this.#stopped) this.#counts.headCutFailures++
        throw error
      } finally {
        this.#cutting = false
      }
    }
  }

  /** Makes blocks of the out-of-order samples; they overlap those of the head and are merged with them. */
  async #cutLate(): Promise<void> {
    const bounds = await this.#host.sealLate()
    if (bounds === undefined) return
    this.#counts.compactionsTriggered++
    for (let end = rangeEnd(bounds.minTime, this.#range); ; end += this.#range) {
      const meta = await this.#timed('write block of out-of-order samples', () =>
        this.#maintenance.run({
          kind: 'late',
          handle: this.#host.handle,
          ulid: newUlid(this.#host.now()),
          range: { minTime: end - this.#range, maxTime: end },
          segmentBytes: this.#options.blockSegmentBytes,
        }),
      )
      if (this.#stopped) return
      if (meta) this.#load(meta)
      if (end > bounds.maxTime) break
    }
    await this.#host.dropLate()
  }

  async #mergeBlocks(): Promise<void> {
    while (!this.#stopped) {
      // Out-of-order samples of what is still in the head wait for it: merged, their block would seem to be all of that range.
      const { headFrom } = this.#set
      const ready = this.#set.metas.filter(
        ({ maxTime, compaction }) => maxTime <= headFrom || !compaction.hints.includes(HINT_OUT_OF_ORDER),
      )
      const chosen = planCompaction(ready, this.#ranges)
      if (chosen.length === 0) return
      this.#counts.compactionsTriggered++
      const ulids = chosen.map(({ ulid }) => ulid)
      const { dir } = this.#host.handle
      let meta: BlockMeta | undefined
      try {
        meta = await this.#timed('compact blocks', () =>
          this.#maintenance.run({
            kind: 'compact',
            dir,
            ulids,
            ulid: newUlid(this.#host.now()),
            segmentBytes: this.#options.blockSegmentBytes,
          }),
        )
      } catch (error) {
        if (!this.#stopped) this.#markFailed(chosen)
        throw error
      }
      if (this.#stopped) return
      if (chosen.some((block, i) => i > 0 && block.minTime < chosen[i - 1]!.maxTime))
        this.#counts.verticalCompactions++
      // A new block names its parents, which go with the reload; without one nothing was left of them.
      if (meta) this.#load(meta)
      else this.#set.remove(ulids)
    }
  }

  /** Deletes what is past the retention. */
  #retire(): void {
    const old = pastTime(this.#set.metas, this.#limits.timeMs)
    if (old.length > 0) this.#counts.timeRetentions++
    this.#set.remove(old.map(({ ulid }) => ulid))
    const large = pastSize(
      this.#set.metas,
      (meta) => this.#set.bytesOf(meta),
      this.#host.logBytes(),
      sizeLimit(this.#limits, this.#host.handle.dir),
    )
    if (large.length > 0) this.#counts.sizeRetentions++
    this.#set.remove(large.map(({ ulid }) => ulid))
  }

  /** A damaged block that somebody put there is reported, and everything else goes on. */
  #reload(newBlock?: string, cutBefore?: number): void {
    this.#counts.reloads++
    const errors = this.#set.reload(newBlock, cutBefore)
    if (errors.length > 0) this.#counts.reloadFailures++
    for (const { message } of errors) this.#host.log('error', 'reloading blocks failed', { err: message })
  }

  /** Takes a new block into use; throws when it is not as it was written. */
  #load({ ulid }: BlockMeta, cutBefore?: number): void {
    this.#reload(ulid, cutBefore)
    if (!this.#set.has(ulid)) throw new Error(`block ${ulid} cannot be loaded`)
  }

  async #timed(what: string, run: () => Promise<BlockMeta | undefined>): Promise<BlockMeta | undefined> {
    const started = performance.now()
    try {
      const meta = await run()
      this.#counts.compactions++
      this.#counts.lastCompactionMs = performance.now() - started
      this.#host.log('info', what, {
        ulid: meta?.ulid ?? 'none',
        mint: meta?.minTime,
        maxt: meta?.maxTime,
        durationMs: Math.round(this.#counts.lastCompactionMs),
      })
      return meta
    } catch (error) {
      if (!this.#stopped) this.#counts.compactionsFailed++
      throw error
    }
  }

  /** So that the next rounds go on with other blocks. */
  #markFailed(blocks: readonly BlockMeta[]): void {
    for (const { ulid } of blocks) {
      const dir = join(this.#host.handle.dir, ulid)
      try {
        const meta = readMeta(dir)
        writeMeta(dir, { ...meta, compaction: { ...meta.compaction, failed: true } })
      } catch (error) {
        this.#host.log('error', 'cannot mark a block whose compaction failed', {
          block: ulid,
          err: error instanceof Error ? error.message : String(error),
        })
      }
    }
    this.#reload()
  }
}
