// Appends a body of known shape: values go from the scan's columns to the series of the plan, without parsing or label work. Data plane.
import { APPEND, histogramFault, isStale, type AppendResult, type Appender } from '@watchfire/datamodel'
import {
  ClassicHistogram,
  ExpositionError,
  OpenMetricsParser,
  TextParser,
  type ParsedExemplar,
} from '../exposition/index.ts'
import { countRejected, withSeries, type AppendContext, type ScrapeCounts } from './append-body.ts'
import { LINE, type HistogramPlan, type LinePlan } from './line-plan.ts'
import type { Scan } from './text-scanner.ts'

const AHEAD_MAX_MS = 10 * 60_000
const EOF = Buffer.from('# EOF\n')

/** Exemplars of single lines. */
type LineExemplars = Map<number, readonly ParsedExemplar[]>

/**
 * Appends the scan by the plan. False, with nothing appended, when the body is not of the plan's shape after all: then it has to be parsed.
 * `added` counts what was stored.
 */
export function appendPlanned(
  body: Uint8Array,
  plan: LinePlan,
  scan: Scan,
  appender: Appender,
  context: AppendContext,
  counts: ScrapeCounts,
): boolean {
  if (scan.commentHash !== plan.commentHash) return false
  const exemplars: LineExemplars = new Map()
  if (!resolveLines(body, plan, scan, exemplars)) return false
  const honored = context.policy.honorTimestamps
  if (plan.anyTimed && honored && plan.histograms.length > 0) return false
  if (plan.plain || (!honored && allFloats(plan))) appendColumn(plan, scan.values, appender, context)
  else appendMixed(plan, scan, appender, context)
  for (const histogram of plan.histograms) appendHistogram(histogram, scan, exemplars, appender, context)
  for (const [line, found] of exemplars) appendExemplars(line, found, plan, scan, appender, context)
  context.counters.duplicateTimestamp += plan.duplicates
  context.counters.fastSamples += plan.lineCount
  counts.scraped = plan.scraped
  counts.added = plan.added
  return true
}

/** Every line is the plan's, or is made so by parsing that line alone. */
function resolveLines(body: Uint8Array, plan: LinePlan, scan: Scan, exemplars: LineExemplars): boolean {
  const { ids, times } = scan
  const { timed } = plan
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] !== i + 1 && !resolveLine(i, body, plan, scan, exemplars)) return false
    if (isStale(times[i]!) === (timed[i] === 1)) return false
  }
  return true
}

/** A line with an exemplar or a number that is left to the caller. */
function resolveLine(
  i: number,
  body: Uint8Array,
  plan: LinePlan,
  scan: Scan,
  exemplars: LineExemplars,
): boolean {
  if (scan.ids[i] !== 0) return false
  const strict = plan.mediaType !== 'text/plain'
  const start = scan.offsets[i]!
  const newline = body.indexOf(10, start)
  const line = body.subarray(start, newline < 0 ? body.length : newline + 1)
  const parser = strict ? new OpenMetricsParser(Buffer.concat([line, EOF])) : new TextParser(line)
  try {
    if (parser.next() !== 'series') return false
    const address = plan.rows[i * 4]! - plan.rows[0]!
    const text = Buffer.from(plan.texts.buffer, plan.texts.byteOffset + address, plan.rows[i * 4 + 1]!)
    if (parser.seriesText !== text.toString('latin1')) return false
    if ((parser.timestampMs !== undefined) !== (plan.timed[i] === 1)) return false
    scan.values[i] = parser.value
    if (parser.timestampMs !== undefined) scan.times[i] = parser.timestampMs
    const found = parser.exemplars()
    if (found.length > 0) exemplars.set(i, found)
    return parser.next() === undefined
  } catch (error) {
    if (error instanceof ExpositionError) return false
    throw error
  }
}

function allFloats(plan: LinePlan): boolean {
  for (let i = 0; i < plan.kinds.length; i++) if (plan.kinds[i] !== LINE.float) return false
  return true
}

let results = new Uint8Array(1024)
let packedRefs = new Float64Array(1024)
let packedValues = new Float64Array(1024)
let packedLines = new Uint32Array(1024)

function reserve(count: number): void {
  if (results.length >= count) return
  const size = 2 ** Math.ceil(Math.log2(count))
  results = new Uint8Array(size)
  packedRefs = new Float64Array(size)
  packedValues = new Float64Array(size)
  packedLines = new Uint32Array(size)
}

