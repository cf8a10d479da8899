// Log lines as Prometheus writes them: logfmt or JSON, one line each, to stderr.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds fields to every line, e.g. `{ component: 'web' }`. */
  child(fields: LogFields): Logger
}

export interface LoggerOptions {
  readonly level?: LogLevel
  readonly format?: 'logfmt' | 'json'
  /** Gets whole lines with their newline. Default: stderr. */
  readonly write?: (line: string) => void
  readonly now?: () => number
}

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 }
/** Longest value of one field, in characters. */
const VALUE_CHARS_MAX = 4000

/** Makes a logger. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const rank = RANK[options.level ?? 'info']
  const format = options.format === 'json' ? jsonLine : logfmtLine
  const write = options.write ?? ((line: string) => void process.stderr.write(line))
  const now = options.now ?? Date.now
  const make = (base: LogFields): Logger => {
    const log = (level: LogLevel, message: string, fields?: LogFields) => {
      if (RANK[level] < rank) return
      write(format({ time: new Date(now()).toISOString(), level, msg: message, ...base, ...fields }))
    }
    return {
      log,
      debug: (message, fields) => log('debug', message, fields),
      info: (message, fields) => log('info', message, fields),
      warn: (message, fields) => log('warn', message, fields),
      error: (message, fields) => log('error', message, fields),
      child: (fields) => make({ ...base, ...fields }),
    }
  }
  return make({})
}

function logfmtLine(fields: LogFields): string {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.replace(/[\s="]/g, '_')}=${logfmtValue(textOf(value))}`)
  return `${parts.join(' ')}\n`
}

function jsonLine(fields: LogFields): string {
  const plain = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'number' || typeof value === 'boolean' ? value : textOf(value),
  ])
  return `${JSON.stringify(Object.fromEntries(plain))}\n`
}

function textOf(value: unknown): string {
  const text =
    value instanceof Error
      ? value.message
      : typeof value === 'object' && value !== null
        ? JSON.stringify(value)
        : String(value)
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX)}…` : text
}

function logfmtValue(text: string): string {
  return text === '' || /[\s="\\\p{Cc}]/u.test(text) ? JSON.stringify(text) : text
}
