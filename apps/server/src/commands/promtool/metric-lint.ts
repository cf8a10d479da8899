// What is said about the names and texts of exposed metrics.
import { type MetricFamily } from './metric-families.ts'

export interface MetricProblem {
  readonly metric: string
  readonly text: string
}

/** All problems, sorted by metric and text. */
export function lintFamilies(families: readonly MetricFamily[]): MetricProblem[] {
  const problems = families.flatMap((family) =>
    CHECKS.flatMap((check) => check(family)).map((text) => ({ metric: family.name, text })),
  )
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return problems.sort((a, b) => compare(a.metric, b.metric) || compare(a.text, b.text))
}

type Check = (family: MetricFamily) => string[]

const CHECKS: readonly Check[] = [
  ({ help }) => (help === undefined ? ['no help text'] : []),
  ({ name }) => unitProblem(name),
  ({ name, type }) => {
    const total = name.endsWith('_total')
    if (type === 'counter') return total ? [] : ['counter metrics should have "_total" suffix']
    return type !== 'unknown' && total ? ['non-counter metrics should not have "_total" suffix'] : []
  },
  reservedNames,
  ({ name, type }) => {
    const word = `_${type}`
    const lower = name.toLowerCase()
    return type !== 'unknown' && (lower.includes(`${word}_`) || lower.endsWith(word))
      ? [`metric name should not include type '${type}'`]
      : []
  },
  ({ name }) => (name.includes(':') ? ["metric names should not contain ':'"] : []),
  camelCase,
  ({ name }) => {
    const lower = name.toLowerCase()
    return ABBREVIATIONS.filter((unit) => lower.includes(`_${unit}_`) || lower.endsWith(`_${unit}`)).map(
      () => 'metric names should not contain abbreviated units',
    )
  },
  ({ metrics }) => {
    const seen = new Map<string, number>()
    for (const { labels } of metrics) seen.set(labels.key(), (seen.get(labels.key()) ?? 0) + 1)
    return [...seen.values()].flatMap((count) => Array<string>(count - 1).fill('metric not unique'))
  },
]

function reservedNames({ name, type, metrics }: MetricFamily): string[] {
  if (type === 'unknown') return []
  const histogram = type === 'histogram'
  const composed = histogram || type === 'summary'
  const problems: string[] = []
  if (!histogram && name.endsWith('_bucket'))
    problems.push('non-histogram metrics should not have "_bucket" suffix')
  for (const suffix of ['_count', '_sum'])
    if (!composed && name.endsWith(suffix))
      problems.push(`non-histogram and non-summary metrics should not have "${suffix}" suffix`)
  for (const { labels } of metrics) {
    if (!histogram && labels.has('le')) problems.push('non-histogram metrics should not have "le" label')
    if (type !== 'summary' && labels.has('quantile'))
      problems.push('non-summary metrics should not have "quantile" label')
  }
  return problems
}

function camelCase({ name, metrics }: MetricFamily): string[] {
  const camel = /[a-z][A-Z]/
  const problems = camel.test(name) ? ["metric names should be written in 'snake_case' not 'camelCase'"] : []
  for (const { labels } of metrics)
    for (const label of labels.names())
      if (camel.test(label)) problems.push("label names should be written in 'snake_case' not 'camelCase'")
  return problems
}

/** Units by the base unit to use. */
const UNITS: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    amperes: 'amperes',
    bytes: 'bytes bits',
    celsius: 'celsius fahrenheit rankine',
    grams: 'grams pounds ounces',
    joules: 'joules calories',
    kelvin: 'kelvin kelvins',
    meters: 'meters inches yards miles',
    metres: 'metres',
    seconds: 'seconds minutes hours days weeks',
    volts: 'volts',
  }).flatMap(([base, units]) => units.split(' ').map((unit) => [unit, base])),
)
const PREFIXES =
  'pico nano micro milli centi deci deca hecto kilo kibi mega mibi giga gibi tera tebi peta pebi'.split(' ')
const ABBREVIATIONS = 's ms us ns sec b kb mb gb tb pb m h d'.split(' ')

function unitProblem(name: string): string[] {
  for (const part of name.split('_')) {
    const prefixes = ['', ...PREFIXES.filter((prefix) => part.startsWith(prefix))]
    for (const prefix of prefixes) {
      const unit = part.slice(prefix.length)
      if (!Object.hasOwn(UNITS, unit)) continue
      const base = UNITS[unit]!
      return part === base ? [] : [`use base unit "${base}" instead of "${part}"`]
    }
  }
  return []
}
