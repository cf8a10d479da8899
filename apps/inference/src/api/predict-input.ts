// Reads a prediction request in either form: `{model_name, version?, features}`, or the bare matrix as body with the model
// in the query string. Only shape and numbers are checked here; whether the width suits the model is the session's to say.
import { ApiError } from './errors.ts'

export interface PredictInput {
  readonly name: string
  /** Version, alias or stage; undefined is the version served by default. */
  readonly reference: string | undefined
  readonly rows: readonly (readonly number[])[]
}

export interface PredictLimits {
  readonly maxRows: number
  readonly maxRowLength: number
}

/** Names longer than this are refused before they are looked up. */
const NAME_MAX_LENGTH = 200
/** Largest float32: what the models compute with. */
const FLOAT32_MAX = 3.4028234663852886e38

/** Throws ApiError 422 that says which row or field is at fault. */
export function readPredictInput(query: unknown, body: unknown, limits: PredictLimits): PredictInput {
  const parameters = record(query)
  const fields = Array.isArray(body) ? {} : record(body)
  const rows = Array.isArray(body) ? body : fields.features
  return {
    name: readName(fields.model_name ?? parameters.model_name),
    reference: readReference(fields.version ?? parameters.version),
    rows: checkRows(rows, limits),
  }
}

/** A model name from outside. */
export function readName(value: unknown): string {
  if (typeof value !== 'string' || value === '')
    throw new ApiError(422, 'invalid_request', 'model_name is missing or not a text')
  if (value.length > NAME_MAX_LENGTH)
    throw new ApiError(422, 'invalid_request', `model_name is longer than ${NAME_MAX_LENGTH} characters`)
  return value
}

/** A version, alias or stage from outside; a number is taken as its digits. */
export function readReference(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'number') return String(value)
  if (typeof value !== 'string' || value.length > NAME_MAX_LENGTH)
    throw new ApiError(422, 'invalid_request', 'version is not a text or number of reasonable length')
  return value
}

/** An object from outside, or an empty one if nothing was sent. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ApiError(422, 'invalid_request', 'the body is not a JSON object')
  return value as Record<string, unknown>
}

function checkRows(rows: unknown, limits: PredictLimits): readonly (readonly number[])[] {
  if (!Array.isArray(rows)) throw invalid('features is missing or not a list of rows')
  if (rows.length === 0) throw invalid('there are no rows')
  if (rows.length > limits.maxRows) throw invalid(`${rows.length} rows are more than ${limits.maxRows}`)
  const width = Array.isArray(rows[0]) ? rows[0].length : 0
  if (width > limits.maxRowLength)
    throw invalid(`a row of ${width} numbers is longer than ${limits.maxRowLength}`)
  for (let i = 0; i < rows.length; i++) {
    const row: unknown = rows[i]
    if (!Array.isArray(row) || row.length === 0) throw invalid(`row ${i} is not a list of numbers`)
    if (row.length !== width) throw invalid(`row ${i} has ${row.length} numbers, row 0 has ${width}`)
    for (let j = 0; j < width; j++) {
      const value: unknown = row[j]
      if (typeof value !== 'number' || !(Math.abs(value) <= FLOAT32_MAX))
        throw invalid(`row ${i}, column ${j} is not a finite number of single precision`)
    }
  }
  return rows as number[][]
}

function invalid(detail: string): ApiError {
  return new ApiError(422, 'invalid_rows', detail)
}
