// `promtool check metrics`: reads an exposition from standard input, tells what is unusual about it and how many
// series each metric has.
import { EXIT, type Io } from './io.ts'
import { readFamilies, type MetricFamily } from './metric-families.ts'
import { lintFamilies } from './metric-lint.ts'

export interface CheckMetricsOptions {
  /** Print cardinalities. */
  readonly extended: boolean
  /** `none` switches the checks off. */
  readonly lint: string
}

export async function checkMetrics({ extended, lint }: CheckMetricsOptions, io: Io): Promise<number> {
  const linting = lint !== 'none'
  if (!extended && !linting) {
    io.err(
      'error: at least one of --extended or linting must be enabled\n' +
        'Use --extended for cardinality analysis, or remove --lint=none to enable linting\n',
    )
    return EXIT.failure
  }
  let families: MetricFamily[]
  try {
    families = readFamilies(await io.stdin())
  } catch (error) {
    const where = linting ? 'error while linting:' : 'error while parsing text to metric families:'
    io.err(`${where} ${(error as Error).message}\n`)
    return EXIT.failure
  }
  const problems = linting ? lintFamilies(families) : []
  io.err(problems.map(({ metric, text }) => `${metric} ${text}\n`).join(''))
  if (extended) io.out(cardinalities(families))
  return problems.length > 0 ? EXIT.lint : EXIT.success
}

function cardinalities(families: readonly MetricFamily[]): string {
  const rows = families
    .map((family) => ({ name: family.name, count: cardinality(family) }))
    .sort((a, b) => b.count - a.count)
  const total = rows.reduce((sum, { count }) => sum + count, 0)
  return columns([
    ['Metric', 'Cardinality', 'Percentage'],
    ...rows.map(({ name, count }) => [name, String(count), `${((count / total) * 100).toFixed(2)}%`]),
    ['Total', String(total), '100%'],
  ])
}

/** Series of a family: a histogram has its buckets, sum and count. */
function cardinality({ type, metrics }: MetricFamily): number {
  if (type !== 'histogram' && type !== 'summary') return metrics.length
  return metrics.length * (2 + (metrics[0]?.parts ?? 0))
}

/** Left-aligned columns with four blanks between them. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)) + 4)
  return rows.map((row) => `${row.map((cell, i) => cell.padEnd(widths[i]!)).join('')}\n`).join('')
}
