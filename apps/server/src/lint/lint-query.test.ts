import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { MetricType } from '@watchfire/datamodel'
import { parseExpr } from '@watchfire/promql/parser'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRuleFile } from '../rules/index.ts'
import { gatherKnowledge, knowledgeOf, lintQuery, NO_KNOWLEDGE, type Knowledge } from './index.ts'
import { nearest } from './knowledge.ts'

const ML_LABELS = ['job', 'instance', 'model_name', 'version']
const LABELS: Record<string, string[]> = {
  up: ['job', 'instance'],
  ml_predictions_total: [...ML_LABELS, 'status'],
  ml_predictions_duration_seconds_bucket: [...ML_LABELS, 'le'],
  ml_predictions_duration_seconds_sum: ML_LABELS,
  ml_predictions_duration_seconds_count: ML_LABELS,
  ml_active_models: ML_LABELS,
  ml_model_load_errors_total: [...ML_LABELS, 'error_type'],
  http_requests_total: ['job', 'instance', 'handler', 'method', 'status'],
  http_request_duration_seconds_bucket: ['job', 'instance', 'handler', 'method', 'le'],
  http_request_duration_seconds_sum: ['job', 'instance', 'handler', 'method'],
  http_request_duration_seconds_count: ['job', 'instance', 'handler', 'method'],
  http_response_size_bytes_sum: ['job', 'instance', 'handler'],
  http_response_size_bytes_count: ['job', 'instance', 'handler'],
  process_resident_memory_bytes: ['job', 'instance'],
  process_cpu_seconds_total: ['job', 'instance'],
  native_seconds: ['job', 'instance'],
  'job_model_name_le:ml_predictions_duration_seconds_bucket:rate5m': ['job', 'model_name', 'le'],
}
const TYPES: Record<string, MetricType> = {
  up: 'gauge',
  ml_predictions_total: 'counter',
  ml_predictions_duration_seconds: 'histogram',
  ml_active_models: 'gauge',
  ml_model_load_errors_total: 'counter',
  http_requests: 'counter',
  http_request_duration_seconds: 'histogram',
  http_response_size_bytes: 'summary',
  process_resident_memory_bytes: 'gauge',
  process_cpu_seconds_total: 'counter',
  native_seconds: 'histogram',
}
const knowledge = knowing(LABELS)
/** As where native histograms are scraped too. */
const withNative = knowing({ ...LABELS, ml_predictions_duration_seconds: ML_LABELS })

function knowing(labels: Record<string, string[]>): Knowledge {
  const types = new Map(Object.entries(TYPES))
  return knowledgeOf({ types, names: Object.keys(labels), labels: new Map(Object.entries(labels)) })
}

function rulesOf(query: string, known: Knowledge = knowledge): string[] {
  return lintQuery(query, known).map(({ rule }) => rule)
}

