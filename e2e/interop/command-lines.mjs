// promtool reads what we ship and serve; amtool works on our Alertmanager.
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT, check, equal, newFolder, run, truthy, until, value } from './kit.mjs'

/** Keys of Prometheus 3 that Debian's 2.42 does not know. */
const NEW_KEYS =
  /^\s*(?:scrape_native_histograms|always_scrape_classic_histograms|convert_classic_histograms_to_nhcb|fallback_scrape_protocol|metric_name_validation_scheme|metric_name_escaping_scheme):.*\n/gm

/** Metrics of Prometheus itself that promtool finds fault with. */
const NAMES_OF_PROMETHEUS =
  /^prometheus_(?:engine_query_duration_histogram_seconds|target_scrapes_exceeded_native_histogram_bucket_limit_total) /

export async function promtool(system) {
  const deploy = join(newFolder('deploy'), 'deploy')
  cpSync(join(ROOT, 'deploy'), deploy, { recursive: true })
  await check('promtool check rules: the rules we ship', () => {
    const files = readdirSync(join(deploy, 'rules')).filter((name) => name.endsWith('.yml'))
    truthy(files.length > 0, 'no rule files')
    const { code, output } = run('promtool', [
      'check',
      'rules',
      ...files.map((name) => join(deploy, 'rules', name)),
    ])
    equal(code, 0, output)
    return output.match(/\d+ rules found/g)?.join(', ')
  })
  await check('promtool check config: the configuration we ship', () => {
    const file = join(deploy, 'prometheus.yml')
    const first = run('promtool', ['check', 'config', file])
    if (first.code === 0) return
    truthy(/not found in type/.test(first.output), first.output)
    const stripped = []
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(NEW_KEYS, (line) => (stripped.push(line.trim().split(':')[0]), '')),
    )
    const second = run('promtool', ['check', 'config', file])
    equal(second.code, 0, second.output)
    return `without ${stripped.join(', ')}: keys of Prometheus 3`
  })
  await until(20_000, async () => (await value(system.server, 'sum(ml_predictions_total)')) > 0)
  for (const [name, url] of Object.entries({
    server: system.server,
    Alertmanager: system.alertmanager,
    'inference service': system.inference,
  }))
    await check(`promtool check metrics: /metrics of the ${name}`, async () => {
      const response = await fetch(`${url}/metrics`, { headers: { accept: 'text/plain;version=0.0.4' } })
      const text = await response.text()
      const { output } = run('promtool', ['check', 'metrics'], text)
      const findings = output.split('\n').filter((line) => line !== '' && !NAMES_OF_PROMETHEUS.test(line))
      equal(findings, [], 'findings')
      return `${text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length} series`
    })
}

export async function amtool(system) {
  const call = (...args) => {
    const { code, out, output } = run('amtool', [`--alertmanager.url=${system.alertmanager}`, ...args])
    equal(code, 0, `amtool ${args.join(' ')}: ${output}`)
    return out
  }
  const names = (...args) =>
    JSON.parse(call('alert', 'query', '-o', 'json', ...args)).map((a) => a.labels.alertname)
  await check('amtool alert add and query', async () => {
    call('alert', 'add', 'FromAmtool', 'severity=page', 'text=two words', '--annotation=summary=A summary')
    truthy(await until(5000, async () => names().includes('FromAmtool')), 'the alert is not listed')
    equal(names('severity=page'), ['FromAmtool'], 'alerts with severity=page')
    equal(names('severity=~"pa.*"', 'alertname!=FromAmtool'), [], 'alerts with another name')
    truthy(call('alert', 'query', 'FromAmtool').includes('A summary'), 'no summary in the table')
  })
  await check('amtool silence add, query, update and expire', async () => {
    const id = call(
      ...[
        'silence',
        'add',
        'alertname=FromAmtool',
        '--comment=for a test',
        '--author=someone',
        '--duration=1h',
      ],
    ).trim()
    const silences = () => JSON.parse(call('silence', 'query', '-o', 'json'))
    equal(
      silences().map((one) => one.id),
      [id],
      'silences',
    )
    equal(silences()[0].comment, 'for a test', 'comment')
    truthy(
      await until(5000, async () => !names('severity=page').includes('FromAmtool')),
      'it is not silenced',
    )
    equal(names('--silenced', 'severity=page'), ['FromAmtool'], 'silenced alerts')
    const updated = call('silence', 'update', '--duration=2h', '--comment=longer', '-q', id).trim()
    truthy(
      silences().some((one) => one.comment === 'longer'),
      `not updated: ${updated}`,
    )
    call('silence', 'expire', ...silences().map((one) => one.id))
    equal(silences(), [], 'silences after expire')
    truthy(
      await until(5000, async () => names('severity=page').includes('FromAmtool')),
      'it is still silenced',
    )
    truthy(call('silence', 'query', '--expired', '-q').includes(id), 'the expired silence is not listed')
  })
  await check('amtool silence import takes what silence query gives', async () => {
    call('silence', 'add', 'alertname=Other', '--comment=to import', '--author=someone')
    const exported = call('silence', 'query', '-o', 'json')
    const { code, output } = run(
      'amtool',
      [`--alertmanager.url=${system.alertmanager}`, 'silence', 'import', '--force'],
      exported,
    )
    equal(code, 0, output)
    const all = JSON.parse(call('silence', 'query', '-o', 'json', 'alertname=Other'))
    truthy(
      all.some((one) => one.comment === 'to import'),
      'not imported',
    )
    call('silence', 'expire', ...all.map((one) => one.id))
  })
  await check('amtool config show', async () => {
    const shown = call('config', 'show')
    truthy(shown.includes('receiver: inbox'), shown)
  })
}
