// Reads a file of rule unit tests: strict fields, rule files resolved by pattern.
import { dirname, isAbsolute, join } from 'node:path'
import { ValueError } from '../../../config/errors.ts'
import { glob, readText } from '../../../config/index.ts'
import { bool, duration, field, float, list, mapOf, parsed, struct, text } from '../../../config/schema.ts'
import { YamlDocument, isNull } from '../../../config/yaml-document.ts'
import { parseTime } from '../times.ts'

const alertSchema = struct('main.alert', {
  exp_labels: field(mapOf(text())),
  exp_annotations: field(mapOf(text())),
})
const alertTestSchema = struct('main.alertTestCase', {
  eval_time: field(duration),
  alertname: field(text()),
  exp_alerts: field(list(alertSchema)),
})
const sampleSchema = struct('main.sample', {
  labels: field(text()),
  value: field(float),
  histogram: field(text()),
})
const exprTestSchema = struct('main.promqlTestCase', {
  expr: field(text()),
  eval_time: field(duration),
  exp_samples: field(list(sampleSchema)),
})
const seriesSchema = struct('main.series', { series: field(text()), values: field(text()) })
const startSchema = parsed<number | undefined>('string', undefined, parseTime, (value) => value)
const groupSchema = struct('main.testGroup', {
  interval: field(duration),
  input_series: field(list(seriesSchema)),
  alert_rule_test: field(list(alertTestSchema)),
  promql_expr_test: field(list(exprTestSchema)),
  external_labels: field(mapOf(text())),
  external_url: field(text()),
  name: field(text()),
  start_timestamp: field(startSchema),
})
const fileSchema = struct('main.unitTestFile', {
  rule_files: field(list(text())),
  evaluation_interval: field(duration),
  group_eval_order: field(list(text())),
  tests: field(list(groupSchema)),
  fuzzy_compare: field(bool),
})

export type AlertTest = ReturnType<typeof alertTestSchema.decode>
export type ExprTest = ReturnType<typeof exprTestSchema.decode>
export type TestGroup = ReturnType<typeof groupSchema.decode>

/** A file as the runner uses it; times in ms. */
export interface TestFile {
  /** Patterns resolved. */
  readonly ruleFiles: readonly string[]
  /** Patterns that found nothing. */
  readonly unmatched: readonly string[]
  readonly evaluationIntervalMs: number
  /** Place of a group in the order of evaluation, by name. */
  readonly groupOrder: ReadonlyMap<string, number>
  readonly fuzzyCompare: boolean
  /** Intervals filled in. */
  readonly tests: readonly TestGroup[]
}

const MINUTE_MS = 60_000

/** Reads a file. Throws an Error with the text to show. */
export function readTestFile(path: string): TestFile {
  const document = new YamlDocument(readText(path))
  const root = document.resolve(document.root)
  const raw = isNull(root) ? fileSchema.zero : fileSchema.decode(root, document)
  if (document.problems.length > 0) {
    const lines = document.problems.map(({ line, text: problem }) => `\n  line ${line}: ${problem}`)
    throw new ValueError(`yaml: unmarshal errors:${lines.join('')}`, undefined)
  }
  const patterns = raw.rule_files.map((file) =>
    file === '' || isAbsolute(file) ? file : join(dirname(path), file),
  )
  const found = patterns.map((pattern) => ({ pattern, files: glob(pattern) }))
  const evaluationIntervalMs = raw.evaluation_interval || MINUTE_MS
  return {
    ruleFiles: found.flatMap(({ files }) => files),
    unmatched: found.filter(({ files }) => files.length === 0).map(({ pattern }) => pattern),
    evaluationIntervalMs,
    groupOrder: orderOf(raw.group_eval_order),
    fuzzyCompare: raw.fuzzy_compare,
    tests: raw.tests.map((test) => ({ ...test, interval: test.interval || evaluationIntervalMs })),
  }
}

function orderOf(names: readonly string[]): ReadonlyMap<string, number> {
  const order = new Map<string, number>()
  names.forEach((name, i) => {
    if (order.has(name)) throw new Error(`group name repeated in evaluation order: ${name}`)
    order.set(name, i)
  })
  return order
}
