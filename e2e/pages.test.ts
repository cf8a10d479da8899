// The pages in a real browser, on a real server: what people see and click. Skipped where there is no Chromium.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startDashboards, type RunningDashboards } from '@watchfire/dashboards'
import { FakeTarget, TestProcess, freePort, until } from '@watchfire/testkit'
import { browserPath, drawnShare, launchBrowser, PageProblems } from './browser.ts'
import { ServerProcess } from './server-process.ts'

const ROOT = resolve(import.meta.dirname, '..')
const UI_DIR = join(ROOT, 'apps/ui/dist')
const WAIT_MS = 10_000

/** Runs if any page ever takes text for markup. */
const PROBE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'

if (browserPath === undefined)
  console.warn('pages: skipped, there is no Chromium here (set CHROMIUM to the path of one)')

const exposition = (count: number): string => {
  const quoted = JSON.stringify(PROBE)
  return [
    '# TYPE requests_total counter',
    `requests_total{path="/a"} ${count * 3}`,
    `requests_total{path="/b"} ${count}`,
    '# TYPE hostile gauge',
    `hostile{text=${quoted}} 1`,
    `{${quoted},kind="name"} 2`,
    '# TYPE ml_active_models gauge',
    'ml_active_models{model_name="a",version="1"} 1',
    '# TYPE ml_predictions_total counter',
    `ml_predictions_total{model_name="a",version="1",status="success"} ${count * 5}`,
    `ml_predictions_total{model_name="a",version="1",status="error"} ${count}`,
    '# TYPE http_requests_total counter',
    `http_requests_total{handler="/predict",method="POST",status="2xx"} ${count * 7}`,
    '# TYPE ml_predictions_duration_seconds histogram',
    ...[0.1, 0.5, '+Inf'].map(
      (le, i) => `ml_predictions_duration_seconds_bucket{model_name="a",le="${le}"} ${count * (i + 3)}`,
    ),
    `ml_predictions_duration_seconds_sum{model_name="a"} ${count}`,
    `ml_predictions_duration_seconds_count{model_name="a"} ${count * 5}`,
    '',
  ].join('\n')
}

const RULES = `
groups:
  - name: hostile
    interval: 1s
    rules:
      - alert: Hostile
        expr: hostile > 0
        annotations:
          summary: '${PROBE}'
          runbook_url: 'javascript:window.pwned=1'
`

