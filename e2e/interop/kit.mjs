// What all interop checks share: a count of what passed, processes that end with us, and typed questions to the query API.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { spawnSync } from 'node:child_process'
import { TestProcess, freePort, until } from '@watchfire/testkit'

export { freePort, until }
export const ROOT = resolve(import.meta.dirname, '../..')
export const LAUNCHER = join(ROOT, 'bin/watchfire')

const READY_MS_MAX = 30_000
const running = new Set()
const servers = new Set()
const folder = mkdtempSync(join(tmpdir(), 'watchfire-interop-'))
let nextFolder = 0
let passed = 0
let failed = 0

/** Runs one check; a failure is told and counted, the rest goes on. */
export async function check(name, run) {
  try {
    const note = await run()
    passed++
    console.log(`ok    ${name}${note ? ` (${note})` : ''}`)
  } catch (error) {
    failed++
    console.log(`FAIL  ${name}\n      ${String(error?.message ?? error).replaceAll('\n', '\n      ')}`)
  }
}

/** Prints the count; the exit code. */
export function summary() {
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

export function equal(actual, expected, what) {
  if (isDeepStrictEqual(actual, expected)) return
  const short = (value) => (JSON.stringify(value) ?? 'undefined').slice(0, 600)
  throw new Error(`${what}\n  is       ${short(actual)}\n  expected ${short(expected)}`)
}

export function truthy(value, what) {
  if (!value) throw new Error(what)
  return value
}

/** A new empty folder, gone at the end. */
export function newFolder(name) {
  const path = join(folder, `${nextFolder++}-${name}`)
  mkdirSync(path)
  return path
}

export function write(dir, name, text) {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

/** A copy of a data directory, without its lock. */
export function copyData(dir) {
  const copy = newFolder('copy')
  cpSync(dir, copy, { recursive: true, filter: (path) => !path.endsWith('/lock') })
  return copy
}

export function start(program, args, env = {}) {
  const process = TestProcess.start({ program, args, env })
  running.add(process)
  return process
}

export async function stop(process, signal = 'SIGTERM') {
  await process.stop(signal, 10_000)
  running.delete(process)
}

/** Runs a command line tool to its end. */
export function run(program, args, input) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 20_000,
    ...(input !== undefined && { input }),
  })
  if (error) throw error
  return { code: status, out: stdout, output: stdout + stderr }
}

/** Serves `answer(request, response)`; the address. */
export async function serve(answer) {
  const server = createServer(answer)
  servers.add(server)
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return `127.0.0.1:${server.address().port}`
}

async function ready(process, url, path) {
  const answered = await until(READY_MS_MAX, async () => process.over || (await fetch(url + path)).ok)
  if (!answered || process.over) throw new Error(`not ready: ${process.output.slice(-2000)}`)
}

/** A server of either make: both take the same flags. */
async function startServer(program, first, { configFile, dataDir, flags = [] }) {
  const port = await freePort()
  const process = start(program, [
    ...first,
    `--config.file=${configFile}`,
    `--storage.tsdb.path=${dataDir}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
    ...flags,
  ])
  const url = `http://127.0.0.1:${port}`
  await ready(process, url, '/-/ready')
  return { process, url, dataDir }
}

export const startWatchfire = (options) => startServer(globalThis.process.execPath, [LAUNCHER], options)
export const startPrometheus = (options) => startServer('prometheus', [], options)

export async function startAlertmanager() {
  const port = await freePort()
  const dir = newFolder('alertmanager')
  const configFile = write(dir, 'alertmanager.yml', 'route: {receiver: none}\nreceivers: [{name: none}]\n')
  const process = start('prometheus-alertmanager', [
    `--config.file=${configFile}`,
    `--storage.path=${dir}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
    '--log.level=warn',
  ])
  const url = `http://127.0.0.1:${port}`
  await ready(process, url, '/-/ready')
  return { process, url }
}

/** Everything of Watchfire: server, Alertmanager, dashboards, sample service with traffic. */
export async function startSystem() {
  const [server, alertmanager, dashboards, inference] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const data = newFolder('system')
  const process = start(globalThis.process.execPath, [LAUNCHER, 'up'], {
    WATCHFIRE_PORT: String(server),
    WATCHFIRE_ALERTMANAGER_PORT: String(alertmanager),
    WATCHFIRE_DASHBOARDS_PORT: String(dashboards),
    WATCHFIRE_INFERENCE_PORT: String(inference),
    WATCHFIRE_DATA: data,
  })
  const url = (port) => `http://127.0.0.1:${port}`
  await ready(process, url(server), '/-/ready')
  await ready(process, url(alertmanager), '/-/ready')
  await ready(process, url(inference), '/ready')
  return {
    process,
    server: url(server),
    alertmanager: url(alertmanager),
    inference: url(inference),
    dataDir: join(data, 'tsdb'),
  }
}

async function api(url, path, params) {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`)
  const body = await response.json()
  if (body.status !== 'success') throw new Error(`${path} ${JSON.stringify(params)}: ${body.error}`)
  return body.data
}

const byLabels = (a, b) => (JSON.stringify(a.metric) < JSON.stringify(b.metric) ? -1 : 1)
const sorted = (labels) => Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
const inOrder = (result) => result.map((one) => ({ ...one, metric: sorted(one.metric) })).sort(byLabels)

/** Instant query: items in the order of their labels. */
export async function query(url, expr, timeS) {
  const data = await api(url, 'query', { query: expr, ...(timeS !== undefined && { time: String(timeS) }) })
  return inOrder(data.result)
}

/** Range query: items in the order of their labels. */
export async function queryRange(url, expr, startS, endS, stepS) {
  const data = await api(url, 'query_range', { query: expr, start: startS, end: endS, step: stepS })
  return inOrder(data.result)
}

/** Value of the only series, as a number; undefined when there is none. */
export async function value(url, expr, timeS) {
  const text = (await query(url, expr, timeS))[0]?.value?.[1]
  return text === undefined ? undefined : Number(text)
}

/** Ends everything that was started. */
export async function cleanUp() {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await Promise.all([...running].map((process) => process.stop('SIGTERM', 3000)))
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
}
