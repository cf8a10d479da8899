// What the sample traffic asks for: rows of the real data, and now and then a request that is wrong in a known way.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Held-out rows of one model's data set. */
export interface ModelRows {
  readonly name: string
  readonly rows: readonly (readonly number[])[]
}

export type RequestKind =
  | 'predict'
  /** Rows of unequal length: 422, no prediction is counted. */
  | 'ragged'
  /** A model that does not exist: 404. */
  | 'unknown-model'
  /** Rows of a width the model does not take: passes validation, fails in the session, counted as an inference error. */
  | 'wrong-width'

export interface TrafficRequest {
  readonly kind: RequestKind
  readonly path: string
  readonly body: unknown
}

/** Bad requests come by count, not by chance: their share is the same in every window, so no alert fires by bad luck. */
const RAGGED_EVERY = 90
const UNKNOWN_EVERY = 120
const WRONG_WIDTH_EVERY = 100
/** First counts, so that every panel has something to show within a minute or two. */
const RAGGED_FIRST = 15
const UNKNOWN_FIRST = 25
const WRONG_WIDTH_FIRST = 35
/** Every so many requests go to the version that was served before, as after a switch. */
const PREVIOUS_EVERY = 10
const ROWS_MAX = 8

/** The `count`-th request (from 1) for a model; `random` gives numbers in [0, 1). */
export function makeRequest(model: ModelRows, count: number, random: () => number): TrafficRequest {
  const kind = kindOf(count)
  const start = Math.floor(random() * model.rows.length)
  const length = 1 + Math.floor(random() * ROWS_MAX)
  const rows = Array.from({ length }, (_, i) => model.rows[(start + i) % model.rows.length]!)
  if (kind === 'unknown-model')
    return { kind, path: '/predict', body: { model_name: 'retired-model', features: rows } }
  const features =
    kind === 'ragged'
      ? [...rows, rows[0]!.slice(1)]
      : kind === 'wrong-width'
        ? rows.map((row) => row.slice(1))
        : rows
  if (count % 2 === 0)
    return { kind, path: `/predict?model_name=${encodeURIComponent(model.name)}`, body: features }
  const version = count % PREVIOUS_EVERY === 3 ? { version: 'previous' } : {}
  return { kind, path: '/predict', body: { model_name: model.name, ...version, features } }
}

/** Kind of the `count`-th request. */
export function kindOf(count: number): RequestKind {
  if (count % WRONG_WIDTH_EVERY === WRONG_WIDTH_FIRST) return 'wrong-width'
  if (count % RAGGED_EVERY === RAGGED_FIRST) return 'ragged'
  if (count % UNKNOWN_EVERY === UNKNOWN_FIRST) return 'unknown-model'
  return 'predict'
}

/** Rows of all models that ship some (`<dir>/<name>/rows.json`); throws an error that names the file at fault. */
export function readRows(modelsDir: string): ModelRows[] {
  const models: ModelRows[] = []
  for (const entry of readdirSync(modelsDir, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const path = join(modelsDir, entry.name, 'rows.json')
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw error
    }
    models.push({ name: entry.name, rows: parseRows(path, text) })
  }
  return models.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function parseRows(path: string, text: string): number[][] {
  let rows: unknown
  try {
    rows = (JSON.parse(text) as { rows?: unknown }).rows
  } catch (cause) {
    throw new Error(`${path} is not JSON: ${(cause as Error).message}`, { cause })
  }
  const isRow = (row: unknown) => Array.isArray(row) && row.length > 1 && row.every((v) => Number.isFinite(v))
  if (!Array.isArray(rows) || rows.length === 0 || !rows.every(isRow))
    throw new Error(`${path} has no list of rows of two numbers or more`)
  return rows as number[][]
}
