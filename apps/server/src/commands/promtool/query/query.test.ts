import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runPromtool } from '../index.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'promtool-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function file(name: string, content: string): string {
  const path = join(dir, name)
  writeFileSync(path, content)
  return path
}

async function tool(args: string[], stdin = '') {
  let out = ''
  let err = ''
  const code = await runPromtool(args, {
    out: (text) => void (out += text.replaceAll(dir, '.')),
    err: (text) => void (err += text.replaceAll(dir, '.')),
    stdin: async () => stdin,
    now: () => 1_700_000_000_000,
  })
  return { code, out, err }
}

describe('queries', () => {
  let server: Server
  let url = ''
  let answers: Record<string, unknown> = {}
  const asked: string[] = []

  beforeEach(async () => {
    asked.length = 0
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => (body += String(chunk)))
      request.on('end', () => {
        const [path, query = ''] = request.url!.split('?')
        asked.push(`${request.method} ${path} ${body || query} ${String(request.headers['x-a'])}`)
        const answer = answers[path!]
        if (answer === undefined) response.writeHead(404).end('no such page\n')
        else response.writeHead(200).end(typeof answer === 'string' ? answer : JSON.stringify(answer))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  it('print vectors, matrices, scalars and histograms', async () => {
    const histogram = { count: '3', sum: '2.5', buckets: [[0, '1', '2', '3']] }
    answers = {
      '/api/v1/query': {
        status: 'success',
        data: {
          resultType: 'vector',
          result: [
            { metric: { __name__: 'up', job: 'a' }, value: [1, '1'] },
            { metric: {}, histogram: [1.5, histogram] },
          ],
        },
      },
      '/api/v1/query_range': {
        status: 'success',
        data: {
          resultType: 'matrix',
          result: [
            {
              metric: { __name__: 'up' },
              values: [
                [1, '0'],
                [2, '1'],
              ],
            },
          ],
        },
      },
    }
    expect((await tool(['query', 'instant', url, 'up', '--time=1', '--header=X-A=b'])).out).toBe(
      'up{job="a"} => 1 @[1]\n{} => Count: 3.000000, Sum: 2.500000, Buckets: [(1,2]:3] @[1.5]\n',
    )
    expect((await tool(['query', 'range', url, 'up'])).out).toBe('up =>\n0 @[1]\n1 @[2]\n')
    expect(asked).toEqual([
      'POST /api/v1/query query=up&time=1 b',
      'POST /api/v1/query_range end=1700000000&query=up&start=1699999700&step=1 undefined',
    ])
  })

  it('print series and label values', async () => {
    answers = {
      '/api/v1/series': { status: 'success', data: [{ job: 'a', __name__: 'up' }] },
      '/api/v1/label/job/values': { status: 'success', data: ['a', 'b'], warnings: ['cut'] },
    }
    expect((await tool(['query', 'series', '--match=up', url])).out).toBe('{__name__="up", job="a"}\n')
    expect(await tool(['query', 'labels', url, 'job'])).toEqual({
      code: 0,
      out: 'a\nb\n',
      err: 'query warning: cut\n',
    })
  })

  it('tell of errors of the server and of the network', async () => {
    answers = { '/api/v1/query': { status: 'error', errorType: 'bad_data', error: 'no' } }
    expect(await tool(['query', 'instant', url, 'x'])).toEqual({
      code: 1,
      out: '',
      err: 'query error: bad_data: no\n',
    })
    expect((await tool(['query', 'range', url, 'x'])).err).toBe(
      'query error: client_error: client error: 404 (detail: no such page)\n',
    )
    expect((await tool(['query', 'instant', 'http://127.0.0.1:1', 'x'])).err).toContain(
      'dial tcp 127.0.0.1:1: connect: connection refused',
    )
  })

  it('ask for health with the credentials of a file', async () => {
    answers = { '/-/healthy': 'Prometheus Server is Healthy.\n' }
    const http = file('http.yml', 'http_headers: {X-A: {values: [secret]}}\n')
    expect(await tool(['check', 'healthy', `--url=${url}/`, `--http.config.file=${http}`])).toEqual({
      code: 0,
      out: '',
      err: '  SUCCESS:  Prometheus Server is Healthy.\n\n',
    })
    expect(asked).toEqual(['GET /-/healthy  secret'])
    expect((await tool(['check', 'ready', `--url=${url}`])).err).toBe(
      `check failed: URL=${url}, status=404\n`,
    )
  })

  it('count the buckets in use', async () => {
    const series = (le: string, values: string[]) => ({
      metric: { __name__: 'h_bucket', le },
      values: values.map((value, i) => [i, value]),
    })
    const result = [series('1', ['0', '1']), series('+Inf', ['1', '2'])]
    answers = { '/api/v1/query': { status: 'success', data: { resultType: 'matrix', result } } }
    const { out } = await tool([
      'query',
      'analyze',
      `--server=${url}`,
      '--type=histogram',
      '--match=h_bucket',
    ])
    expect(out).toContain('- h_bucket{} (classic): 1/1.500/2\n')
    expect(out).toContain('Classic histogram series (1 in total):\n- min populated: 1/1.000/1\n')
    expect(asked[0]).toContain('h_bucket%5B1h0m0s%5D')
  })
})
