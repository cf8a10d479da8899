// Scrapes one target at its interval: fetch, append, staleness, report. Whatever the target does ends as one failed scrape.
import { staleMarker } from '@watchfire/datamodel'
import type { TargetHealth } from '../ingest/contract.ts'
import { appendStale, type AppendPolicy, type ScrapeCounts } from './append-body.ts'
import { BodyAppender } from './body-appender.ts'
import { ScrapeCache } from './cache.ts'
import { ScrapeError, messageOf } from './errors.ts'
import { ScrapeClient, type ScrapeBody } from './http-client.ts'
import { Summary } from './metrics.ts'
import { ReportSeries } from './report.ts'
import { acceptOf, appendPolicy, parserOptions, type JobSettings, type LoopContext } from './settings.ts'
import type { Target } from './target.ts'

/** Scrapes this close to their place in the grid take its time, so that times compress well. */
const ALIGN_TOLERANCE_MS = 2
/** Markers of a removed target are written after this many intervals, if nobody else writes its series. */
const STALE_AFTER_INTERVALS = 2.1
/** Longest delay of a timer. */
const TIMER_MAX_MS = 2 ** 31 - 1

export interface LoopState {
  readonly health: TargetHealth
  readonly lastError: string
  /** 0 = never. */
  readonly lastScrapeMs: number
  readonly lastDurationSeconds: number
}

export class ScrapeLoop {
  readonly target: Target
  readonly cache: ScrapeCache
  /** Labels before relabelling, as discovery gave them last. */
  discovered: Readonly<Record<string, string>>
  readonly #job: JobSettings
  readonly #context: LoopContext
  readonly #policy: AppendPolicy
  readonly #client: ScrapeClient
  readonly #bodies: BodyAppender
  readonly #report: ReportSeries
  readonly #phaseMs: number
  #timer: { cancel(): void } | undefined
  #stopped = false
  #started = { wall: 0, monotonic: 0 }
  #tickCount = 0
  #lastTickMonotonic: number | undefined
  #forcedError: string | undefined
  #state: LoopState = { health: 'unknown', lastError: '', lastScrapeMs: 0, lastDurationSeconds: 0 }

