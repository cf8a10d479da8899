// Runs a test script against an engine. An instant evaluation is repeated with its time pinned by `@`, at other times,
// and as a step of a range query: all must give the same.
import { staleMarker } from '@watchfire/datamodel'
import {
  QueryError,
  type Engine,
  type EngineFeatures,
  type EngineOptions,
  type QueryResult,
  type QueryValue,
  type VectorSample,
} from '../contract.ts'
import { ALL_EXPERIMENTS, parseExpr, printExpr } from '../parser/index.ts'
import { ScriptError, type Command, type EvalCommand, type LoadCommand, type TextCheck } from './commands.ts'
import { compareValue, unsorted } from './compare.ts'
import { ClassicHistograms } from './nhcb.ts'
import { parseScript } from './parse.ts'
import { pinExpr } from './pin.ts'
import { MemoryStorage } from './storage.ts'

export interface ScriptOptions {
  /** Laid over the engine options that scripts assume. */
  readonly engine?: EngineOptions
  /** Repeat instant evaluations in other ways, default true. */
  readonly extraChecks?: boolean
  /** ms of one query, default 100 s. */
  readonly timeoutMs?: number
}

export interface EvalOutcome {
  readonly line: number
  readonly expr: string
  /** Undefined when everything came as expected. */
  readonly failure: string | undefined
}

export interface ScriptOutcome {
  readonly evals: readonly EvalOutcome[]
  /** Set when the script could not be read or a load failed; the evaluations after it did not run. */
  readonly error: ScriptError | undefined
}

export type EngineFactory = (options: EngineOptions) => Engine

/** Runs the commands of a script in order; a failed evaluation does not stop it. */
export function runScript(
  text: string,
  createEngine: EngineFactory,
  options: ScriptOptions = {},
): ScriptOutcome {
  const evals: EvalOutcome[] = []
  let commands: readonly Command[]
  try {
    commands = parseScript(text)
  } catch (error) {
    if (error instanceof ScriptError) return { evals, error }
    throw error
  }
  const storage = new MemoryStorage()
  const run = new EvalRun(createEngine(engineOptions(text, options.engine)), storage, options)
  for (const command of commands) {
    if (command.kind === 'clear') storage.clear()
    else if (command.kind === 'eval')
      evals.push({ line: command.line, expr: command.expr, failure: run.failureOf(command) })
    else {
      try {
        load(storage, command)
      } catch (error) {
        return { evals, error: new ScriptError(command.line, `cannot load: ${messageOf(error)}`) }
      }
    }
  }
  return { evals, error: undefined }
}