const TRUE_POSITIVES: [query: string, rule: string, proposal: string | undefined][] = [
  ['rate(ml_active_models[5m])', 'rate-of-gauge', 'deriv(ml_active_models[5m])'],
  [
    'sum(increase(process_resident_memory_bytes[1h]))',
    'rate-of-gauge',
    'sum(delta(process_resident_memory_bytes[1h]))',
  ],
  ['irate(up[1m])', 'rate-of-gauge', 'deriv(up[1m])'],
  [
    'histogram_quantile(0.9, ml_predictions_duration_seconds_bucket)',
    'quantile-without-rate',
    'histogram_quantile(0.9, rate(ml_predictions_duration_seconds_bucket[5m]))',
  ],
  [
    'histogram_quantile(0.9, sum by (le) (ml_predictions_duration_seconds_bucket{version="1"}))',
    'quantile-without-rate',
    'histogram_quantile(0.9, sum by (le) (rate(ml_predictions_duration_seconds_bucket{version="1"}[5m])))',
  ],
  [
    'histogram_quantile(0.9, sum(rate(ml_predictions_duration_seconds_bucket[5m])))',
    'quantile-without-le',
    'histogram_quantile(0.9, sum by (le) (rate(ml_predictions_duration_seconds_bucket[5m])))',
  ],
  [
    'histogram_quantile(0.9, sum by (job) (rate(ml_predictions_duration_seconds_bucket[5m])))',
    'quantile-without-le',
    'histogram_quantile(0.9, sum by (job, le) (rate(ml_predictions_duration_seconds_bucket[5m])))',
  ],
  [
    'histogram_quantile(0.9, sum without (le, job) (rate(ml_predictions_duration_seconds_bucket[5m])))',
    'quantile-without-le',
    'histogram_quantile(0.9, sum without (job) (rate(ml_predictions_duration_seconds_bucket[5m])))',
  ],
  [
    'avg(ml_predictions_duration_seconds)',
    'histogram-base',
    'sum(rate(ml_predictions_duration_seconds_sum[5m])) / sum(rate(ml_predictions_duration_seconds_count[5m]))',
  ],
  [
    'avg by (job) (http_response_size_bytes{handler="/"})',
    'histogram-base',
    'sum by (job) (rate(http_response_size_bytes_sum{handler="/"}[5m])) / sum by (job) (rate(http_response_size_bytes_count{handler="/"}[5m]))',
  ],
  [
    'avg_over_time(ml_predictions_duration_seconds[10m])',
    'histogram-base',
    'rate(ml_predictions_duration_seconds_sum[10m]) / rate(ml_predictions_duration_seconds_count[10m])',
  ],
  [
    'histogram_quantile(0.5, sum by (job) (rate(ml_predictions_duration_seconds[2m])))',
    'histogram-base',
    'histogram_quantile(0.5, sum by (job, le) (rate(ml_predictions_duration_seconds_bucket[2m])))',
  ],
  [
    'sum(rate(http_requests_total[1h])) > 100',
    'rate-as-total',
    'sum(increase(http_requests_total[1h])) > 100',
  ],
  ['rate(http_requests_total[5m]) == 3', 'rate-as-total', 'increase(http_requests_total[5m]) == 3'],
  [
    '5 < sum by (job) (rate(http_requests_total[1d]))',
    'rate-as-total',
    '5 < sum by (job) (increase(http_requests_total[1d]))',
  ],
  ['1 - (up == 1)', 'missing-bool', '1 - (up == bool 1)'],
  ['ml_active_models * (up > 0)', 'missing-bool', 'ml_active_models * (up > bool 0)'],
  ['sum(up == 0)', 'sum-of-zeros', 'sum(up == bool 0)'],
  [
    'sum by (stauts) (rate(http_requests_total[5m]))',
    'unknown-label',
    'sum by (status) (rate(http_requests_total[5m]))',
  ],
  ['http_requests_total{code="500"}', 'unknown-label', undefined],
  ['up{jobs="x"}', 'unknown-label', 'up{job="x"}'],
  ['sum by (job) (up) / on (job, model) group_left () sum by (job) (up)', 'unknown-label', undefined],
  ['sum by (model_name) (sum by (job) (ml_predictions_total))', 'unknown-label', undefined],
  ['ml_prediction_total', 'unknown-metric', 'ml_predictions_total'],
  ['rate(ml_predictions[5m])', 'unknown-metric', 'rate(ml_predictions_total[5m])'],
  ['nowhere_to_be_found', 'unknown-metric', undefined],
  [
    'sum(rate(ml_predictions_total{status="success"}[5m])) / sum(rate(ml_predictions_total[5m])) < 0.9',
    'vanishing-series',
    '(sum(rate(ml_predictions_total{status="success"}[5m])) or 0 * sum(rate(ml_predictions_total[5m]))) / sum(rate(ml_predictions_total[5m])) < 0.9',
  ],
  [
    '1 - sum(rate(ml_predictions_total{status="success"}[5m])) / sum(rate(ml_predictions_total[5m])) > 0.1',
    'vanishing-series',
    '1 - (sum(rate(ml_predictions_total{status="success"}[5m])) or 0 * sum(rate(ml_predictions_total[5m]))) / sum(rate(ml_predictions_total[5m])) > 0.1',
  ],
  ['up{job="api"} == 0', 'vanishing-series', 'up{job="api"} == 0 or absent(up{job="api"})'],
  ['count(up{job="api"}) < 2', 'vanishing-series', '(count(up{job="api"}) or vector(0)) < 2'],
  [
    'sum(rate(http_requests_total[5m])) == 0',
    'vanishing-series',
    '(sum(rate(http_requests_total[5m])) or vector(0)) == 0',
  ],
  [
    'sum by (job) (rate(http_requests_total{handler="/"}[5m])) == 0',
    'vanishing-series',
    'sum by (job) (rate(http_requests_total{handler="/"}[5m])) == 0 or absent(http_requests_total{handler="/"})',
  ],
]

