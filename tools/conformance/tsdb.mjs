// Conformance of the database: a server is started on a copy of each recorded data directory, and its answers are compared. One result a
// directory, `NAME`, whether it starts as it should, and one a query, `NAME/N`.
//
// Damaged logs (`wal-*`): the recorded answer is what is left when everything behind the damage is dropped. It is a lower bound: an answer
// with more passes when all that is more is in the answer of the undamaged data (`clean`) too; counts must lie between the two.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const LAUNCHER = join(import.meta.dirname, '..', '..', 'bin', 'watchfire')
const START_MS_MAX = 30_000
const STOP_MS_MAX = 10_000
/** Fields of error texts that name places and numbers: they are compared up to these. */
const DAMAGED_CHUNK = /checksum mismatch|cannot populate chunk/

/** Runs the directories of a folder one after the other. */
export async function run(folder) {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.expected.json'))
    .map((name) => name.slice(0, -'.expected.json'.length))
    .sort()
  const undamaged = expectedAnswers(folder, 'clean')
  const results = []
  for (const name of names) results.push(...(await directory(folder, name, undamaged)))
  return results
}

function expectation(folder, name) {
  return JSON.parse(readFileSync(join(folder, `${name}.expected.json`), 'utf8'))
}

/** Answers by request of a directory, undefined when there is none. */
function expectedAnswers(folder, name) {
  if (!existsSync(join(folder, `${name}.expected.json`))) return undefined
  return new Map((expectation(folder, name).queries ?? []).map((query) => [requestOf(query), query]))
}

