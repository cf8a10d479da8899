// Opens a data directory: lock, head, replay, a new WAL segment; then hands out the appender and readers.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { matchesAll, type BatchAppender, type Matcher } from '@watchfire/datamodel'
import type { Db, DbHandle, DbOptions, DbReader, DbStats, SeriesExemplars } from './contract.ts'
import { DirLock } from './db-lock.ts'
import { HeadAppender, appendCounters, type AppendCounters, type CommitLog } from './head/appender.ts'
import { ExemplarStore } from './head/exemplar-store.ts'
import { Head } from './head/head.ts'
import { MemoryGovernor, memoryBytesDefault } from './head/memory-governor.ts'
import { HEAD_BYTES_MAX } from './head/head-memory.ts'
import { CTL } from './head/layout.ts'
import { beginChange, endChange, waitForReaders } from './head/pins.ts'
import { logPosition, samePosition } from './image/log-position.ts'
import { readImage, removeImage, writeImage } from './image/memory-image.ts'
import { blockBytes } from './block/block-writer.ts'
import { BlockSet } from './compact/block-set.ts'
import { Compaction } from './compact/compaction.ts'
import { openReader, releaseReaders } from './query/db-reader.ts'
import { Truncation } from './head/truncation.ts'
import { makeFolder } from './make-folder.ts'
import { RecordEncoder } from './wal/record-encoder.ts'
import { removeTemporaryCheckpoints } from './wal/checkpoint.ts'
import { listSegments, segmentName } from './wal/format.ts'
import { replayWal, type ReplayResult } from './wal/replay.ts'
import { SegmentWriter } from './wal/segment-writer.ts'

/** Longest that maintenance holds the thread at a time. */
const STEP_MS = 5

/** Opens (or creates) the database of a directory and replays its log. Throws when the directory is in use or unreadable. */
export function openDb(options: DbOptions): Promise<Db> {
  return new Promise((resolve) => resolve(openDbSync(options)))
}

