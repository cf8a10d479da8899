// The command line of promtool 3.14: sub-commands, flags and arguments.
import type { ArgSpec, CommandNode, FlagSpec, ValueKind } from './command-line.ts'

type FlagExtra = Pick<FlagSpec, 'short' | 'default' | 'required' | 'repeated'>

function flag(name: string, kind: ValueKind, help: string, extra: FlagExtra = {}): FlagSpec {
  return { name, kind, help, ...extra }
}

function arg(name: string, kind: ValueKind, help: string, extra: Partial<ArgSpec> = {}): ArgSpec {
  return { name, kind, help, required: true, ...extra }
}

const HTTP_CONFIG = flag(
  'http.config.file',
  'file',
  'HTTP client configuration file, see details at https://prometheus.io/docs/prometheus/latest/configuration/promtool',
)
const SERVER = arg('server', 'url', 'Prometheus server to query.')
const EXPR = arg('expr', 'string', 'PromQL query expression.')
const HEADER = flag('header', 'pair', 'Extra headers to send to server.', { repeated: true })
const START = flag('start', 'string', 'Start time (RFC3339 or Unix timestamp).')
const END = flag('end', 'string', 'End time (RFC3339 or Unix timestamp).')
const MATCH = 'Series selector. Can be specified multiple times.'
const RULE_LINTS = 'all, duplicate-rules, none'
const CONFIG_LINTS = `${RULE_LINTS}, too-long-scrape-interval`
const LINT_FATAL = flag('lint-fatal', 'bool', 'Make lint errors exit with exit code 3.', { default: 'false' })
const METADATA_HINT =
  'This is useful when you want to extend rule files with custom metadata. Ensure that those fields are removed before loading them into the Prometheus server as it performs strict checks by default.'

function lint(what: string, options: string): FlagSpec {
  const help = `Linting checks to apply${what}. Available options are: ${options}. Use --lint=none to disable linting`
  return flag('lint', 'string', help, { default: 'duplicate-rules' })
}

function ignoreUnknown(where: string): FlagSpec {
  const help = `Ignore unknown fields in the ${where}. ${METADATA_HINT}`
  return flag('ignore-unknown-fields', 'bool', help, { default: 'false' })
}

const SERVER_URL = flag('url', 'url', 'The URL for the Prometheus server.', {
  default: 'http://localhost:9090',
})

const CHECK_METRICS_HELP = `Pass Prometheus metrics over stdin to lint them for consistency and correctness, and optionally perform cardinality analysis.

examples:

$ cat metrics.prom | promtool check metrics

$ curl -s http://localhost:9090/metrics | promtool check metrics --extended

$ curl -s http://localhost:9100/metrics | promtool check metrics --extended --lint=none`

const CHECK: CommandNode = {
  name: 'check',
  help: 'Check the resources for validity.',
  flags: [
    flag('query.lookback-delta', 'duration', "The server's maximum query lookback duration.", {
      default: '5m',
    }),
  ],
  commands: [
    {
      name: 'service-discovery',
      help: 'Perform service discovery for the given job name and report the results, including relabeling.',
      flags: [flag('timeout', 'duration', 'The time to wait for discovery results.', { default: '30s' })],
      args: [
        arg('config-file', 'file', 'The prometheus config file.'),
        arg('job', 'string', 'The job to run service discovery for.'),
      ],
    },
    {
      name: 'config',
      help: 'Check if the config files are valid or not.',
      flags: [
        flag(
          'syntax-only',
          'bool',
          'Only check the config file syntax, ignoring file and content validation referenced in the config',
        ),
        lint(' to the rules/scrape configs specified in the config', CONFIG_LINTS),
        LINT_FATAL,
        ignoreUnknown('rule groups read by the config files'),
        flag('agent', 'bool', 'Check config file for Prometheus in Agent mode.'),
      ],
      args: [arg('config-files', 'file', 'The config files to check.', { repeated: true })],
    },
    {
      name: 'web-config',
      help: 'Check if the web config files are valid or not.',
      args: [arg('web-config-files', 'file', 'The config files to check.', { repeated: true })],
    },
    {
      name: 'healthy',
      help: 'Check if the Prometheus server is healthy.',
      flags: [HTTP_CONFIG, SERVER_URL],
    },
    {
      name: 'ready',
      help: 'Check if the Prometheus server is ready.',
      flags: [HTTP_CONFIG, SERVER_URL],
    },
    {
      name: 'rules',
      help: 'Check if the rule files are valid or not.',
      flags: [lint('', RULE_LINTS), LINT_FATAL, ignoreUnknown('rule files')],
      args: [
        arg('rule-files', 'file', 'The rule files to check, default is read from standard input.', {
          required: false,
          repeated: true,
        }),
      ],
    },
    {
      name: 'metrics',
      help: CHECK_METRICS_HELP,
      flags: [
        flag('extended', 'bool', 'Print extended information related to the cardinality of the metrics.'),
        flag(
          'lint',
          'string',
          'Linting checks to apply for metrics. Available options are: all, none. Use --lint=none to disable metrics linting.',
          { default: 'all' },
        ),
      ],
    },
  ],
}