async function directory(folder, name, undamaged) {
  const expected = expectation(folder, name)
  const work = mkdtempSync(join(tmpdir(), 'watchfire-tsdb-'))
  try {
    const unpacked = spawnSync('tar', [
      '-xzf',
      join(folder, expected.archive ?? `${name}.tar.gz`),
      '-C',
      work,
    ])
    if (unpacked.status !== 0)
      return [{ name, passed: false, problem: `cannot unpack: ${unpacked.stderr.toString()}` }]
    const data = join(work, readdirSync(work)[0])
    const config = join(work, 'prometheus.yml')
    const window = name.startsWith('full') ? 'storage: {tsdb: {out_of_order_time_window: 2h}}\n' : ''
    writeFileSync(config, `global: {scrape_interval: 1h}\n${window}`)
    return await opened(name, expected, data, config, name.startsWith('wal-') ? undamaged : undefined)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function opened(name, expected, data, config, undamaged) {
  const server = new Server(['--config.file', config, '--storage.tsdb.path', data, ...expected.openFlags])
  try {
    const started = await server.ready()
    if (!expected.starts) {
      const passed = !started && server.exitCode === expected.exit
      return [{ name, passed, ...(!passed && { problem: `exit code ${server.exitCode}: ${server.output}` }) }]
    }
    if (!started) return [{ name, passed: false, problem: `does not start: ${server.output}` }]
    const results = [{ name, passed: true }]
    for (const [i, query] of expected.queries.entries()) {
      const got = await server.ask(query)
      let problem = differs(got, query)
      const whole = undamaged?.get(requestOf(query))
      if (problem !== undefined && whole !== undefined && liesBetween(got, query, whole)) problem = undefined
      const label = `${name}/${String(i + 1).padStart(2, '0')}`
      results.push({ name: label, passed: problem === undefined, ...(problem && { problem }) })
    }
    return results
  } finally {
    await server.stop()
  }
}

class Server {
  output = ''
  exitCode = undefined
  #process
  #port = undefined
  #ended

  constructor(flags) {
    this.#process = spawn(process.execPath, [LAUNCHER, '--web.listen-address=127.0.0.1:0', ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        this.output = (this.output + text).slice(-20_000)
        this.#port ??= /Listening on.*?127\.0\.0\.1:(\d+)/.exec(this.output)?.[1]
      })
    this.#ended = new Promise((resolve) => {
      this.#process.once('exit', (code) => {
        this.exitCode = code
        resolve()
      })
    })
  }

  /** True once it answers `/-/ready`, false when it ended instead. */
  async ready() {
    const end = Date.now() + START_MS_MAX
    while (this.exitCode === undefined && Date.now() < end) {
      if (this.#port !== undefined) {
        try {
          if ((await fetch(`http://127.0.0.1:${this.#port}/-/ready`)).status === 200) return true
        } catch {
          // Not listening yet, or ending.
        }
      }
      await sleep(50)
    }
    return false
  }

  async ask({ path, params }) {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}?${new URLSearchParams(params)}`)
    const text = await response.text()
    try {
      return { status: response.status, body: JSON.parse(text) }
    } catch {
      return { status: response.status, body: text }
    }
  }

  async stop() {
    if (this.exitCode !== undefined) return
    this.#process.kill('SIGTERM')
    await Promise.race([this.#ended, sleep(STOP_MS_MAX, undefined, { ref: false })])
    if (this.exitCode === undefined) this.#process.kill('SIGKILL')
    await this.#ended
  }
}

function requestOf({ path, params }) {
  return `${path}?${new URLSearchParams(params)}`
}

/** What is wrong with an answer; undefined when nothing is. */
function differs(got, want) {
  if (got.status !== want.status) return `status ${got.status}, want ${want.status}: ${show(got.body)}`
  if (want.body.status === 'error') {
    const same =
      got.body.errorType === want.body.errorType &&
      (got.body.error === want.body.error ||
        (DAMAGED_CHUNK.test(want.body.error) && DAMAGED_CHUNK.test(got.body.error)))
    return same ? undefined : `got ${show(got.body)}, want ${show(want.body)}`
  }
  const place = firstDifference(normal(got.body), normal(want.body), '')
  return place && `${requestOf(want)}: ${place}`
}

/** True when an answer has all of the least one and nothing that the whole one has not. */
function liesBetween(got, least, whole) {
  if (got.status !== 200 || least.status !== 200 || whole.status !== 200) return false
  const [has, must, may] = [got, least, whole].map(({ body }) => items(body))
  const isCount = requestOf(least).includes('count')
  const near = (value, other) =>
    isCount && other !== undefined ? Number(value) <= Number(other) : same(value, other)
  for (const [key, value] of has) if (!near(value, may.get(key)) && !same(value, must.get(key))) return false
  for (const [key, value] of must) {
    const found = has.get(key)
    if (found === undefined) return false
    if (isCount && Number(found) < Number(value)) return false
  }
  return true
}

function same(a, b) {
  return b !== undefined && firstDifference(a, b, '') === undefined
}

/** The smallest parts of an answer by what they are: a sample by series and time, a series or a text by itself. */
function items({ data }) {
  const found = new Map()
  if (Array.isArray(data)) {
    for (const entry of data) found.set(canonical(entry), '')
    return found
  }
  for (const row of data.result ?? []) {
    const samples = [row.value, row.histogram, ...(row.values ?? []), ...(row.histograms ?? [])]
    for (const [time, value] of samples.filter((sample) => sample !== undefined))
      found.set(`${canonical(row.metric)} ${time}`, value)
  }
  return found
}

function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const fields = Object.keys(value).sort()
  return `{${fields.map((name) => `${name}:${canonical(value[name])}`).join()}}`
}

/** Lists whose order means nothing are put in order. */
function normal(body) {
  const { data } = body
  const byLabels = (of) => (a, b) => (canonical(of(a)) < canonical(of(b)) ? -1 : 1)
  if (Array.isArray(data?.result) && typeof data.result[0] === 'object' && 'metric' in data.result[0])
    return { ...body, data: { ...data, result: [...data.result].sort(byLabels((row) => row.metric)) } }
  if (Array.isArray(data) && typeof data[0] === 'object')
    return { ...body, data: [...data].sort(byLabels((row) => row.seriesLabels ?? row)) }
  return body
}

function firstDifference(got, want, place) {
  if (typeof want === 'string' && typeof got === 'string') {
    const equal = got === want || sameNumber(Number(got), Number(want), got, want)
    return equal ? undefined : `${place}: got ${show(got)}, want ${show(want)}`
  }
  if (typeof want === 'number' && typeof got === 'number')
    return got === want ? undefined : `${place}: got ${got}, want ${want}`
  if (want === null || typeof want !== 'object' || got === null || typeof got !== 'object')
    return got === want ? undefined : `${place}: got ${show(got)}, want ${show(want)}`
  const keys = new Set([...Object.keys(want), ...Object.keys(got)])
  for (const key of keys) {
    const found = firstDifference(got[key], want[key], `${place}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

function sameNumber(a, b, textA, textB) {
  if (textA === '' || textB === '') return false
  if (Number.isNaN(a) || Number.isNaN(b)) return textA === 'NaN' && textB === 'NaN'
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
}

function show(value) {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 300 ? `${text.slice(0, 300)} …` : text
}
