// Failures of the server as a whole.

/** A running part failed for good, or the start did; `message` is complete. */
export class ServerError extends Error {
  override name = 'ServerError'
  readonly code: 'storage_failed' | 'config_invalid' | 'apply_failed'
  /** What the process should exit with. */
  readonly exitCode: number

  constructor(code: ServerError['code'], message: string, cause: unknown, exitCode = 1) {
    super(message, { cause })
    this.code = code
    this.exitCode = exitCode
  }
}

/** The message with those of its causes. */
export function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? causeText(error.cause) : ''
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`
}
