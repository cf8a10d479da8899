// The commands of amtool and their flags.
import { userInfo } from 'node:os'
import type { CommandSpec, FlagSpec } from './command-line.ts'

const text = (help: string, more: Partial<FlagSpec> = {}): FlagSpec => ({ kind: 'text', help, ...more })
const on = (help: string, more: Partial<FlagSpec> = {}): FlagSpec => ({ kind: 'switch', help, ...more })
const RFC3339 = 'RFC3339 format 2006-01-02T15:04:05-07:00'
const quiet = on('Only show silence ids', { short: 'q' })

function author(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}

export const AMTOOL: CommandSpec = {
  name: 'amtool',
  help: 'View and modify the current Alertmanager state.',
  flags: {
    'date.format': text('Format of date output', { fallback: '2006-01-02 15:04:05 MST' }),
    verbose: on('Verbose running information', { short: 'v' }),
    'alertmanager.url': text('Alertmanager to talk to'),
    output: text('Output formatter (simple, extended, json)', {
      short: 'o',
      fallback: 'simple',
      values: ['simple', 'extended', 'json'],
    }),
    timeout: text('Timeout for the executed command', { fallback: '30s' }),
    'http.config.file': text('HTTP client configuration file for amtool to connect to Alertmanager.'),
    'version-check': on('Check alertmanager version. Use --no-version-check to disable.', {
      fallback: 'true',
    }),
    'enable-feature': text('Experimental features to enable, comma separated.', { fallback: '' }),
    version: on('Show application version.'),
  },
  commands: [
    {
      name: 'alert',
      help: 'Add or query alerts.',
      fallback: 'query',
      commands: [
        {
          name: 'query',
          help: 'View and search through current alerts.',
          args: 'matcher-groups',
          flags: {
            inhibited: on('Show inhibited alerts', { short: 'i' }),
            silenced: on('Show silenced alerts', { short: 's' }),
            active: on('Show active alerts', { short: 'a' }),
            unprocessed: on('Show unprocessed alerts', { short: 'u' }),
            receiver: text('Show alerts matching receiver (Supports regex syntax)', { short: 'r' }),
          },
        },
        {
          name: 'add',
          help: 'Add a new alert.',
          args: 'labels',
          flags: {
            'generator-url': text('Set the URL of the source that generated the alert'),
            start: text(`Set when the alert should start. ${RFC3339}`),
            end: text(`Set when the alert should end. ${RFC3339}`),
            annotation: { kind: 'list', help: 'Set an annotation to be included with the alert' },
          },
        },
      ],
    },
    {
      name: 'silence',
      help: 'Add, expire or view silences. For more information and additional flags see query help',
      fallback: 'query',
      commands: [
        {
          name: 'query',
          help: 'Query Alertmanager silences.',
          args: 'matcher-groups',
          flags: {
            expired: on('Show expired silences instead of active'),
            quiet,
            'created-by': text('Show silences that belong to this creator'),
            id: text('Get a single silence by its ID'),
            within: text('Show silences that will expire or have expired within a duration'),
          },
        },
        {
          name: 'add',
          help: 'Add a new alertmanager silence',
          args: 'matcher-groups',
          flags: {
            author: text('Username for CreatedBy field', { short: 'a', fallback: author() }),
            'require-comment': on('Require comment to be set', { fallback: 'true', hidden: true }),
            duration: text('Duration of silence', { short: 'd', fallback: '1h' }),
            start: text(`Set when the silence should start. ${RFC3339}`),
            end: text(`Set when the silence should end (overwrites duration). ${RFC3339}`),
            comment: text('A comment to help describe the silence', { short: 'c' }),
            annotation: { kind: 'list', help: 'Set an annotation to be included with the silence' },
          },
        },
        { name: 'expire', help: 'expire an alertmanager silence', args: 'silence-ids' },
        {
          name: 'update',
          help: 'Update silences',
          args: 'update-ids',
          flags: {
            quiet,
            duration: text('Duration of silence', { short: 'd' }),
            start: text(`Set when the silence should start. ${RFC3339}`),
            end: text(`Set when the silence should end (overwrites duration). ${RFC3339}`),
            comment: text('A comment to help describe the silence', { short: 'c' }),
          },
        },
        {
          name: 'import',
          help: 'Import alertmanager silences from JSON file or stdin',
          args: 'input-file',
          flags: {
            force: on('Force adding new silences even if it already exists', { short: 'f' }),
            worker: text('Number of concurrent workers to use for import', { short: 'w', fallback: '8' }),
          },
        },
      ],
    },
    { name: 'check-config', help: 'Validate alertmanager config files', args: 'check-files' },
    {
      name: 'cluster',
      help: 'View cluster status and peers.',
      fallback: 'show',
      commands: [{ name: 'show', help: 'View cluster status and peers.' }],
    },
    {
      name: 'config',
      help: 'View current config.',
      fallback: 'show',
      commands: [
        { name: 'show', help: 'View current config.' },
        {
          name: 'routes',
          help: 'Prints alert routing tree',
          fallback: 'show',
          flags: { 'config.file': text('Config file to be tested.') },
          commands: [
            { name: 'show', help: 'Prints alert routing tree' },
            {
              name: 'test',
              help: 'Test alert routing',
              args: 'labels',
              flags: {
                'verify.receivers': text('Checks if specified receivers matches resolved receivers.'),
                tree: on('Prints out matching routes tree.'),
              },
            },
          ],
        },
      ],
    },
    {
      name: 'template',
      help: 'Render template files.',
      commands: [
        {
          name: 'render',
          help: 'Render a given definition in a template file to standard output.',
          flags: {
            'template.glob': {
              kind: 'list',
              required: true,
              help: 'Glob of paths that will be expanded and used for rendering.',
            },
            'template.text': text('The template that will be rendered.', { required: true }),
            'template.type': text('The type of the template. Can be either text (default) or html.', {
              values: ['html', 'text'],
            }),
            'template.data': text('Full path to a JSON file with the data of the alert(-s).'),
          },
        },
      ],
    },
  ],
}