/** As `openDb`, synchronously. */
export function openDbSync(options: DbOptions): Db {
  makeFolder(join(options.dir, 'wal'))
  const lock = DirLock.acquire(options.dir)
  try {
    return new HeadDb(options, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Share of the head's time that a full memory gives up at first, and how often (in time of samples). */
const RELIEF_SHARE = 1 / 8
const RELIEF_EVERY_MS = 60_000
/** Refused series are told about in the log at most so often. */
const TELL_EVERY_MS = 60_000

class HeadDb implements Db {
  readonly handle: DbHandle
  readonly #options: DbOptions
  readonly #lock: DirLock
  readonly #head: Head
  readonly #governor: MemoryGovernor
  readonly #log: CommitLog
  readonly #counters: AppendCounters = appendCounters()
  readonly #exemplars: ExemplarStore | undefined
  readonly #appender: HeadAppender
  readonly #replay: ReplayResult
  readonly #replayMs: number
  readonly #write: NonNullable<DbOptions['log']>
  readonly startedFromImage: boolean
  /** Older segments of the WBL hold only what is sealed; 0 when nothing is. */
  #sealedSegment = 0
  #appending = false
  #truncation: Truncation | undefined
  #deletedRefs = new Map<number, number>()
  #truncations = 0
  #seriesRemoved = 0
  #relieved = -Infinity
  #refusedBefore = 0
  #refusalsTold = -Infinity
  #reliefShare = RELIEF_SHARE
  #droppedBefore = 0
  /** Nothing older is taken: what was truncated must not be overtaken in the log. */
  #minValid = -Infinity
  #syncTimer: NodeJS.Timeout | undefined
  #closed = false
  readonly #compaction: Compaction
  /** Called when no appender is open. */
  #whenIdle: (() => void)[] = []

  constructor(options: DbOptions, lock: DirLock) {
    this.#options = options
    this.#lock = lock
    this.#write = options.log ?? (() => {})
    const started = performance.now()
    const memoryBytesMax = options.memoryBytesMax ?? memoryBytesDefault()
    this.#governor = new MemoryGovernor(memoryBytesMax, options.memoryBytesUsed)
    this.#head = new Head({
      memoryBytesMax: options.headMemoryBytesMax ?? Math.min(HEAD_BYTES_MAX, memoryBytesMax),
      seriesMax: options.seriesMax ?? 0,
      warn: (message) => this.#write('warn', message),
    })
    const blocks = new BlockSet(options.dir, this.#write)
    const walDir = join(options.dir, 'wal')
    const wblDir = join(options.dir, 'wbl')
    removeTemporaryCheckpoints(walDir)
    const image = this.#restore(walDir)
    this.startedFromImage = image !== undefined
    const replay =
      image ??
      replayWal(walDir, this.#head, {
        log: this.#write,
        compression: options.walCompression,
        wblDir,
        minTime: blocks.headFrom,
        onSegment: options.onReplay,
      })
    this.#minValid = Math.max(this.#minValid, blocks.headFrom)
    this.#head.governor = this.#governor
    this.#replay = replay
    this.#replayMs = performance.now() - started
    if (replay.corruptions > 0 || replay.unknownSamples > 0 || replay.droppedSamples > 0)
      this.#write('warn', 'WAL replay lost data', {
        corruptions: replay.corruptions,
        samplesWithoutSeries: replay.unknownSamples,
        samplesWithoutMemory: replay.droppedSamples,
      })
    const writer = new SegmentWriter(walDir, replay.lastSegment + 1, {
      compression: options.walCompression,
      segmentBytes: options.walSegmentBytes,
      beforeFirstWrite: () => removeImage(options.dir),
    })
    const lateWindowMs = options.outOfOrderWindowMs ?? 0
    const late = lateWindowMs > 0 ? this.#openWbl(wblDir, replay.lastWblSegment + 1) : undefined
    this.#log = { writer, encoder: new RecordEncoder(writer), late, lateWindowMs }
    const exemplarsMax = options.exemplarsMax ?? 0
    this.#exemplars = exemplarsMax > 0 ? new ExemplarStore(exemplarsMax) : undefined
    this.#appender = new HeadAppender(
      this.#head,
      this.#log,
      this.#counters,
      () => this.#committed(),
      this.#exemplars,
    )
    this.handle = {
      kind: 'watchfire-db-handle',
      shards: [this.#head.mem.memory],
      dir: options.dir,
      blocks: blocks.list,
    }
    this.#compaction = new Compaction(
      {
        handle: this.handle,
        log: this.#write,
        now: options.now ?? Date.now,
        bounds: () => ({ minTime: this.#head.minTime, maxTime: this.#head.maxTime }),
        closeRange: (timeMs) => this.#closeRange(timeMs),
        dropRange: (timeMs) => this.#dropRange(timeMs),
        sealLate: () => this.#sealLate(),
        dropLate: () => this.#dropLate(),
        logBytes: () => blockBytes(walDir) + (existsSync(wblDir) ? blockBytes(wblDir) : 0),
        threadEnded: (threadId) => releaseReaders(this.handle, threadId),
      },
      blocks,
      options,
    )
    const interval = options.walFsyncIntervalMs ?? 0
    if (interval > 0) {
      this.#syncTimer = setInterval(() => {
        for (const log of [writer, late?.writer])
          log?.syncSoon((error) => this.#write('error', 'cannot sync the WAL', { error: error.message }))
      }, interval)
      this.#syncTimer.unref()
    }
  }

  appender(): BatchAppender {
    if (this.#closed) throw new Error('BUG: the database is closed')
    if (this.#appending) throw new Error('BUG: an appender is open already')
    this.#appending = true
    return this.#appender.begin(this.#minValid)
  }

  stats(): DbStats {
    const { u32 } = this.#head.mem
    const counters = this.#counters
    return {
      seriesCount: u32[CTL.seriesCount >>> 2]!,
      chunkCount: u32[CTL.chunkCount >>> 2]!,
      minTime: this.#head.minTime,
      maxTime: this.#head.maxTime,
      samplesAppended: { float: counters.floats, histogram: counters.histograms },
      outOfOrderSamples: counters.outOfOrder,
      duplicateSamples: counters.duplicate,
      outOfBoundSamples: counters.outOfBounds,
      tooOldSamples: counters.tooOld,
      outOfOrderSamplesAppended: counters.lateFloats,
      refusedSeries: counters.refusedSeries,
      droppedSamples: counters.droppedSamples,
      seriesCreated: counters.seriesCreated,
      seriesRemoved: this.#seriesRemoved,
      headBytesUsed: this.#head.allocator.bytesInUse,
      headBytesMax: u32[CTL.heapLimit >>> 2]!,
      memoryBytesMax: this.#governor.bytesMax,
      symbolBytes: u32[CTL.symbolBytes >>> 2]!,
      walSegment: this.#log.writer.segment,
      walBytes: this.#log.writer.bytesWritten,
      walCorruptions: this.#replay.corruptions,
      walTruncations: this.#truncations,
      replayMs: this.#replayMs,
      startedFromImage: this.startedFromImage,
      labelPairCount: u32[CTL.pairCount >>> 2]!,
      blocks: this.#compaction.stats(),
    }
  }

  truncate(timeMs: number): void {
    if (this.#closed) throw new Error('BUG: the database is closed')
    if (this.#truncation) return
    this.#startTruncation(timeMs, true)
  }

  maintain(budgetMs: number): boolean {
    const truncation = this.#truncation
    if (!truncation || this.#appending) return truncation !== undefined
    try {
      if (truncation.step(budgetMs)) return true
      this.#seriesRemoved += truncation.seriesRemoved
      if (truncation.checkpointed) this.#truncations++
    } catch (error) {
      this.#write('error', 'truncation failed', {
        error: error instanceof Error ? error.message : String(error),
      })
    }
    this.#truncation = undefined
    return false
  }

  compact(): Promise<void> {
    if (this.#closed) throw new Error('BUG: the database is closed')
    return this.#compaction.run()
  }

  exemplars(matcherSets: readonly (readonly Matcher[])[], start: number, end: number): SeriesExemplars[] {
    if (this.#exemplars === undefined) return []
    const reader = this.reader()
    try {
      const found: SeriesExemplars[] = []
      for (const [ref, exemplars] of this.#exemplars.between(start, end)) {
        const labels = reader.seriesLabels(ref)
        if (labels && matcherSets.some((matchers) => matchesAll(matchers, labels)))
          found.push({ labels, exemplars })
      }
      return found.sort((a, b) => a.labels.compare(b.labels))
    } finally {
      reader.close()
    }
  }

  reader(): DbReader {
    return openReader(this.handle)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    if (this.#appending) this.#appender.rollback()
    this.#closed = true
    clearInterval(this.#syncTimer)
    for (const done of this.#whenIdle.splice(0)) done()
    await this.#compaction.stop()
    return new Promise((resolve) => {
      try {
        this.#truncation?.abort()
        this.#log.late?.writer.close()
        this.#log.writer.close()
        this.#saveImage()
      } finally {
        this.#truncation = undefined
        this.#lock.release()
      }
      resolve()
    })
  }

  #openWbl(dir: string, segment: number): NonNullable<CommitLog['late']> {
    makeFolder(dir)
    const writer = new SegmentWriter(dir, segment, {
      compression: this.#options.walCompression,
      segmentBytes: this.#options.walSegmentBytes,
      beforeFirstWrite: () => removeImage(this.#options.dir),
    })
    return { writer, encoder: new RecordEncoder(writer) }
  }

  /** The head from the image of a clean stop, if nothing was logged since. */
  #restore(walDir: string): ReplayResult | undefined {
    const { dir, memoryImage } = this.#options
    if (memoryImage === false) return undefined
    const outcome = readImage(dir, this.#head, ({ wal, wbl }) =>
      samePosition(wal, logPosition(walDir)) && samePosition(wbl, logPosition(join(dir, 'wbl')))
        ? undefined
        : 'the log is at another place',
    )
    if (outcome === undefined) return undefined
    if ('refused' in outcome) {
      this.#write('warn', 'memory image is not used, the WAL is replayed', { reason: outcome.refused })
      return undefined
    }
    const { state } = outcome
    this.#head.allocator.adoptRetired(state.retired)
    this.#deletedRefs = new Map(state.deletedRefs)
    this.#minValid = state.minValidTime ?? -Infinity
    return {
      lastSegment: Math.max(state.wal.checkpoint, ...listSegments(walDir).slice(-1)),
      lastWblSegment: existsSync(join(dir, 'wbl')) ? (listSegments(join(dir, 'wbl')).at(-1) ?? -1) : -1,
      floats: 0,
      histograms: 0,
      corruptions: 0,
      unknownSamples: 0,
      unknownRecords: 0,
      droppedSamples: 0,
      aliases: new Map(state.aliases),
    }
  }

  /** Without an image the next start takes longer, nothing else. */
  #saveImage(): void {
    const { dir, memoryImage } = this.#options
    // What the memory had no room for is in the log only.
    if (memoryImage === false || this.#counters.droppedSamples > 0 || this.#replay.droppedSamples > 0) return
    // Which segments of the WBL may go is not known to the next process then.
    if (this.#head.outOfOrder.isSealed) return
    const started = performance.now()
    try {
      this.#head.histograms.releaseScratch()
      this.#head.outOfOrder.releaseScratch()
      const bytes = writeImage(dir, this.#head, {
        wal: logPosition(join(dir, 'wal')),
        wbl: logPosition(join(dir, 'wbl')),
        minValidTime: Number.isFinite(this.#minValid) ? this.#minValid : null,
        aliases: [...this.#replay.aliases],
        deletedRefs: [...this.#deletedRefs],
        retired: this.#head.allocator.retired(),
      })
      this.#write('info', 'memory image written', { bytes, ms: Math.round(performance.now() - started) })
    } catch (error) {
      this.#write('warn', 'cannot write the memory image, the next start replays the WAL', {
        error: error instanceof Error ? error.message : String(error),
      })
    }
  }

  /** Nothing before `timeMs` is taken any more; resolves when the last commit that began before is over, and no relief is at work. */
  async #closeRange(timeMs: number): Promise<void> {
    this.#minValid = Math.max(this.#minValid, timeMs)
    if (this.#appending) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    await this.#truncated()
  }

  async #sealLate(): Promise<{ minTime: number; maxTime: number } | undefined> {
    const { mem, outOfOrder } = this.#head
    if (this.#appending) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
    const [minTime, maxTime] = [mem.f64[CTL.lateMinTime >>> 3]!, mem.f64[CTL.lateMaxTime >>> 3]!]
    if (this.#closed || Number.isNaN(minTime)) return undefined
    if (!outOfOrder.isSealed) {
      const writer = this.#log.late?.writer
      writer?.nextSegment()
      this.#sealedSegment = writer?.segment ?? Infinity
      beginChange(mem)
      outOfOrder.seal()
      endChange(mem)
    }
    return { minTime, maxTime }
  }

  async #dropLate(): Promise<void> {
    const { mem, outOfOrder } = this.#head
    for (let done = false; !done && !this.#closed;) {
      waitForReaders(mem)
      beginChange(mem)
      done = outOfOrder.dropSealed()
      endChange(mem)
      this.#head.reclaim()
      await new Promise((resolve) => setImmediate(resolve))
    }
    const wblDir = join(this.#options.dir, 'wbl')
    if (this.#closed || !existsSync(wblDir)) return
    for (const segment of listSegments(wblDir))
      if (segment < this.#sealedSegment) rmSync(join(wblDir, segmentName(segment)))
  }

  async #dropRange(timeMs: number): Promise<void> {
    await this.#truncated()
    if (this.#closed) return
    this.#startTruncation(timeMs, true)
    await this.#truncated()
    // A chunk that reaches over the edge stays whole; what it has from before is in the block.
    if (!this.#closed && this.#head.minTime < timeMs) {
      beginChange(this.#head.mem)
      this.#head.setMinTime(Math.min(timeMs, this.#head.maxTime))
      endChange(this.#head.mem)
    }
  }

  /** Goes on with a truncation that runs until it is over; other work comes between the steps. */
  async #truncated(): Promise<void> {
    while (!this.#closed && this.maintain(STEP_MS))
      await new Promise((resolve) => {
        if (this.#appending) setTimeout(resolve, STEP_MS)
        else setImmediate(resolve)
      })
  }

  #committed(): void {
    this.#appending = false
    for (const done of this.#whenIdle.splice(0)) done()
    this.#tellRefusals()
    const dropped = this.#counters.droppedSamples
    if (dropped === this.#droppedBefore && !this.#head.isNearlyFull) {
      this.#reliefShare = RELIEF_SHARE
      return
    }
    // What is being written to a block must stay.
    if (this.#truncation || this.#compaction.isCutting) return
    this.#droppedBefore = dropped
    // The oldest closed chunks go, an eighth of the time at first, so that samples of known series can go on.
    const { minTime, maxTime } = this.#head
    if (!(maxTime > minTime) || maxTime - this.#relieved < RELIEF_EVERY_MS) return
    this.#relieved = maxTime
    const horizon = minTime + (maxTime - minTime) * this.#reliefShare
    this.#reliefShare = Math.min(1, this.#reliefShare * 2)
    this.#write('warn', 'head memory is nearly full, the oldest chunks are dropped', { before: horizon })
    this.#startTruncation(horizon, false)
  }

  #tellRefusals(): void {
    const refused = this.#counters.refusedSeries - this.#refusedBefore
    const now = performance.now()
    if (refused === 0 || now - this.#refusalsTold < TELL_EVERY_MS) return
    this.#refusedBefore = this.#counters.refusedSeries
    this.#refusalsTold = now
    this.#write('warn', 'new series are refused', {
      refused,
      series: this.#head.mem.u32[CTL.seriesCount >>> 2]!,
      reason: this.#governor.isNear ? 'the process is near its memory limit' : 'the head is full',
      memoryBytesMax: this.#governor.bytesMax,
    })
  }

  #startTruncation(timeMs: number, whole: boolean): void {
    if (whole) this.#minValid = Math.max(this.#minValid, timeMs)
    this.#truncation = new Truncation(this.#head, timeMs, {
      walDir: join(this.#options.dir, 'wal'),
      currentSegment: () => this.#log.writer.segment,
      nextSegment: () => this.#log.writer.nextSegment(),
      compression: this.#options.walCompression,
      aliases: this.#replay.aliases,
      deletedRefs: this.#deletedRefs,
      log: this.#write,
      whole,
    })
    const run = () => {
      if (this.#closed || !this.maintain(STEP_MS)) return
      if (this.#appending) setTimeout(run, STEP_MS).unref()
      else setImmediate(run).unref()
    }
    setImmediate(run).unref()
  }
}
