// promtool as a command of the server: the same command line, texts and exit codes as Prometheus's.
import type { EngineFeatures } from '@watchfire/promql'
import { ALL_EXPERIMENTS, type ParserOptions } from '@watchfire/promql/parser'
import { checkConfigs } from './check-config.ts'
import { checkMetrics } from './check-metrics.ts'
import { checkRules, parseRuleLint } from './check-rules.ts'
import { checkServerStatus } from './check-server.ts'
import { checkServiceDiscovery } from './check-sd.ts'
import { checkWebConfigs } from './check-web-config.ts'
import type { Values } from './command-line.ts'
import { goDuration, parseCommandLine, UsageError } from './command-line.ts'
import { PROMTOOL } from './commands.ts'
import { helpText } from './help.ts'
import { EXIT, processIo, type Io } from './io.ts'
import { deleteMatcher, formatQuery, newMatcher, setMatcher } from './promql.ts'
import { pushMetrics } from './push/push-metrics.ts'
import { analyzeHistograms } from './query/analyze.ts'
import { ApiClient } from './query/client.ts'
import { queryInstant, queryLabels, queryRange, querySeries } from './query/commands.ts'
import { checkRunPatterns, testRules } from './unit-test/run-files.ts'

const VERSION = '3.14.0'

interface Features {
  readonly parser: ParserOptions
  readonly engine: EngineFeatures
}

/** Runs a command line (without the program's name) and answers with the exit code. */
export async function runPromtool(argv: readonly string[], io: Io = processIo): Promise<number> {
  try {
    const line = parseCommandLine(PROMTOOL, argv)
    if (line.kind === 'help') {
      io.out(helpText(line.path))
      return EXIT.success
    }
    if (line.kind === 'version') {
      io.out(`promtool, version ${VERSION}\n  platform: ${process.platform}/${process.arch}\n`)
      return EXIT.success
    }
    const features = readFeatures(line.values.list('enable-feature'), io)
    if (line.path.startsWith('promql ')) return runPromql(line.path, line.values, features.parser, io)
    return await run(line.path, line.values, features, io)
  } catch (error) {
    const suffix = error instanceof UsageError ? ', try --help' : ''
    io.err(`promtool: error: ${(error as Error).message}${suffix}\n`)
    return EXIT.failure
  }
}

async function run(path: string, values: Values, { parser, engine }: Features, io: Io): Promise<number> {
  switch (path) {
    case 'check config':
      return checkConfigs(
        values.list('config-files'),
        {
          syntaxOnly: values.flag('syntax-only'),
          agent: values.flag('agent'),
          lint: values.text('lint'),
          lookbackMs: goDuration(values.text('query.lookback-delta')),
          fatal: values.flag('lint-fatal'),
          ignoreUnknownFields: values.flag('ignore-unknown-fields'),
          parser,
        },
        io,
      )
    case 'check rules':
      return checkRules(
        values.list('rule-files'),
        {
          duplicates: parseRuleLint(values.text('lint'), io),
          fatal: values.flag('lint-fatal'),
          ignoreUnknownFields: values.flag('ignore-unknown-fields'),
          parser,
        },
        io,
      )
    case 'check metrics':
      return checkMetrics({ extended: values.flag('extended'), lint: values.text('lint') }, io)
    case 'check web-config':
      return checkWebConfigs(values.list('web-config-files'), io)
    case 'check service-discovery':
      return checkServiceDiscovery(
        values.text('config-file'),
        values.text('job'),
        goDuration(values.text('timeout')),
        io,
      )
    case 'check healthy':
      return checkServerStatus(values.text('url'), '-/healthy', values.text('http.config.file'), io)
    case 'check ready':
      return checkServerStatus(values.text('url'), '-/ready', values.text('http.config.file'), io)
    case 'test rules':
      checkRunPatterns(values.list('run'))
      return testRules(
        {
          files: values.list('test-rule-file'),
          run: values.list('run'),
          diff: values.flag('diff'),
          debug: values.flag('debug'),
          ignoreUnknownFields: values.flag('ignore-unknown-fields'),
          junit: values.text('junit'),
          parser,
          features: engine,
        },
        io,
      )
    case 'push metrics':
      return pushMetrics(
        {
          url: values.text('remote-write-url'),
          path: values.text('remote-write.path'),
          httpConfigFile: values.text('http.config.file'),
          headers: values.pairs('header'),
          labels: values.pairs('label'),
          message: values.text('protobuf_message'),
          timeoutMs: goDuration(values.text('timeout')),
          files: values.list('metric-files'),
        },
        io,
      )
    default:
      return runQuery(path, values, io)
  }
}

async function runQuery(path: string, values: Values, io: Io): Promise<number> {
  const client = new ApiClient({
    server: values.text('server'),
    httpConfigFile: values.text('http.config.file'),
    headers: values.pairs('header'),
  })
  const range = { start: values.text('start'), end: values.text('end') }
  const format = values.text('format') as 'promql' | 'json'
  try {
    switch (path) {
      case 'query instant':
        return await queryInstant(client, values.text('expr'), values.text('time'), format, io)
      case 'query range': {
        const stepMs = values.text('step') === '' ? 0 : goDuration(values.text('step'))
        return await queryRange(client, values.text('expr'), { ...range, stepMs }, format, io)
      }
      case 'query series':
        return await querySeries(client, values.list('match'), range, format, io)
      case 'query labels':
        return await queryLabels(client, values.text('name'), values.list('match'), range, format, io)
      default:
        return await analyzeHistograms(
          client,
          {
            type: values.text('type'),
            durationMs: goDuration(values.text('duration')),
            time: values.text('time'),
            matches: values.list('match'),
          },
          io,
        )
    }
  } finally {
    await client.close()
  }
}

function runPromql(path: string, values: Values, parser: ParserOptions, io: Io): number {
  if (!values.flag('experimental')) {
    io.err('This command is experimental and requires the --experimental flag to be set.\n')
    return EXIT.failure
  }
  const query = values.text('query')
  const name = values.text('name')
  try {
    if (path === 'promql format') io.out(`${formatQuery(query, parser)}\n`)
    else if (path === 'promql label-matchers delete') io.out(`${deleteMatcher(query, name, parser)}\n`)
    else {
      const matcher = newMatcher(name, values.text('type'), values.text('value'))
      io.out(`${setMatcher(query, matcher, parser)}\n`)
    }
    return EXIT.success
  } catch (error) {
    io.err(`${(error as Error).message}\n`)
    return EXIT.failure
  }
}

function readFeatures(lists: readonly string[], io: Io): Features {
  const names = new Set(lists.flatMap((list) => list.split(',')).filter((name) => name !== ''))
  const known: readonly string[] = [
    'promql-experimental-functions',
    'promql-delayed-name-removal',
    'promql-duration-expr',
    'promql-extended-range-selectors',
    'promql-binop-fill-modifiers',
  ]
  for (const name of names)
    if (!known.includes(name)) io.out(`  WARNING: Unknown feature passed to --enable-feature: ${name}`)
  const experiments = {
    experimentalFunctions: names.has('promql-experimental-functions'),
    durationExpressions: ALL_EXPERIMENTS.durationExpressions ?? true,
    extendedRangeSelectors: names.has('promql-extended-range-selectors'),
    binopFillModifiers: names.has('promql-binop-fill-modifiers'),
  }
  return {
    parser: experiments,
    engine: { ...experiments, delayedNameRemoval: names.has('promql-delayed-name-removal') },
  }
}