/** All lines in one call. */
function appendColumn(
  plan: LinePlan,
  values: Float64Array,
  appender: Appender,
  context: AppendContext,
): void {
  const count = plan.lineCount
  reserve(count)
  appender.floats(plan.refs, context.timeMs, values, results, count)
  for (let i = 0; i < count; i++) if (results[i] !== APPEND.ok) retry(i, i, plan, values, appender, context)
}

/** Lines of several kinds: floats without a time are packed into one call, the others go one by one. */
function appendMixed(plan: LinePlan, scan: Scan, appender: Appender, context: AppendContext): void {
  const { kinds, timed, refs } = plan
  const { values, times } = scan
  const honored = context.policy.honorTimestamps
  reserve(plan.lineCount)
  let count = 0
  for (let i = 0; i < kinds.length; i++) {
    if (kinds[i] !== LINE.float) continue
    if (honored && timed[i] === 1) {
      appendTimed(i, plan, times[i]!, values[i]!, appender, context)
      continue
    }
    packedRefs[count] = refs[i]!
    packedValues[count] = values[i]!
    packedLines[count++] = i
  }
  appender.floats(packedRefs, context.timeMs, packedValues, results, count)
  for (let k = 0; k < count; k++)
    if (results[k] !== APPEND.ok) retry(k, packedLines[k]!, plan, values, appender, context)
}

function appendTimed(
  i: number,
  plan: LinePlan,
  timeMs: number,
  value: number,
  appender: Appender,
  context: AppendContext,
): void {
  const entry = plan.entries[i]
  if (entry === undefined) return
  const result =
    timeMs > context.nowMs + AHEAD_MAX_MS
      ? APPEND.outOfBounds
      : withSeries(appender, entry, () => appender.float(entry.ref, timeMs, value))
  plan.refs[i] = entry.ref
  if (result !== APPEND.ok) countRejected(result, context.counters)
}

/** A series that is gone from the head is made again; anything else counts as rejected. `k` = place in the call, `i` = line. */
function retry(
  k: number,
  i: number,
  plan: LinePlan,
  values: Float64Array,
  appender: Appender,
  context: AppendContext,
): void {
  const entry = plan.entries[i]
  let result = results[k] as AppendResult
  if (result === APPEND.unknownRef && entry !== undefined) {
    entry.ref = 0
    result = withSeries(appender, entry, () => appender.float(entry.ref, context.timeMs, values[i]!))
    plan.refs[i] = entry.ref
  }
  if (result !== APPEND.ok) countRejected(result, context.counters)
}

const classic = new ClassicHistogram()

function appendHistogram(
  { entry, parts }: HistogramPlan,
  scan: Scan,
  exemplars: LineExemplars,
  appender: Appender,
  context: AppendContext,
): void {
  if (entry === undefined) return
  classic.reset()
  for (const { line, series } of parts) {
    const value = scan.values[line]!
    if (series.part === 'bucket') classic.setBucket(series.bound, value)
    else if (series.part === 'sum') classic.setSum(value)
    else classic.setCount(value)
  }
  const converted = classic.convert()
  // Prometheus leaves such a histogram out, too.
  if ('error' in converted || histogramFault(converted.histogram) !== undefined) return
  const { histogram } = converted
  const result = withSeries(appender, entry, () => appender.histogram(entry.ref, context.timeMs, histogram))
  if (result !== APPEND.ok) countRejected(result, context.counters)
  else if (exemplars.size > 0 && context.policy.exemplars)
    for (const { line } of parts) {
      for (const exemplar of exemplars.get(line) ?? [])
        if (exemplar.timestampMs !== undefined)
          appender.exemplar(entry.ref, { ...exemplar, timestampMs: exemplar.timestampMs })
      exemplars.delete(line)
    }
}

function appendExemplars(
  line: number,
  found: readonly ParsedExemplar[],
  plan: LinePlan,
  scan: Scan,
  appender: Appender,
  context: AppendContext,
): void {
  const entry = plan.entries[line]
  if (entry === undefined || !context.policy.exemplars) return
  const sampleTime =
    plan.timed[line] === 1 && context.policy.honorTimestamps ? scan.times[line]! : context.timeMs
  for (const exemplar of found) {
    const timestampMs = exemplar.timestampMs ?? sampleTime
    if (appender.exemplar(entry.ref, { ...exemplar, timestampMs }) === APPEND.outOfOrder)
      context.counters.exemplarOutOfOrder++
  }
}
