// The world of one test group: input series that arrive as simulated time passes, rule groups of the server that read
// and write the same memory, and queries over it.
import { APPEND, Labels, formatDuration, type AppendResult } from '@watchfire/datamodel'
import { Registry } from '@watchfire/instrument'
import { QueryError, createEngine, type EngineFeatures, type QueryResult } from '@watchfire/promql'
import { MemoryStorage, ScriptError, parseScript, type LoadedSeries } from '@watchfire/promql/script'
import { createLogger } from '../../../logger.ts'
import type { QueryVectorAnswer } from '../../../query/contract.ts'
import type { RuleSample } from '../../../ingest/contract.ts'
import { createRuleMetrics } from '../../../rules/metrics.ts'
import { RuleGroup } from '../../../rules/rule-group.ts'
import type { RuleGroupConfig } from '../../../rules/rule-file.ts'
import type { TestGroup } from './test-file.ts'

/** Most samples in memory of one query. */
const SAMPLES_MAX = 10_000
const TIMEOUT_MS = 100_000

export interface SimulationOptions {
  readonly evaluationIntervalMs: number
  readonly features: EngineFeatures
}

interface Arriving {
  readonly series: LoadedSeries
  next: number
}

/** A rule that failed in an evaluation. */
export interface RuleFailure {
  readonly rule: string
  readonly message: string
}

export class Simulation {
  readonly startMs: number
  readonly #storage = new MemoryStorage()
  readonly #engine
  readonly #arriving: Arriving[]
  readonly #test: TestGroup
  #nowMs: number

  /** Throws an Error with the text to show when the input series cannot be read. */
  constructor(test: TestGroup, { evaluationIntervalMs, features }: SimulationOptions) {
    this.#test = test
    this.startMs = test.start_timestamp ?? 0
    this.#nowMs = this.startMs
    // Of series given twice the last counts.
    const unique = new Map(inputSeries(test).map((series) => [series.labels.key(), series]))
    this.#arriving = [...unique.values()].map((series) => ({ series, next: 0 }))
    this.#engine = createEngine({
      samplesMax: SAMPLES_MAX,
      subqueryStepMs: evaluationIntervalMs,
      features: { ...features, useStartTimestamps: true },
    })
  }

  /** Makes the rule groups of this world. */
  ruleGroups(configs: readonly RuleGroupConfig[]): RuleGroup[] {
    const metrics = createRuleMetrics(new Registry())
    const logger = createLogger({ write: () => undefined })
    const clock = {
      now: () => this.#nowMs,
      monotonic: () => this.#nowMs,
      setTimeout: () => ({ cancel: () => undefined }),
    }
    return configs.map(
      (config) =>
        new RuleGroup(config, {
          clock,
          logger,
          metrics,
          pool: { vector: async ({ expr, timeMs }) => this.#vector(expr, timeMs) },
          ingest: { append: async (samples) => samples.map((sample) => this.#append(sample)) },
          intervalMs: config.intervalMs ?? this.#test.interval,
          queryOffsetMs: config.queryOffsetMs ?? 0,
          externalLabels: this.#test.external_labels,
          externalUrl: this.#test.external_url,
          resendDelayMs: 0,
          restore: false,
          restoreOptions: { outageToleranceMs: 0, graceMs: 0 },
          sendAlerts: () => undefined,
        }),
    )
  }

  /** Lets the input samples up to a time arrive. Throws an Error when one cannot be appended. */
  advance(timeMs: number): void {
    this.#nowMs = timeMs
    const stepMs = this.#test.interval
    for (const arriving of this.#arriving) {
      const { labels, values, starts } = arriving.series
      for (; arriving.next < values.length; arriving.next++) {
        const i = arriving.next
        const sampleMs = this.startMs + i * stepMs
        if (sampleMs > timeMs) break
        const value = values[i]!
        if (value.kind === 'omitted') continue
        const offset = starts?.[i]
        this.#storage.append(labels, {
          timeMs: sampleMs,
          value: value.kind === 'float' ? value.value : 0,
          stale: value.kind === 'stale',
          histogram: value.kind === 'histogram' ? value.histogram : undefined,
          startMs: offset === undefined ? 0 : sampleMs + offset,
        })
      }
    }
  }

  /** Evaluates the groups at a time, one after the other. */
  async evaluate(groups: readonly RuleGroup[], timeMs: number): Promise<RuleFailure[]> {
    const failures: RuleFailure[] = []
    for (const group of groups) {
      await group.evaluate(timeMs)
      for (const { name, status } of group.rules)
        if (status.lastError !== '') failures.push({ rule: name, message: status.lastError })
    }
    return failures
  }

  /** Throws `QueryError`. */
  query(expr: string, timeMs: number): QueryResult {
    const deadline = performance.now() + TIMEOUT_MS
    return this.#engine.query(this.#storage, { expr, startMs: timeMs, endMs: timeMs, deadline })
  }

  #vector(expr: string, timeMs: number): QueryVectorAnswer {
    try {
      const { value, warnings, infos } = this.query(expr, timeMs)
      if (value.type === 'scalar')
        return { ok: true, samples: [{ pairs: [], timeMs, value: value.value }], warnings, infos }
      if (value.type !== 'vector')
        return { ok: false, kind: 'execution', message: 'rule result is not a vector or scalar' }
      const samples = value.samples.map(({ labels, ...sample }) => ({ pairs: labels.pairs, ...sample }))
      return { ok: true, samples, warnings, infos }
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      return { ok: false, kind: error.kind, message: error.message }
    }
  }

  #append({ pairs, timeMs, value, stale = false, histogram }: RuleSample): AppendResult {
    try {
      this.#storage.append(Labels.fromSortedPairs(pairs), { timeMs, value, stale, histogram, startMs: 0 })
      return APPEND.ok
    } catch (error) {
      const { message } = error as Error
      if (message.startsWith('duplicate')) return APPEND.duplicate
      return message.startsWith('invalid') ? APPEND.badHistogram : APPEND.outOfOrder
    }
  }
}

/** The input series as a load command of a test script, so that positions in errors count its lines. */
function inputSeries(test: TestGroup): readonly LoadedSeries[] {
  const lines = test.input_series.flatMap(({ series, values }) => `  ${series} ${values}`.split('\n'))
  const end = lines.findIndex((line) => line.trim() === '' || line.trim().startsWith('#'))
  const load = [`load ${formatDuration(test.interval)}`, ...lines.slice(0, end < 0 ? undefined : end)]
  try {
    const [command] = parseScript(load.join('\n'))
    return command?.kind === 'load' ? command.series : []
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error
    throw new Error(error.message.replace(/^line (\d+): 1:(\d+): (?=parse error)/, '$1:$2: '), {
      cause: error,
    })
  }
}
