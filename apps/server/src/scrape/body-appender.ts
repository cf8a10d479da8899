// Appends the bodies of one target: by the plan of the last one where that fits, else by parsing, which makes a new plan.
import type { Appender } from '@watchfire/datamodel'
import { createParser, negotiateMediaType, type ParserOptions } from '../exposition/index.ts'
import { appendParsed, type AppendContext, type ScrapeCounts } from './append-body.ts'
import { appendPlanned } from './append-planned.ts'
import { ScrapeError, messageOf } from './errors.ts'
import type { ScrapeBody } from './http-client.ts'
import { LinePlanBuilder, type LinePlan } from './line-plan.ts'
import type { Log } from './settings.ts'
import type { TextScanner } from './text-scanner.ts'

/** Plans that did not fit this often in a row are made ever more rarely: the target changes its shape all the time. */
const MISFITS_MAX = 6

export interface BodyAppenderOptions {
  readonly parser: ParserOptions
  /** Without one every body is parsed. */
  readonly scanner: TextScanner | undefined
  readonly log: Log
}

export class BodyAppender {
  readonly #options: BodyAppenderOptions
  #plan: LinePlan | undefined
  #misfits = 0
  #restUntilPlan = 0

  constructor(options: BodyAppenderOptions) {
    this.#options = options
  }

  /** The last scrape failed or its samples are gone: the next body is parsed. */
  forget(): void {
    this.#plan = undefined
  }

  /**
   * Appends everything; throws when the scrape has to fail. Returns true when the body had exactly the series of the one
   * before: then nothing vanished.
   */
  append(
    appender: Appender,
    body: Pick<ScrapeBody, 'bytes' | 'contentType'>,
    context: AppendContext,
    counts: ScrapeCounts,
  ): boolean {
    const { parser: parserOptions, log } = this.#options
    const { mediaType } = negotiateMediaType(body.contentType, parserOptions.fallbackContentType ?? '')
    if (this.appendByPlan(appender, body, mediaType, context, counts)) return true
    const { parser, warning } = createParser(body.bytes, body.contentType, parserOptions)
    if (parser === undefined) throw new ScrapeError(warning ?? 'unknown format')
    if (warning !== undefined)
      log('debug', 'Invalid content type on scrape, using fallback setting.', { err: warning })
    const builder = this.wantsPlan(mediaType) ? new LinePlanBuilder() : undefined
    this.#plan = undefined
    appendParsed(
      parser,
      appender,
      builder === undefined ? context : { ...context, listener: builder.listen },
      counts,
    )
    if (builder !== undefined) this.#plan = this.checkedPlan(builder, body.bytes, mediaType)
    return false
  }

  private appendByPlan(
    appender: Appender,
    body: Pick<ScrapeBody, 'bytes' | 'contentType'>,
    mediaType: string,
    context: AppendContext,
    counts: ScrapeCounts,
  ): boolean {
    const plan = this.#plan
    if (plan === undefined || plan.mediaType !== mediaType) return false
    const scan = this.scan(body.bytes, plan)
    if (scan !== undefined && appendPlanned(body.bytes, plan, scan, appender, context, counts)) {
      this.#misfits = 0
      return true
    }
    this.#misfits = Math.min(MISFITS_MAX, this.#misfits + 1)
    this.#restUntilPlan = 2 ** this.#misfits - 2
    return false
  }

  private scan(bytes: Uint8Array, plan: LinePlan): ReturnType<TextScanner['scan']> {
    if (plan.mediaType !== 'text/plain' && !endsWithEof(bytes)) return undefined
    try {
      return this.#options.scanner?.scan(bytes, plan)
    } catch (error) {
      this.#options.log('debug', 'Body does not fit into the scratch memory of the scan', {
        err: messageOf(error),
      })
      return undefined
    }
  }

  private wantsPlan(mediaType: string): boolean {
    const { scanner, parser } = this.#options
    if (scanner === undefined || parser.skipStartTimestampSeries === true) return false
    if (mediaType !== 'text/plain' && mediaType !== 'application/openmetrics-text') return false
    if (this.#restUntilPlan === 0) return true
    this.#restUntilPlan--
    return false
  }

  /** A plan that finds every line of the body it was made from. */
  private checkedPlan(builder: LinePlanBuilder, bytes: Uint8Array, mediaType: string): LinePlan | undefined {
    const plan = builder.build(mediaType, this.#options.scanner?.textBase ?? 0)
    const scan = plan === undefined ? undefined : this.scan(bytes, plan)
    if (plan === undefined || scan === undefined) return undefined
    plan.commentHash = scan.commentHash
    return plan
  }
}

function endsWithEof(bytes: Uint8Array): boolean {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
    'latin1',
    Math.max(0, bytes.length - 7),
  )
  return /(?:^|\n)# EOF\n?$/.test(tail)
}
