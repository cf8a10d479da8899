// Conformance of the remote write receiver: bodies of a `remote` folder posted to a real server in their order. Bodies that a note spells
// out in JSON are made anew with the present time; the others go as they were recorded. What the sender, remote read and OTLP
// answered is not covered yet.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, parseFlags, startServer } from '../../apps/server/dist/index.js'
import { readJsonLines } from './lines.mjs'
import { encodeWriteRequest, snappyLiteral } from './remote-write.mjs'

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  const cases = readJsonLines(join(folder, 'receiver.jsonl'))
  if (cases.length === 0) return []
  const dir = mkdtempSync(join(tmpdir(), 'watchfire-remote-'))
  writeFileSync(join(dir, 'prometheus.yml'), '')
  const server = await startServer({
    flags: parseFlags([
      `--config.file=${join(dir, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      '--storage.tsdb.retention.time=10y',
      '--web.enable-remote-write-receiver',
      '--web.listen-address=127.0.0.1:0',
    ]),
    logger: createLogger({ level: 'error' }),
  })
  try {
    await server.ready
    const results = []
    const recordedNow = recordedTime(cases)
    const nowMs = Date.now()
    for (const testCase of cases) {
      const got = await post(server.port, testCase, bodyOf(testCase, nowMs, recordedNow))
      const problem = problemOf(testCase, got, nowMs)
      results.push({ name: testCase.id, passed: problem === undefined, ...(problem && { problem }) })
    }
    return results
  } finally {
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Times in notes that are not NOW lie before or after it by whole minutes, to a few seconds. */
function recordedTime(cases) {
  const future = cases.find(({ id }) => id.includes('future'))
  const time = Number(/\[\[(\d{13})/.exec(future?.note ?? '')?.[1])
  return Number.isNaN(time) ? Date.now() : time - 15 * 60_000
}

function bodyOf({ note = '', bodyHex }, nowMs, recordedNow) {
  if (!note.startsWith('[')) return Buffer.from(bodyHex, 'hex')
  const shifted = note
    .replaceAll('NOW', String(nowMs))
    .replace(/\b1\d{12}\b/g, (time) =>
      time === String(nowMs) ? time : String(Number(time) - recordedNow + nowMs),
    )
  return snappyLiteral(encodeWriteRequest(JSON.parse(shifted)))
}

function post(port, { headers }, body) {
  return new Promise((resolve) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, method: 'POST', path: '/api/v1/write', headers },
      (response) => {
        const parts = []
        response.on('data', (part) => parts.push(part))
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          }),
        )
      },
    )
    request.on('error', (error) => resolve({ status: 0, headers: {}, body: error.message }))
    request.end(body)
  })
}

function problemOf(want, got, nowMs) {
  if (got.status !== want.status) return `status ${got.status}, want ${want.status}: ${got.body}`
  for (const [name, value] of Object.entries(want.responseHeaders))
    if (got.headers[name] !== value) return `${name}: ${got.headers[name]}, want ${value}`
  for (const name of Object.keys(got.headers))
    if (name.startsWith('x-prometheus-') && !(name in want.responseHeaders)) return `${name} was not expected`
  const body = got.body.replaceAll(String(nowMs), 'NOW')
  return body === want.body ? undefined : `${JSON.stringify(body)}, want ${JSON.stringify(want.body)}`
}
