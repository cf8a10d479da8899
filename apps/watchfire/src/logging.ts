// One log for all parts of the process. Parts that take fields first get the same logger the other way round.
import { createLogger, type Logger, type LogLevel } from '@watchfire/server'

export interface FieldsFirstLogger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export function rootLogger(level: LogLevel, format: 'logfmt' | 'json' = 'logfmt'): Logger {
  return createLogger({ level, format })
}

export function fieldsFirst(logger: Logger): FieldsFirstLogger {
  const turn = (level: LogLevel) => (fields: object, message: string) =>
    logger.log(level, message, fields as Record<string, unknown>)
  return { debug: turn('debug'), info: turn('info'), warn: turn('warn'), error: turn('error') }
}
