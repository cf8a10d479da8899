// Reading of request bodies with the error texts of API v2 (go-openapi's).
import { Labels } from '@watchfire/datamodel'

/** An answer that is an error: `body` is the JSON to send. */
export class ApiError extends Error {
  override name = 'ApiError'
  readonly status: number
  readonly body: unknown
  constructor(status: number, body: unknown) {
    super(typeof body === 'string' ? body : JSON.stringify(body))
    this.status = status
    this.body = body
  }
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, { code: 400, message })
}

/** A value that does not fit the schema. */
export function schemaError(code: number, message: string): ApiError {
  return new ApiError(422, { code, message })
}

const JSON_TYPE = /^application\/json\s*(;|$)/i

/** The parsed body of `what` ("alerts", "silence"); throws `ApiError`. */
export function parseBody(what: string, contentType: string | undefined, text: string): unknown {
  if (!JSON_TYPE.test(contentType ?? ''))
    throw new ApiError(415, {
      code: 415,
      message: `unsupported media type "${contentType ?? ''}", only [application/json] are allowed`,
    })
  if (text.trim() === '') throw schemaError(602, `${what} in body is required`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRequest(`parsing ${what} body from "" failed, because ${(error as Error).message}`)
  }
}

export function typeError(what: string, value: unknown, place: string): ApiError {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  const shown = kind === 'boolean' ? 'bool' : kind
  return badRequest(
    `parsing ${what} body from "" failed, because json: cannot unmarshal ${shown} into Go ${place}`,
  )
}

/** A string → string object; undefined when absent. */
export function readStringMap(
  what: string,
  value: unknown,
  field: string,
): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value))
    throw typeError(what, value, `struct field ${field} of type models.LabelSet`)
  for (const item of Object.values(value))
    if (typeof item !== 'string') throw typeError(what, item, `struct field ${field} of type string`)
  return value as Record<string, string>
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}(?::\d{2})?)(\.\d+)?([Zz]|[+-]\d{2}:?\d{2})?$/

/** Milliseconds; 0 when absent or Go's zero time. */
export function readTime(what: string, value: unknown): number {
  if (value === undefined || value === null || value === '') return 0
  if (typeof value !== 'string')
    throw badRequest(`parsing ${what} body from "" failed, because a time must be a string`)
  const match = RFC3339.exec(value)
  const zone = match?.[4] ?? 'Z'
  const timeMs = match ? Date.parse(`${match[1]}T${match[2]}${(match[3] ?? '').slice(0, 4)}${zone}`) : NaN
  if (Number.isNaN(timeMs))
    throw badRequest(
      `parsing ${what} body from "" failed, because parsing time "${value}" as "2006-01-02": cannot parse "${value}" as "2006"`,
    )
  return value.startsWith('0001-01-01') ? 0 : timeMs
}

/** JSON cannot carry a lone surrogate as UTF-8: it becomes U+FFFD, as in Go. */
export function toLabels(map: Readonly<Record<string, string>>): Labels {
  return Labels.from(
    Object.entries(map).map(([name, value]) => [wellFormed(name), wellFormed(value)] as const),
  )
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd')
}
