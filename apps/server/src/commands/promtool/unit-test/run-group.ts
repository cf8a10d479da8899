// Runs one test group: evaluates the rules step by step, compares firing alerts at the times asked for, then the
// expressions. Differences come as texts in promtool's layout.
import { Labels, formatDuration, histogramLiteral, isStale, quoteString } from '@watchfire/datamodel'
import { QueryError, type EngineFeatures } from '@watchfire/promql'
import { parseSeriesDescription, type ParserOptions } from '@watchfire/promql/parser'
import { AlertingRule } from '../../../rules/alerting-rule.ts'
import type { RuleGroup } from '../../../rules/rule-group.ts'
import { loadRuleFile, type RuleGroupConfig } from '../../../rules/rule-file.ts'
import { goDurationText } from '../command-line.ts'
import { goText } from '../go-text.ts'
import { alertsJson, diffText } from './diff.ts'
import { Simulation } from './simulation.ts'
import type { AlertTest, ExprTest, TestFile, TestGroup } from './test-file.ts'

export interface GroupOptions {
  readonly parser: ParserOptions
  readonly features: EngineFeatures
  /** Differences of alerts as a coloured diff. */
  readonly diff: boolean
  readonly ignoreUnknownFields: boolean
  /** Gets lines about the progress. */
  readonly debug: ((line: string) => void) | undefined
}

/** A firing alert, expected or found. */
export interface LabelsAndAnnotations {
  readonly labels: Labels
  readonly annotations: Labels
}

interface ComparedSample {
  readonly labels: Labels
  readonly value: number
  /** '' = a float. */
  readonly histogram: string
}

/** What is wrong, in order; empty = all as expected. */
export async function runGroup(test: TestGroup, file: TestFile, options: GroupOptions): Promise<string[]> {
  let simulation: Simulation
  let configs: RuleGroupConfig[]
  try {
    const { evaluationIntervalMs } = file
    simulation = new Simulation(test, { evaluationIntervalMs, features: options.features })
    configs = loadGroups(file, options)
  } catch (error) {
    return [(error as Error).message]
  }
  const unnamed = test.alert_rule_test.find(({ alertname }) => alertname === '')
  if (unnamed) {
    const where = test.name === '' ? '' : ` (in TestGroup ${test.name})`
    return [
      `an item under alert_rule_test misses required attribute alertname at eval_time ${formatDuration(unnamed.eval_time)}${where}`,
    ]
  }
  return new GroupRun(test, file, options, simulation, simulation.ruleGroups(configs)).run()
}

/** Groups in the order of evaluation; those not named in it count as first. */
function loadGroups({ ruleFiles, groupOrder }: TestFile, options: GroupOptions): RuleGroupConfig[] {
  const { parser, ignoreUnknownFields } = options
  const groups = [...new Set(ruleFiles)].flatMap((path) =>
    loadRuleFile(path, { ...parser, ignoreUnknownFields }),
  )
  const place = ({ name }: RuleGroupConfig) => groupOrder.get(name) ?? 0
  return groups.sort((a, b) => place(a) - place(b))
}

class GroupRun {
  readonly #test: TestGroup
  readonly #file: TestFile
  readonly #options: GroupOptions
  readonly #simulation: Simulation
  readonly #groups: readonly RuleGroup[]
  readonly #problems: string[] = []

  constructor(
    test: TestGroup,
    file: TestFile,
    options: GroupOptions,
    simulation: Simulation,
    groups: readonly RuleGroup[],
  ) {
    this.#test = test
    this.#file = file
    this.#options = options
    this.#simulation = simulation
    this.#groups = groups
  }

  async run(): Promise<string[]> {
    if (await this.#evaluateAll()) {
      for (const expr of this.#test.promql_expr_test) this.#checkExpr(expr)
      this.#dump()
    }
    return this.#problems
  }

  #lastMs(): number {
    const { alert_rule_test: alerts, promql_expr_test: exprs } = this.#test
    return Math.max(0, ...alerts.map((test) => test.eval_time), ...exprs.map((test) => test.eval_time))
  }