const QUERY: CommandNode = {
  name: 'query',
  help: 'Run query against a Prometheus server.',
  flags: [
    flag('format', ['promql', 'json'], 'Output format of the query.', { short: 'o', default: 'promql' }),
    HTTP_CONFIG,
  ],
  commands: [
    {
      name: 'instant',
      help: 'Run instant query.',
      flags: [flag('time', 'string', 'Query evaluation time (RFC3339 or Unix timestamp).'), HEADER],
      args: [SERVER, EXPR],
    },
    {
      name: 'range',
      help: 'Run range query.',
      flags: [
        HEADER,
        flag('start', 'string', 'Query range start time (RFC3339 or Unix timestamp).'),
        flag('end', 'string', 'Query range end time (RFC3339 or Unix timestamp).'),
        flag('step', 'duration', 'Query step size (duration).'),
      ],
      args: [SERVER, EXPR],
    },
    {
      name: 'series',
      help: 'Run series query.',
      flags: [flag('match', 'string', MATCH, { required: true, repeated: true }), START, END],
      args: [SERVER],
    },
    {
      name: 'labels',
      help: 'Run labels query.',
      flags: [START, END, flag('match', 'string', MATCH, { repeated: true })],
      args: [SERVER, arg('name', 'string', 'Label name to provide label values for.')],
    },
    {
      name: 'analyze',
      help: 'Run queries against your Prometheus to analyze the usage pattern of certain metrics.',
      flags: [
        flag('server', 'url', 'Prometheus server to query.', { required: true }),
        flag('type', 'string', 'Type of metric: histogram.', { required: true }),
        flag('duration', 'duration', 'Time frame to analyze.', { default: '1h' }),
        flag('time', 'string', 'Query time (RFC3339 or Unix timestamp), defaults to now.'),
        flag('match', 'string', MATCH, { required: true, repeated: true }),
      ],
    },
  ],
}

const PUSH: CommandNode = {
  name: 'push',
  help: 'Push to a Prometheus server.',
  flags: [HTTP_CONFIG],
  commands: [
    {
      name: 'metrics',
      help: 'Push metrics to a prometheus remote write (for testing purpose only).',
      flags: [
        flag('label', 'pair', 'Label to attach to metrics. Can be specified multiple times.', {
          default: 'job=promtool',
          repeated: true,
        }),
        flag('timeout', 'duration', 'The time to wait for pushing metrics.', { default: '30s' }),
        flag('header', 'pair', 'Prometheus remote write header.', { repeated: true }),
        flag(
          'protobuf_message',
          'string',
          'Protobuf message to use when writing (prometheus.WriteRequest or io.prometheus.write.v2.Request).',
          { default: 'prometheus.WriteRequest' },
        ),
        flag('remote-write.path', 'string', 'Override the default remote write API path.', {
          default: '/api/v1/write',
        }),
      ],
      args: [
        arg('remote-write-url', 'url', 'Prometheus remote write url to push metrics.'),
        arg('metric-files', 'file', 'The metric files to push, default is read from standard input.', {
          required: false,
          repeated: true,
        }),
      ],
    },
  ],
}

const TEST: CommandNode = {
  name: 'test',
  help: 'Unit testing.',
  flags: [flag('junit', 'string', 'File path to store JUnit XML test results.')],
  commands: [
    {
      name: 'rules',
      help: 'Unit tests for rules.',
      flags: [
        flag(
          'run',
          'string',
          'If set, will only run test groups whose names match the regular expression. Can be specified multiple times.',
          { repeated: true },
        ),
        flag('debug', 'bool', 'Enable unit test debugging.', { default: 'false' }),
        flag(
          'diff',
          'bool',
          '[Experimental] Print colored differential output between expected & received output.',
          { default: 'false' },
        ),
        ignoreUnknown('test files'),
      ],
      args: [arg('test-rule-file', 'file', 'The unit test file.', { repeated: true })],
    },
  ],
}

const PROMQL: CommandNode = {
  name: 'promql',
  help: 'PromQL formatting and editing. Requires the --experimental flag.',
  commands: [
    {
      name: 'format',
      help: 'Format PromQL query to pretty printed form.',
      args: [arg('query', 'string', 'PromQL query.')],
    },
    {
      name: 'label-matchers',
      help: 'Edit label matchers contained within an existing PromQL query.',
      commands: [
        {
          name: 'set',
          help: 'Set a label matcher in the query.',
          flags: [
            flag('type', ['=', '!=', '=~', '!~'], 'Type of the label matcher to set.', {
              short: 't',
              default: '=',
            }),
          ],
          args: [
            arg('query', 'string', 'PromQL query.'),
            arg('name', 'string', 'Name of the label matcher to set.'),
            arg('value', 'string', 'Value of the label matcher to set.'),
          ],
        },
        {
          name: 'delete',
          help: 'Delete a label from the query.',
          args: [
            arg('query', 'string', 'PromQL query.'),
            arg('name', 'string', 'Name of the label to delete.'),
          ],
        },
      ],
    },
  ],
}

/** The whole tool. */
export const PROMTOOL: CommandNode = {
  name: 'promtool',
  help: 'Tooling for the Prometheus monitoring system.',
  flags: [
    flag('help', 'bool', 'Show context-sensitive help (also try --help-long and --help-man).', {
      short: 'h',
    }),
    flag('version', 'bool', 'Show application version.'),
    flag('experimental', 'bool', 'Enable experimental commands.'),
    flag(
      'enable-feature',
      'string',
      'Comma separated feature names to enable. Valid options: promql-experimental-functions, promql-delayed-name-removal, promql-extended-range-selectors. See https://prometheus.io/docs/prometheus/latest/feature_flags/ for more details',
      { default: '', repeated: true },
    ),
  ],
  commands: [CHECK, QUERY, PUSH, TEST, PROMQL],
}
