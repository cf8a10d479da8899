// Errors of the HTTP API and the status each kind has.
import type { QueryErrorKind } from '@watchfire/promql'

export type ApiErrorKind = QueryErrorKind | 'not_found' | 'not_acceptable' | 'unavailable'

const STATUS: Readonly<Record<ApiErrorKind, number>> = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  not_found: 404,
  not_acceptable: 406,
  unavailable: 500,
}

/** Ends a request with `{"status":"error",…}`. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly kind: ApiErrorKind

  constructor(kind: ApiErrorKind, message: string) {
    super(message)
    this.kind = kind
  }

  get status(): number {
    return STATUS[this.kind]
  }
}

/** A parameter that cannot be used. */
export function invalidParam(name: string, reason: string): ApiError {
  return new ApiError('bad_data', `invalid parameter "${name}": ${reason}`)
}

/** Runs `body`; what it throws is the parameter's fault. */
export function param<T>(name: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw invalidParam(name, (error as Error).message)
  }
}