  /** Steps through the time; false when a rule failed, which ends the test. */
  async #evaluateAll(): Promise<boolean> {
    const { startMs } = this.#simulation
    const stepMs = this.#file.evaluationIntervalMs
    const lastMs = this.#lastMs()
    for (let elapsedMs = 0; elapsedMs <= lastMs; elapsedMs += stepMs) {
      const timeMs = startMs + elapsedMs
      try {
        this.#simulation.advance(timeMs)
        const failures = await this.#simulation.evaluate(this.#groups, timeMs)
        for (const { rule, message } of failures)
          this.#problems.push(`    rule: ${rule}, time: ${goDurationText(timeMs)}, err: ${message}`)
        if (failures.length > 0) return false
      } catch (error) {
        this.#problems.push((error as Error).message)
      }
      const due = this.#test.alert_rule_test.filter(
        ({ eval_time: at }) => elapsedMs <= at && at < elapsedMs + stepMs,
      )
      due.sort((a, b) => a.eval_time - b.eval_time)
      for (const test of due) this.#checkAlerts(test)
    }
    return true
  }

  #checkAlerts(test: AlertTest): void {
    const got = this.#groups
      .flatMap(({ rules }) => rules.filter((rule) => rule instanceof AlertingRule))
      .filter(({ name }) => name === test.alertname)
      .flatMap((rule) => rule.alerts().filter(({ state }) => state === 'firing'))
      .map(({ labels, annotations }) => ({ labels, annotations: Labels.from(annotations) }))
      .sort(compareAlerts)
    const wanted = test.exp_alerts
      .map(({ exp_labels: labels, exp_annotations: annotations }) => ({
        labels: Labels.from({ ...labels, alertname: test.alertname }),
        annotations: Labels.from(annotations),
      }))
      .sort(compareAlerts)
    if (wanted.length === got.length && wanted.every((alert, i) => compareAlerts(alert, got[i]!) === 0))
      return
    const name = this.#test.name === '' ? '' : `    name: ${this.#test.name},\n`
    const head = `${name}    alertname: ${test.alertname}, time: ${formatDuration(test.eval_time)}, \n        `
    const body = this.#options.diff
      ? `diff: ${indent(diffText(alertsJson(wanted), alertsJson(got)))}`
      : `exp:${indent(alertsText(wanted))}, \n        got:${indent(alertsText(got))}`
    this.#problems.push(head + body)
  }

  #checkExpr(test: ExprTest): void {
    const head = `    expr: ${quoteString(test.expr)}, time: ${formatDuration(test.eval_time)},`
    let got: ComparedSample[]
    try {
      got = this.#samplesOf(test)
    } catch (error) {
      if (!(error instanceof QueryError)) throw error
      this.#problems.push(`${head} err: ${error.message}`)
      return
    }
    const wanted: ComparedSample[] = []
    for (const sample of test.exp_samples) {
      try {
        const { labels } = parseSeriesDescription(sample.labels)
        const histogram = sample.histogram === '' ? '' : expectedHistogram(sample.histogram)
        wanted.push({ labels, value: sample.value, histogram })
      } catch (error) {
        const { message } = error as Error
        this.#problems.push(`${head} err: labels ${quoteString(sample.labels)}: ${message}`)
        return
      }
    }
    got.sort((a, b) => a.labels.compare(b.labels))
    wanted.sort((a, b) => a.labels.compare(b.labels))
    const fuzzy = this.#file.fuzzyCompare
    if (wanted.length === got.length && wanted.every((sample, i) => sameSample(sample, got[i]!, fuzzy)))
      return
    this.#problems.push(`${head}\n        exp: ${samplesText(wanted)}\n        got: ${samplesText(got)}`)
  }

  #samplesOf(test: ExprTest): ComparedSample[] {
    const { value } = this.#simulation.query(test.expr, this.#simulation.startMs + test.eval_time)
    switch (value.type) {
      case 'scalar':
        return [{ labels: Labels.EMPTY, value: value.value, histogram: '' }]
      case 'vector':
        return value.samples.map(({ labels, value: float, histogram }) =>
          histogram
            ? { labels, value: 0, histogram: histogramLiteral(histogram) }
            : { labels, value: float, histogram: '' },
        )
      default:
        throw new QueryError('execution', 'rule result is not a vector or scalar')
    }
  }

  /** Shows all data at the end of the test. */
  #dump(): void {
    const { debug } = this.#options
    if (!debug) return
    const seconds = Math.floor((this.#lastMs() + 1000) / 1000)
    const expr = `{__name__=~".+"}[${goDurationText(seconds * 1000)}]`
    try {
      const { value } = this.#simulation.query(expr, this.#simulation.startMs + seconds * 1000)
      if (value.type !== 'matrix') return
      debug(`DEBUG: Dump of all data (input_series and rules) at ${goDurationText(seconds * 1000)}:`)
      const series = value.series.map(({ labels, times, values, histograms }) => {
        const points = Array.from(times, (timeMs, i) => {
          const histogram = histograms?.[i]
          const point = histogram ? histogramLiteral(histogram) : showFloat(values[i]!)
          return `${point} @[${timeMs}]`
        })
        return `${labels.toString()} =>\n${points.join('\n')}`
      })
      debug(series.join('\n'))
    } catch (error) {
      debug(`DEBUG: Failed query exec, expr: ${quoteString(expr)}, err: ${(error as Error).message}`)
    }
  }
}

