// What can be wrong with a configuration file, always with the place.

/** Where something stands in a configuration file; both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/**
 * A configuration that cannot be used. `message` is complete: Prometheus's text, with the place of the value added
 * in parentheses. `path`, `line` and `column` repeat the place for programs (line 0 = the whole file).
 */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly code: 'config_invalid' | 'config_unreadable' | 'config_unsupported'
  readonly path: string
  readonly line: number
  readonly column: number

  constructor(code: ConfigError['code'], message: string, path: string, place?: Place, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.path = path
    this.line = place?.line ?? 0
    this.column = place?.column ?? 0
  }
}

/** Thrown by checks inside a file; the loader adds the file's name. */
export class ValueError extends Error {
  override name = 'ValueError'
  readonly place: Place | undefined

  constructor(message: string, place: Place | undefined) {
    super(message)
    this.place = place
  }
}