const TRUE_NEGATIVES = [
  'up == 0',
  'rate(ml_predictions_total[5m])',
  'rate(http_requests_total[5m]) > 0',
  'rate(http_request_duration_seconds_sum[5m]) / rate(http_request_duration_seconds_count[5m])',
  'deriv(ml_active_models[5m])',
  'rate(http_requests_total[1h]) > 0.5',
  'rate(http_requests_total[5m]) > 100',
  'rate(http_requests_total[1h]) * 3600 > 100',
  'increase(http_requests_total[1h]) > 100',
  'count(up == 0)',
  'sum(up == bool 0)',
  'sum(up) / count(up)',
  'ml_active_models / (ml_active_models > 0)',
  'up * 2 > 1',
  'http_requests_total{code=""}',
  'http_requests_total{code!="500"}',
  'absent(nothing_like_this)',
  'ALERTS{alertstate="firing"}',
  'sum without (nothing) (up)',
  'label_replace(up, "host", "$1", "instance", "(.*):.*") * on (host) group_left () label_replace(up, "host", "$1", "instance", "(.*):.*")',
  'sum by (host) (label_replace(up, "host", "$1", "instance", "(.*):.*"))',
  'histogram_quantile(0.9, rate(native_seconds[5m]))',
  'histogram_quantile(0.9, sum(rate(native_seconds[5m])))',
  'histogram_quantile(0.95, job_model_name_le:ml_predictions_duration_seconds_bucket:rate5m)',
  'sum(rate(ml_predictions_total{status="error"}[5m])) / sum(rate(ml_predictions_total[5m])) > 0.1',
  '(sum(rate(http_requests_total[5m])) or vector(0)) == 0',
  'sum(rate(http_requests_total[5m])) == 0 or absent(up)',
  'count(up) > 3',
  '{job="api"}',
  'sum(rate(ml_predictions_duration_seconds[5m])) or sum(rate(ml_predictions_duration_seconds_bucket[5m]))',
  '"text"',
  '1 + 1',
]