/** What scripts assume; header lines `#: delayed-name-removal off` and `#: use-start-timestamps off` change it. */
function engineOptions(text: string, overlay: EngineOptions | undefined): EngineOptions {
  const off = new Set(Array.from(text.matchAll(/^#: (\S+) off\s*$/gm), (match) => match[1]))
  const features: EngineFeatures = {
    ...ALL_EXPERIMENTS,
    delayedNameRemoval: !off.has('delayed-name-removal'),
    useStartTimestamps: !off.has('use-start-timestamps'),
  }
  return {
    lookbackMs: 300_000,
    samplesMax: 10_000,
    subqueryStepMs: 60_000,
    ...overlay,
    features: { ...features, ...overlay?.features },
  }
}

/** Puts the samples of a load command into the storage. */
export function load(storage: MemoryStorage, command: LoadCommand): void {
  const classic = command.withNhcb ? new ClassicHistograms() : undefined
  // Of series given twice the last counts.
  const unique = new Map(command.series.map((series) => [series.labels.key(), series]))
  for (const { labels, values, starts } of unique.values()) {
    values.forEach((value, i) => {
      if (value.kind === 'omitted') return
      const timeMs = i * command.stepMs
      const offset = starts?.[i]
      const stale = value.kind === 'stale'
      const float = value.kind === 'float' ? value.value : 0
      storage.append(labels, {
        timeMs,
        value: float,
        stale,
        histogram: value.kind === 'histogram' ? value.histogram : undefined,
        startMs: offset === undefined ? 0 : timeMs + offset,
      })
      if (value.kind !== 'histogram') classic?.add(labels, timeMs, stale ? staleMarker() : float)
    })
  }
  for (const { labels, timeMs, histogram } of classic?.converted() ?? [])
    storage.append(labels, { timeMs, value: 0, stale: false, histogram, startMs: 0 })
}

class EvalRun {
  readonly #engine: Engine
  readonly #storage: MemoryStorage
  readonly #timeoutMs: number
  readonly #extraChecks: boolean

  constructor(engine: Engine, storage: MemoryStorage, options: ScriptOptions) {
    this.#engine = engine
    this.#storage = storage
    this.#timeoutMs = options.timeoutMs ?? 100_000
    this.#extraChecks = options.extraChecks ?? true
  }

  failureOf(command: EvalCommand): string | undefined {
    if (!command.instant) {
      const { expr, startMs, endMs, stepMs } = command
      return this.check(command, expr, { startMs, endMs, stepMs })
    }
    for (const [expr, atMs] of this.variants(command)) {
      const failure = this.instantFailure(command, expr, atMs)
      if (failure) return expr === command.expr ? failure : `as ${expr} at ${atMs}: ${failure}`
    }
    return undefined
  }

  /** The query itself, then with its time pinned and at other times. */
  private variants({ expr, atMs }: EvalCommand): (readonly [string, number])[] {
    const variants: (readonly [string, number])[] = [[expr, atMs]]
    if (!this.#extraChecks) return variants
    const pinned = pinExpr(parseExpr(expr, ALL_EXPERIMENTS), atMs)
    if (!pinned) return variants
    const text = printExpr(pinned)
    const times = atMs === 0 ? [-1000, 0, 1000] : [-10 * atMs, 0, Math.trunc(atMs / 5), atMs, 10 * atMs]
    return [...variants, ...times.map((time) => [text, time] as const)]
  }

  private query(expr: string, times: QueryTimes): QueryResult | QueryError {
    try {
      const deadline = performance.now() + this.#timeoutMs
      return this.#engine.query(this.#storage, { expr, ...times, deadline })
    } catch (error) {
      if (error instanceof QueryError) return error
      throw new Error(`the engine threw something else than a QueryError: ${stackOf(error)}`, {
        cause: error,
      })
    }
  }

  private check(command: EvalCommand, expr: string, times: QueryTimes): string | undefined {
    try {
      const result = this.query(expr, times)
      if (result instanceof QueryError) return checkFailure(command, result)
      return checkResult(command, result)
    } catch (error) {
      return messageOf(error)
    }
  }

  private instantFailure(command: EvalCommand, expr: string, atMs: number): string | undefined {
    const failure = this.check(command, expr, { startMs: atMs, endMs: atMs })
    if (failure || !this.#extraChecks) return failure
    const { expected } = command
    if (expected.fail || expected.rangeVector || expected.string !== undefined) return undefined
    // These functions give something else in a range query.
    if (/(start|end|range|step)\(\)/.test(expr)) return undefined
    try {
      const times = { startMs: atMs - 60_000, endMs: atMs + 60_000, stepMs: 60_000 }
      const inRange = this.rangeFailure(command, this.query(expr, times), atMs)
      return inRange && `in range mode: ${inRange}`
    } catch (error) {
      return `in range mode: ${messageOf(error)}`
    }
  }

  private rangeFailure(
    command: EvalCommand,
    result: QueryResult | QueryError,
    atMs: number,
  ): string | undefined {
    if (result instanceof QueryError) return `error evaluating query: ${result.message}`
    // Range queries are always sorted by labels.
    if (command.expected.ordered) return undefined
    if (result.value.type !== 'matrix') return `expected a matrix, got a ${result.value.type}`
    const order = unsorted(result.value.series)
    if (order) return order
    const samples = samplesAt(result.value, atMs)
    if (command.expected.scalar === undefined) return compareValue(command, { type: 'vector', samples })
    const [first] = samples
    if (!first) return 'expected a scalar, got nothing'
    return compareValue(command, { type: 'scalar', timeMs: atMs, value: first.value })
  }
}

interface QueryTimes {
  readonly startMs: number
  readonly endMs: number
  readonly stepMs?: number
}

/** One step of a matrix as a vector. */
function samplesAt(matrix: QueryValue & { type: 'matrix' }, timeMs: number): VectorSample[] {
  const samples: VectorSample[] = []
  for (const { labels, times, values, histograms } of matrix.series) {
    const i = times.indexOf(timeMs)
    if (i < 0) continue
    const histogram = histograms?.[i]
    const value = values[i]!
    samples.push(histogram ? { labels, timeMs, value, histogram } : { labels, timeMs, value })
  }
  return samples
}

function checkFailure({ expected }: EvalCommand, error: QueryError): string | undefined {
  if (!expected.fail) return `error evaluating query: ${error.message}`
  const check = expected.failures.find((failure) => !failure.matches(error.message))
  return check && `expected error matching "${check.shown}", but got: ${error.message}`
}

function checkResult(command: EvalCommand, result: QueryResult): string | undefined {
  const { expected } = command
  if (expected.fail) return 'expected error evaluating query but got none'
  const { warnings, infos } = result
  return (
    checkAnnotations('warn', expected.warnings, warnings, expected.anyWarning, expected.noWarnings) ??
    checkAnnotations('info', expected.infos, infos, expected.anyInfo, expected.noInfos) ??
    compareValue(command, result.value)
  )
}

function checkAnnotations(
  kind: string,
  checks: readonly TextCheck[],
  texts: readonly string[],
  any: boolean,
  none: boolean,
): string | undefined {
  if ((any || checks.length > 0) && texts.length === 0) return `expected ${kind} annotations but got none`
  if (none && texts.length > 0) return `unexpected ${kind} annotations: ${texts.join(', ')}`
  if (checks.length === 0) return undefined
  const unmet = checks.find((check) => !texts.some((text) => check.matches(text)))
  if (unmet) return `expected ${kind} annotation matching "${unmet.shown}", found: ${texts.join(', ')}`
  const extra = texts.find((text) => !checks.some((check) => check.matches(text)))
  return extra === undefined ? undefined : `unexpected ${kind} annotation "${extra}"`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