describe.skipIf(browserPath === undefined)('the pages', () => {
  let target: FakeTarget
  let server: ServerProcess
  let dashboards: RunningDashboards
  let alertmanager: TestProcess
  let alertmanagerUrl: string
  let browser: Browser
  let page: Page
  let problems: PageProblems

  beforeAll(async () => {
    if (!existsSync(join(UI_DIR, 'server.html')))
      throw new Error('the pages are not built; run "npm run build"')
    let count = 0
    target = await FakeTarget.start((_request, response) => {
      response.setHeader('content-type', 'text/plain; version=1.0.0; escaping=allow-utf-8')
      response.end(exposition(++count))
    })
    server = await ServerProcess.start(
      `global: {scrape_interval: 1s}\nrule_files: [rules.yml]\nscrape_configs:\n  - job_name: fake\n    static_configs: [{targets: ['${target.address}']}]\n  - job_name: gone\n    static_configs: [{targets: ['127.0.0.1:1']}]\n`,
      { files: { 'rules.yml': RULES } },
    )
    const port = await freePort()
    alertmanagerUrl = `http://127.0.0.1:${port}`
    const dir = join(server.dir, 'alertmanager')
    mkdirSync(dir)
    writeFileSync(join(dir, 'alertmanager.yml'), 'route: {receiver: x}\nreceivers: [{name: x}]\n')
    alertmanager = TestProcess.start({
      program: process.execPath,
      args: [
        join(ROOT, 'bin/watchfire'),
        'alertmanager',
        `--config.file=${join(dir, 'alertmanager.yml')}`,
        `--storage.path=${dir}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
    })
    dashboards = await startDashboards({
      host: '127.0.0.1',
      port: 0,
      provisioningDir: join(ROOT, 'deploy/grafana/provisioning'),
      dataSourceUrl: server.url,
      uiDir: UI_DIR,
      version: '0',
      log: { info: () => {}, warn: () => {} },
    })
    browser = await launchBrowser()
    await until(20_000, async () => Number((await server.vector('requests_total'))[0]?.value[1]) >= 9)
  })
  afterAll(async () => {
    await browser?.close()
    await dashboards?.stop()
    await alertmanager?.stop('SIGTERM', 5000)
    await server?.dispose()
    await target?.stop()
  })

  beforeEach(async () => {
    page = await browser.newPage()
    page.setDefaultTimeout(WAIT_MS)
    problems = await PageProblems.watch(page)
  })
  afterEach(async () => {
    const pwned = await page.evaluate(() => 'pwned' in window)
    await page.close()
    expect(pwned).toBe(false)
    expect(problems.list).toEqual([])
  })

  it('run an expression: a table with the value, a graph, and the address keeps both over a reload', async () => {
    await page.goto(server.url)
    const editor = page.getByRole('textbox', { name: 'PromQL expression' })
    await editor.click()
    await page.keyboard.type('sum(requests_total) by (path')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('cell', { name: '{path="/a"}' }).waitFor()
    expect(
      Number(await page.getByRole('row').first().getByRole('cell').nth(1).textContent()),
    ).toBeGreaterThan(8)
    await page.getByRole('tab', { name: 'Graph' }).click()
    await page.getByRole('img', { name: /2 series/ }).waitFor()
    expect(await until(WAIT_MS, async () => (await drawnShare(page)) > 0.005)).toBe(true)
    expect(page.url()).toContain('g0.tab=graph')
    await page.reload()
    await page.getByRole('img', { name: /2 series/ }).waitFor()
    expect(await editor.textContent()).toBe('sum(requests_total) by (path)')
  })

  it('run with Enter, show infos of the query, and tell an error with its reason', async () => {
    await page.goto(server.url)
    const editor = page.getByRole('textbox', { name: 'PromQL expression' })
    await editor.fill('rate(ml_active_models[1m])')
    await editor.press('Escape')
    await editor.focus()
    await page.keyboard.press('Enter')
    await page.getByText('metric might not be a counter').waitFor()
    await editor.fill('sum by (')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByText('Error: bad_data').waitFor()
    // The browser itself reports that the query was refused.
    problems.list.splice(
      0,
      problems.list.length,
      ...problems.list.filter((text) => !text.includes('400 (Bad')),
    )
  })

  it('list targets with their state and why one is down, and filter them', async () => {
    await page.goto(`${server.url}/targets`)
    await page.getByText(target.address).first().waitFor()
    await page.getByText('1 / 1 up').waitFor()
    await page.getByText('0 / 1 up').waitFor()
    await page.getByText(/connection refused|ECONNREFUSED/).waitFor()
    await page.getByLabel('Filter targets').fill('gone')
    await page.getByText('1 / 1 up').waitFor({ state: 'detached' })
    await page.getByText('0 / 1 up').waitFor()
  })

  it('show label values and metric names of strangers as text', async () => {
    for (const tab of ['table', 'graph']) {
      const expr = encodeURIComponent('{job="fake", __name__=~"hostile|.*img.*"}')
      await page.goto(`${server.url}/query?g0.expr=${expr}&g0.tab=${tab}&g0.range_input=1m`)
      await page.getByText('window.pwned=1').first().waitFor()
      expect(await page.getByText(PROBE.replaceAll('"', '\\"')).count()).toBeGreaterThanOrEqual(2)
      if (tab === 'graph') {
        const box = (await page.locator('canvas').first().boundingBox())!
        await page.mouse.move(box.x + box.width - 40, box.y + box.height / 2)
        await page.locator('.wf-tooltip').waitFor()
      }
    }
    // Completion asks for names and shows them too.
    const editor = page.getByRole('textbox', { name: 'PromQL expression' })
    await editor.fill('')
    await editor.pressSequentially('hostile{text="')
    await page.locator('.cm-tooltip-autocomplete').waitFor()
  })

  it('show alerts and rules with annotations of strangers as text, without links that run', async () => {
    await until(WAIT_MS, async () => (await server.vector('ALERTS{alertstate="firing"}')).length)
    await page.goto(`${server.url}/alerts`)
    await page.getByText('window.pwned=1').first().waitFor()
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
    await page.goto(`${server.url}/rules`)
    await page.getByText('Hostile').first().waitFor()
    await page.goto(`${server.url}/status`)
    await page.getByText('serverTime').waitFor()
  })

  it("show the Alertmanager's alerts, and silence one", async () => {
    await until(15_000, async () => (await fetch(`${alertmanagerUrl}/-/ready`)).ok)
    const posted = await fetch(`${alertmanagerUrl}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([
        {
          labels: { alertname: 'Hostile', text: PROBE },
          annotations: { summary: PROBE, runbook_url: 'javascript:window.pwned=1' },
          generatorURL: 'javascript:window.pwned=1',
        },
      ]),
    })
    expect(posted.status).toBe(200)
    await page.goto(alertmanagerUrl)
    await page.getByText(PROBE).first().waitFor()
    await page.getByText('Source: javascript:').waitFor()
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0)
    await page.getByRole('button', { name: 'Silence' }).first().click()
    await page.getByLabel('Creator').fill('someone')
    await page.getByLabel('Comment').fill(PROBE)
    await page.getByRole('button', { name: 'Create silence' }).click()
    await page.getByText('active', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Expire' }).click()
    await page.getByText('expired', { exact: true }).waitFor()
  })

  it('draw the shipped dashboard', async () => {
    await page.setViewportSize({ width: 1400, height: 2200 })
    await page.goto(`${dashboards.url}/?from=now-5m`)
    await page.getByRole('heading', { name: 'ML inference service' }).waitFor()
    const panels = page.locator('section[aria-label]')
    await panels
      .filter({ has: page.locator('canvas') })
      .first()
      // The grid of a panel has a point every 15 s: a young series may have to wait for its second one and the next refresh.
      .waitFor({ timeout: 60_000 })
    expect(await panels.count()).toBeGreaterThanOrEqual(5)
    await until(30_000, async () => (await page.locator('canvas').count()) >= 5)
    expect(await page.locator('canvas').count()).toBeGreaterThanOrEqual(5)
    expect(await drawnShare(page)).toBeGreaterThan(0.002)
    expect(await page.getByLabel('Query failed').count()).toBe(0)
    await page.getByRole('button', { name: 'Last 5 minutes' }).click()
    await page.getByRole('menuitem', { name: 'Last 1 hour' }).click()
    await page.waitForURL(/from=now-1h/)
  }, 120_000)

  it('say so when the server does not answer', async () => {
    await page.goto(`${server.url}/targets`)
    await page.getByText('1 / 1 up').waitFor()
    await page.route('**/api/**', (route) => route.abort('connectionrefused'))
    await page.getByText('The server cannot be reached. Is it running?').first().waitFor()
    await page.getByText('1 / 1 up').waitFor()
    problems.list.length = 0
  })
})
