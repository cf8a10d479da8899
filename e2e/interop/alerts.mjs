// Alerts travel from our server to a real Alertmanager and from a real Prometheus to ours.
import {
  check,
  newFolder,
  startAlertmanager,
  startPrometheus,
  startWatchfire,
  stop,
  truthy,
  until,
  write,
  equal,
} from './kit.mjs'

const RULES = `
groups:
  - name: interop
    interval: 1s
    rules:
      - record: interop:one
        expr: vector(1)
      - alert: FromServer
        expr: interop:one == 1
        labels: {severity: page}
        annotations: {summary: 'value {{ $value | humanize }}'}
`

async function firing(startServer, alertmanagerUrl) {
  const dir = newFolder('alerts')
  write(dir, 'rules.yml', RULES)
  const configFile = write(
    dir,
    'prometheus.yml',
    `global: {evaluation_interval: 1s, external_labels: {origin: interop}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{targets: ['${new URL(alertmanagerUrl).host}']}]
`,
  )
  const server = await startServer({
    configFile,
    dataDir: newFolder('alerts-data'),
    // The first evaluation can come before the Alertmanagers are known.
    flags: ['--rules.alert.resend-delay=1s'],
  })
  const alert = await until(15_000, async () => {
    const alerts = await (
      await fetch(`${alertmanagerUrl}/api/v2/alerts?filter=alertname="FromServer"`)
    ).json()
    return alerts[0]
  })
  await stop(server.process)
  truthy(alert, `no alert arrived\n${server.process.output.slice(-1000)}`)
  return alert
}

function checkAlert(alert) {
  equal(alert.labels, { alertname: 'FromServer', severity: 'page', origin: 'interop' }, 'labels')
  equal(alert.annotations, { summary: 'value 1' }, 'annotations')
  equal(alert.status.state, 'active', 'state')
  truthy(/\/graph\?g0\.expr=/.test(alert.generatorURL), `generatorURL ${alert.generatorURL}`)
  truthy(Date.parse(alert.endsAt) > Date.now(), `endsAt ${alert.endsAt}`)
}

export async function alerts(system) {
  await check('our server sends alerts to a real Alertmanager', async () => {
    const alertmanager = await startAlertmanager()
    checkAlert(await firing(startWatchfire, alertmanager.url))
    await stop(alertmanager.process)
  })
  await check('a real Prometheus sends alerts to our Alertmanager, which notifies of them', async () => {
    checkAlert(await firing(startPrometheus, system.alertmanager))
    const notified = await until(15_000, async () => {
      const { notifications } = await (await fetch(`${system.alertmanager}/api/v1/inbox`)).json()
      return notifications.some((one) => one.commonLabels.alertname === 'FromServer')
    })
    truthy(notified, 'nothing in the inbox')
  })
}
