// `amtool check-config`, `config`, `cluster` and `template`.
import { readFile, stat } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { Labels } from '@watchfire/datamodel'
import { ConfigError, loadConfig, type AlertmanagerConfig } from '../config/index.ts'
import type { NotificationMessage } from '../notify/message.ts'
import { templateData } from '../notify/receivers/index.ts'
import { NotificationTemplates, readTemplateFiles } from '../notify/templates/index.ts'
import { readPairs } from './alerts.ts'
import { UsageError } from './command-line.ts'
import { formatCluster, formatConfig, type ApiStatus } from './format.ts'
import { showRoutes, testRoutes } from './routes.ts'
import type { CommandContext } from './run.ts'

async function existing(path: string): Promise<string> {
  if (!(await stat(path).catch(() => undefined))) throw new UsageError(`path '${path}' does not exist`)
  return readFile(path, 'utf8')
}

export async function checkConfigs({ line, print }: CommandContext): Promise<void> {
  const files = line.args.length > 0 ? line.args : ['/dev/stdin']
  const texts = new Map<string, string>()
  for (const file of files)
    texts.set(file, file === '/dev/stdin' ? await readAll(process.stdin) : await existing(file))
  let failed = 0
  for (const [file, text] of texts) {
    print(`Checking '${file}'`)
    try {
      const config = loadConfig(text, file)
      print('  SUCCESS\n')
      print('Found:\n - global config\n - route\n')
      print(` - ${config.inhibitRules.length} inhibit rules\n`)
      print(` - ${config.receivers.length} receivers\n`)
      print(` - ${config.templates.length} templates\n`)
      if (config.templates.length > 0) print('  SUCCESS\n')
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      print(`  FAILED: ${error.message}\n`)
      failed++
    }
    print('\n')
  }
  if (failed > 0) throw new Error(`failed to validate ${failed} file(s)`)
}

async function readStatus({ api }: CommandContext): Promise<ApiStatus> {
  return (await (await api()).call('GET', '/status', 'getStatus')) as ApiStatus
}

export async function showConfig(context: CommandContext): Promise<void> {
  context.print(formatConfig(await readStatus(context), context.format))
}

export async function showCluster(context: CommandContext): Promise<void> {
  context.print(formatCluster(await readStatus(context), context.format))
}

async function routingConfig(context: CommandContext): Promise<AlertmanagerConfig> {
  const { line, warn } = context
  const file = line.text('config.file')
  const hasUrl = line.isGiven('alertmanager.url')
  if (hasUrl && file !== '') warn('Warning: --config.file flag overrides the --alertmanager.url.\n')
  if (!hasUrl && file === '')
    throw new UsageError('You have to specify one of --config.file or --alertmanager.url flags.')
  if (file !== '') return loadConfig(await existing(file), file)
  return loadConfig((await readStatus(context)).config.original, 'status')
}

export async function routesShow(context: CommandContext): Promise<void> {
  context.print(showRoutes(await routingConfig(context)))
}

/** Gives the exit code: 1 when the receivers are not the expected ones. */
export async function routesTest(context: CommandContext): Promise<number> {
  const { line, print } = context
  const config = await routingConfig(context)
  const labels = Labels.from(readPairs(line.args, 'Labels'))
  const { receivers, shown } = testRoutes(config, labels, line.isOn('tree'))
  print(shown)
  const expected = line.text('verify.receivers')
  if (expected === '' || expected === receivers) return 0
  print('WARNING: Expected receivers did not match resolved receivers.\n')
  return 1
}

export async function renderTemplate({ line, print, now }: CommandContext): Promise<void> {
  const files = readTemplateFiles(line.list('template.glob'), process.cwd())
  const templates = new NotificationTemplates(now, files)
  const file = line.text('template.data')
  const data =
    file === '' ? sampleData(now()) : (JSON.parse(await existing(file)) as Partial<NotificationMessage>)
  const renderer = templates.renderer(templateData(complete(data)))
  const text = line.text('template.text')
  print(line.text('template.type') === 'html' ? await renderer.html(text) : await renderer.text(text))
}

/** Data as Go reads it: what is missing is empty. */
function complete(data: Partial<NotificationMessage>): NotificationMessage {
  const none = '0001-01-01T00:00:00Z'
  return {
    receiver: data.receiver ?? '',
    status: data.status ?? ('' as 'firing'),
    alerts: (data.alerts ?? []).map((alert) => ({
      status: alert.status ?? '',
      labels: alert.labels ?? {},
      annotations: alert.annotations ?? {},
      startsAt: alert.startsAt ?? none,
      endsAt: alert.endsAt ?? none,
      generatorURL: alert.generatorURL ?? '',
      fingerprint: alert.fingerprint ?? '',
    })),
    notification_reason: data.notification_reason ?? ('' as 'none'),
    groupLabels: data.groupLabels ?? {},
    commonLabels: data.commonLabels ?? {},
    commonAnnotations: data.commonAnnotations ?? {},
    routeLabels: data.routeLabels ?? {},
    externalURL: data.externalURL ?? '',
    version: '4',
    groupKey: '',
    truncatedAlerts: 0,
  }
}

/** Numbered names and values, for an alert that shows what a template does. */
function numbered(prefix: string): Record<string, string> {
  return Object.fromEntries([1, 2].map((n) => [`${prefix}key${n}`, `${prefix}value${n}`]))
}

function sampleData(nowMs: number): Partial<NotificationMessage> {
  const at = (minutesAgo: number) => new Date(nowMs - minutesAgo * 60_000).toISOString()
  const commonLabels = numbered('commonlabel')
  const commonAnnotations = numbered('commonannotation')
  const generatorURL = 'https://generatorurl.com'
  return {
    receiver: 'receiver',
    status: 'alertstatus' as 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { label1: 'value1', label2: 'value2', instance: 'foo.bar:1234', ...commonLabels },
        annotations: { annotation1: 'value1', annotation2: 'value2', ...commonAnnotations },
        startsAt: at(5),
        endsAt: at(0),
        generatorURL,
        fingerprint: 'fingerprint1',
      },
      {
        status: 'resolved',
        labels: { foo: 'bar', baz: 'qux', ...commonLabels },
        annotations: { aaa: 'bbb', ccc: 'ddd', ...commonAnnotations },
        startsAt: at(10),
        endsAt: at(0),
        generatorURL,
        fingerprint: 'fingerprint2',
      },
    ],
    groupLabels: numbered('grouplabel'),
    commonLabels,
    commonAnnotations,
    externalURL: 'https://example.com',
  }
}
