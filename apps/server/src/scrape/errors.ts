// Errors of scraping. A `ScrapeError` ends one scrape and shows on the targets page; its message is Prometheus's.

export class ScrapeError extends Error {
  override name = 'ScrapeError'
  /** Which limit was hit, for the counters. */
  readonly limit: 'body' | 'sample' | 'label' | 'bucket' | undefined

  constructor(message: string, options: { limit?: ScrapeError['limit']; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.limit = options.limit
  }
}

/** An error after the status line, which Prometheus shows without the URL. */
export class BodyError extends Error {
  override name = 'BodyError'
  constructor(cause: Error) {
    super(cause.message, { cause })
  }
}

export function bodySizeError(): ScrapeError {
  return new ScrapeError('body size limit exceeded', { limit: 'body' })
}

/** Message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