  /** `seed` differs between servers of a high-availability pair, so that they do not scrape at the same time. */
  constructor(
    target: Target,
    job: JobSettings,
    context: LoopContext,
    seed: bigint,
    cache = new ScrapeCache(),
  ) {
    const { options, clock } = context
    this.target = target
    this.discovered = target.discovered
    this.cache = cache
    this.#job = job
    this.#context = context
    this.#policy = appendPolicy(job, target.labels, options)
    this.#bodies = new BodyAppender({
      parser: parserOptions(job, target, options),
      scanner: context.scanner,
      log: context.log,
    })
    this.#report = new ReportSeries(target.labels, job.extraMetrics)
    this.#phaseMs = Number((target.hash ^ seed) % BigInt(target.intervalMs))
    this.#client = new ScrapeClient({
      url: target.url,
      unixSocket: target.unixSocket,
      timeoutMs: target.timeoutMs,
      accept: acceptOf(job),
      compression: job.config.enableCompression,
      bodySizeMax: job.bodySizeMax,
      http: job.config.http,
      userAgent: options.userAgent,
      clock,
    })
  }

  get state(): LoopState {
    return this.#state
  }

  /** Begins at the target's place within the interval. */
  start(): void {
    const { clock } = this.#context
    const { intervalMs } = this.target
    const now = clock.now()
    const wait = (((this.#phaseMs - now) % intervalMs) + intervalMs) % intervalMs
    this.#started = { wall: now + wait, monotonic: clock.monotonic() + wait }
    this.plan(0)
  }

  /** Every scrape fails with this, undefined = scrape normally. */
  setForcedError(message: string | undefined): void {
    this.#forcedError = message
  }

  /** Stops for good. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#timer?.cancel()
    this.#client.close()
  }

  /** Stops and ends the series some intervals later, unless that is taken back; `done` is called when it is over. */
  stopWithMarkers(done: () => void): void {
    this.stop()
    const { clock } = this.#context
    const { intervalMs } = this.target
    if (this.#lastTickMonotonic === undefined) {
      done()
      return
    }
    const sinceTick = clock.monotonic() - this.#lastTickMonotonic
    const staleTimeMs = clock.now() + Math.max(0, intervalMs - sinceTick)
    this.#timer = clock.setTimeout(
      () => {
        done()
        this.end(staleTimeMs)
      },
      Math.max(0, intervalMs * STALE_AFTER_INTERVALS - sinceTick),
    )
  }

  /** Takes back planned markers: the server ends, or the target is back. */
  cancelMarkers(): void {
    this.#timer?.cancel()
  }

  private plan(tick: number): void {
    const { clock } = this.#context
    this.#tickCount = tick
    const due = this.#started.monotonic + tick * this.target.intervalMs
    const delay = Math.min(TIMER_MAX_MS, Math.max(0, due - clock.monotonic()))
    this.#timer = clock.setTimeout(() => {
      this.tick().catch((error: unknown) => {
        this.#context.log('error', 'Scrape failed unexpectedly', {
          target: this.target.url,
          err: messageOf(error),
        })
      })
    }, delay)
  }

  private async tick(): Promise<void> {
    const { clock, intervalLengths } = this.#context
    const { intervalMs } = this.target
    const monotonic = clock.monotonic()
    if (this.#lastTickMonotonic !== undefined) {
      const key = this.target.intervalText
      const lengths = intervalLengths.get(key) ?? new Summary()
      intervalLengths.set(key, lengths)
      lengths.observe((monotonic - this.#lastTickMonotonic) / 1000)
    }
    this.#lastTickMonotonic = monotonic
    const now = clock.now()
    const aligned = this.#started.wall + this.#tickCount * intervalMs
    const tolerance = Math.min(ALIGN_TOLERANCE_MS, intervalMs / 100)
    try {
      await this.scrape(Math.abs(now - aligned) <= tolerance ? aligned : now)
    } finally {
      // Late scrapes skip ticks, they never come in bursts.
      const passed = Math.floor((clock.monotonic() - this.#started.monotonic) / intervalMs)
      if (!this.#stopped) this.plan(Math.max(this.#tickCount, passed) + 1)
    }
  }

  /** One scrape with the given time for its samples. Rejects only for faults of our own. */
  async scrape(timeMs: number): Promise<void> {
    const { clock, counters } = this.#context
    const begin = clock.monotonic()
    let body: ScrapeBody | undefined
    let failure: ScrapeError | undefined
    try {
      if (this.#forcedError !== undefined) throw new ScrapeError(this.#forcedError)
      body = await this.#client.fetch()
    } catch (error) {
      failure = asScrapeError(error)
    }
    if (this.#stopped) {
      body?.release()
      return
    }
    counters.scrapes++
    const counts: ScrapeCounts = { scraped: 0, added: 0, seriesAdded: 0 }
    let appender = this.#context.appender()
    let open = true
    let unchanged = false
    try {
      if (body !== undefined && body.bytes.length > 0) {
        try {
          unchanged = this.append(appender, body, timeMs, counts)
        } catch (error) {
          appender.rollback()
          this.cache.forgetCurrent()
          failure = this.failed(error)
          appender = this.#context.appender()
        }
      }
      const good = failure === undefined && body !== undefined && body.bytes.length > 0
      if (!good) this.#bodies.forget()
      if (unchanged) this.cache.finishUnchanged()
      else {
        appendStale(appender, this.cache.vanished(), timeMs, staleMarker())
        if (this.cache.finish(good)) counters.cacheFlushForced++
      }
      this.count(failure)
      const durationSeconds = (clock.monotonic() - begin) / 1000
      this.#report.append(appender, timeMs, {
        up: failure === undefined,
        durationSeconds,
        ...counts,
        timeoutSeconds: this.target.timeoutMs / 1000,
        sampleLimit: this.#job.config.sampleLimit,
        bodyBytes: failure?.limit === 'body' ? -1 : (body?.bytes.length ?? 0),
      })
      this.#state = {
        health: failure === undefined ? 'up' : 'down',
        lastError: failure?.message ?? '',
        lastScrapeMs: timeMs,
        lastDurationSeconds: durationSeconds,
      }
      open = false
      appender.commit()
      counters.samples += counts.added
    } catch (error) {
      this.#bodies.forget()
      if (open) appender.rollback()
      throw error
    } finally {
      body?.release()
    }
  }

  /** True when the body had exactly the series of the one before. */
  private append(
    appender: ReturnType<LoopContext['appender']>,
    body: ScrapeBody,
    timeMs: number,
    counts: ScrapeCounts,
  ): boolean {
    const { counters, clock } = this.#context
    const context = { cache: this.cache, policy: this.#policy, counters, nowMs: clock.now(), timeMs }
    return this.#bodies.append(appender, body, context, counts)
  }

  private failed(error: unknown): ScrapeError {
    if (!(error instanceof Error) || !['ScrapeError', 'ExpositionError'].includes(error.name))
      this.#context.log('error', 'Unexpected error in a scrape', {
        target: this.target.url,
        err: messageOf(error),
      })
    return asScrapeError(error)
  }

  private count(failure: ScrapeError | undefined): void {
    const { counters } = this.#context
    if (failure?.limit === 'body') counters.exceededBodySizeLimit++
    else if (failure?.limit === 'sample') counters.exceededSampleLimit++
    else if (failure?.limit === 'label') counters.exceededLabelLimits++
    else if (failure?.limit === 'bucket') counters.exceededBucketLimit++
  }

  /** Ends all series of a removed target. Runs from a timer: failures are logged. */
  private end(staleTimeMs: number): void {
    try {
      const appender = this.#context.appender()
      try {
        appendStale(appender, this.cache.vanished(), staleTimeMs, staleMarker())
        this.#report.appendStale(appender, staleTimeMs, staleMarker())
      } catch (error) {
        appender.rollback()
        throw error
      }
      appender.commit()
    } catch (error) {
      this.#context.log('warn', 'Stale append failed', { target: this.target.url, err: messageOf(error) })
    }
  }
}

function asScrapeError(error: unknown): ScrapeError {
  return error instanceof ScrapeError ? error : new ScrapeError(messageOf(error), { cause: error })
}