function showFloat(value: number): string {
  return isStale(value) ? 'stale' : goText(value, 'g')
}

function expectedHistogram(text: string): string {
  const { values } = parseSeriesDescription(`{} ${text}`)
  if (values.length !== 1) throw new Error(`expected 1 value, got ${values.length}`)
  const value = values[0]!
  if (value.kind !== 'histogram')
    throw new Error(`expected histogram, got ${value.kind === 'float' ? showFloat(value.value) : '_'}`)
  return histogramLiteral(value.histogram)
}

function compareAlerts(a: LabelsAndAnnotations, b: LabelsAndAnnotations): number {
  return a.labels.compare(b.labels) || a.annotations.compare(b.annotations)
}

function sameSample(a: ComparedSample, b: ComparedSample, fuzzy: boolean): boolean {
  const sameValue = a.value === b.value || (fuzzy && areNeighbours(a.value, b.value))
  return sameValue && a.histogram === b.histogram && a.labels.equals(b.labels)
}

/** True when there is no float between the two. */
function areNeighbours(a: number, b: number): boolean {
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false
  const distance = ordinal(a) - ordinal(b)
  return distance === 1n || distance === -1n
}

/** Place of a finite float in the order of all floats. */
function ordinal(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigInt64(0)
  return bits < 0n ? -(bits & 0x7fff_ffff_ffff_ffffn) : bits
}

function samplesText(samples: readonly ComparedSample[]): string {
  if (samples.length === 0) return 'nil'
  return samples
    .map(({ labels, value, histogram }) => `${labels.toString()} ${histogram || goText(value, 'E')}`)
    .join(', ')
}

function alertsText(alerts: readonly LabelsAndAnnotations[]): string {
  if (alerts.length === 0) return '[]'
  const items = alerts.map(
    ({ labels, annotations }, i) =>
      `${i}:\n  Labels:${labels.toString()}\n  Annotations:${annotations.toString()}`,
  )
  return `[\n${items.join(',\n')}\n]`
}

/** All lines but the first moved to the right. */
function indent(text: string): string {
  return text.replaceAll('\n', '\n            ')
}