describe('the linter', () => {
  it.each(TRUE_POSITIVES)('finds fault with %s', (query, rule, proposal) => {
    const found = lintQuery(query, knowledge).filter((finding) => finding.rule === rule)
    expect(found.length).toBeGreaterThan(0)
    expect(found[0]!.proposal).toBe(proposal)
  })

  it.each(TRUE_POSITIVES.filter(([, , proposal]) => proposal !== undefined))(
    'is content with its own correction of %s',
    (_query, rule, proposal) => {
      expect(rulesOf(proposal!)).not.toContain(rule)
    },
  )

  it.each(TRUE_NEGATIVES)('has nothing to say about %s', (query) => {
    expect(lintQuery(query, knowledge)).toEqual([])
  })

  it('tells where and what', () => {
    const query = 'up +\n  rate(ml_active_models[5m])'
    const [finding] = lintQuery(query, knowledge)
    expect(finding).toMatchObject({ start: 7, end: 33, position: '2:3', severity: 'warning' })
    expect(query.slice(finding!.start, finding!.end)).toBe('rate(ml_active_models[5m])')
    expect(finding!.message).toBe(
      '"ml_active_models" is a gauge: rate() takes every fall of its value for a restarted counter; deriv() gives its change',
    )
  })

  it('says only what shows in the query when nothing is known', () => {
    expect(rulesOf('rate(ml_active_models[5m]) + nowhere{x="y"}', NO_KNOWLEDGE)).toEqual([])
    expect(rulesOf('histogram_quantile(0.9, x_bucket)', NO_KNOWLEDGE)).toEqual(['quantile-without-rate'])
  })

  it('refuses what is no query', () => {
    expect(() => lintQuery('sum(')).toThrow('unclosed left parenthesis')
  })

  it('proposes only queries', () => {
    const words = fc.constantFrom(...TRUE_POSITIVES.map(([query]) => query), ...TRUE_NEGATIVES)
    const joined = fc
      .tuple(words, fc.constantFrom('+', '/', 'or', 'and', '> bool', '=='), words)
      .map(([a, op, b]) => `(${a}) ${op} (${b})`)
    fc.assert(
      fc.property(joined, (query) => {
        try {
          parseExpr(query)
        } catch {
          return
        }
        for (const { proposal, start, end } of lintQuery(query, knowledge)) {
          expect(end).toBeGreaterThan(start)
          if (proposal !== undefined) expect(() => parseExpr(proposal)).not.toThrow()
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('what is shipped', () => {
  const deploy = fileURLToPath(new URL('../../../../deploy/', import.meta.url))
  const expressions = [
    ...readdirSync(`${deploy}rules`).flatMap((file) =>
      parseRuleFile(readFileSync(`${deploy}rules/${file}`, 'utf8'), file).flatMap(({ rules }) =>
        rules.map(({ expr }) => expr),
      ),
    ),
    ...readdirSync(`${deploy}grafana/dashboards`).flatMap((file) =>
      expressionsOf(JSON.parse(readFileSync(`${deploy}grafana/dashboards/${file}`, 'utf8'))),
    ),
  ]

  it('has expressions', () => {
    expect(expressions.length).toBeGreaterThan(20)
  })

  it.each(expressions)('passes: %s', (expr) => {
    const query = expr.replaceAll('$__rate_interval', '5m').replaceAll('$model', '.*')
    expect(lintQuery(query, withNative)).toEqual([])
  })
})

/** All PromQL in a dashboard. */
function expressionsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, child]) =>
    name === 'expr' && typeof child === 'string' ? [child] : expressionsOf(child),
  )
}

describe('knowledge', () => {
  it('is gathered for the metrics of the query', async () => {
    const asked: string[] = []
    const gathered = await gatherKnowledge('sum(rate(a_total[5m])) / b', {
      metadata: async () => [
        { metric: 'a_total', type: 'counter' },
        { metric: 'b', type: 'gauge' },
        { metric: 'b', type: 'counter' },
      ],
      metricNames: async () => ['a_total', 'c'],
      labelNames: async (metric) => (asked.push(metric), ['job']),
      recordedNames: () => ['job:a:rate5m'],
    })
    expect(asked).toEqual(['a_total'])
    expect(gathered.typeOf('a_total')).toBe('counter')
    expect(gathered.typeOf('b')).toBe('unknown')
    expect([...gathered.names!]).toEqual(['a_total', 'c', 'job:a:rate5m'])
    expect(gathered.labelsOf('b')).toBeUndefined()
  })

  it('finds the nearest word, and none when all are far', () => {
    expect(nearest('stauts', ['status', 'state'])).toBe('status')
    expect(nearest('code', ['status', 'method'])).toBeUndefined()
  })
})
