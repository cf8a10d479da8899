// `promtool query instant|range|series|labels`: asks a server and prints the answer.
import { parseTime } from '../times.ts'
import { EXIT, type Io } from '../io.ts'
import { ApiError, type ApiClient } from './client.ts'
import { labelsText, resultText, type LabelMap, type ResultJson } from './print.ts'

export type Format = 'promql' | 'json'

/** Times as given, '' = not. */
export interface TimeRange {
  readonly start: string
  readonly end: string
}

/** Without a start or end, metadata is asked for this far around now. */
const FAR_MS = 9999 * 3_600_000
const RANGE_MS = 5 * 60_000
/** Points that a range query without a step is to have. */
const POINTS = 250

/** Default time is now. */
export async function queryInstant(
  client: ApiClient,
  expr: string,
  time: string,
  format: Format,
  io: Io,
): Promise<number> {
  return attempt(io, async () => {
    const timeMs = time === '' ? io.now() : timeOf(time, 'evaluation')
    const { data } = await client.call('api/v1/query', { query: expr, time: seconds(timeMs) })
    printResult(data as ResultJson, format, io)
  })
}

/** Default is the last 5 minutes; `stepMs` 0 = about 250 points. */
export async function queryRange(
  client: ApiClient,
  expr: string,
  range: TimeRange & { readonly stepMs: number },
  format: Format,
  io: Io,
): Promise<number> {
  return attempt(io, async () => {
    const endMs = range.end === '' ? io.now() : timeOf(range.end, 'end')
    const startMs = range.start === '' ? endMs - RANGE_MS : timeOf(range.start, 'start')
    if (startMs >= endMs) throw new PlainError('start time is not before end time')
    const step =
      range.stepMs === 0 ? Math.max(Math.floor((endMs - startMs) / 1000 / POINTS), 1) : range.stepMs / 1000
    const params = { query: expr, start: seconds(startMs), end: seconds(endMs), step: String(step) }
    const { data } = await client.call('api/v1/query_range', params)
    printResult(data as ResultJson, format, io)
  })
}

export async function querySeries(
  client: ApiClient,
  matches: readonly string[],
  range: TimeRange,
  format: Format,
  io: Io,
): Promise<number> {
  return attempt(io, async () => {
    const { data } = await client.call('api/v1/series', { 'match[]': matches, ...bounds(range, io) })
    const series = data as LabelMap[]
    if (format === 'json') io.out(`${JSON.stringify(series)}\n`)
    else io.out(series.map((labels) => `${labelsText(labels)}\n`).join(''))
  })
}

/** Values of a label. */
export async function queryLabels(
  client: ApiClient,
  name: string,
  matches: readonly string[],
  range: TimeRange,
  format: Format,
  io: Io,
): Promise<number> {
  return attempt(io, async () => {
    const params = { ...(matches.length > 0 && { 'match[]': matches }), ...bounds(range, io) }
    const { data, warnings } = await client.callGet(`api/v1/label/${encodeURIComponent(name)}/values`, params)
    for (const warning of warnings) io.err(`query warning: ${warning}\n`)
    const values = data as string[]
    if (format === 'json') io.out(`${JSON.stringify(values)}\n`)
    else io.out(values.map((value) => `${value}\n`).join(''))
  })
}

/** An error that is shown without `query error:`. */
class PlainError extends Error {
  override name = 'PlainError'
}

async function attempt(io: Io, body: () => Promise<void>): Promise<number> {
  try {
    await body()
    return EXIT.success
  } catch (error) {
    const { message } = error as Error
    if (error instanceof PlainError) io.err(`${message}\n`)
    else if (error instanceof ApiError && error.detail !== '')
      io.err(`query error: ${message} (detail: ${error.detail.trim()})\n`)
    else io.err(`query error: ${message}\n`)
    return EXIT.failure
  }
}

function printResult(data: ResultJson, format: Format, io: Io): void {
  if (format === 'json') io.out(`${JSON.stringify(data.result)}\n`)
  else io.out(`${resultText(data)}\n`)
}

function timeOf(text: string, what: string): number {
  try {
    return parseTime(text)
  } catch (error) {
    throw new PlainError(`error parsing ${what} time: ${(error as Error).message}`, { cause: error })
  }
}

function bounds({ start, end }: TimeRange, io: Io): { start: string; end: string } {
  return {
    start: seconds(start === '' ? io.now() - FAR_MS : timeOf(start, 'start')),
    end: seconds(end === '' ? io.now() + FAR_MS : timeOf(end, 'end')),
  }
}

function seconds(timeMs: number): string {
  return String(timeMs / 1000)
}
