import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createArena } from '@watchfire/kernels'
import { expect, it } from 'vitest'
import { runPromtool } from '../index.ts'
import { snappy, writeRequest } from './write-request.ts'

/** Fields of a message as [number, value]; nested messages stay bytes. */
function fields(bytes: Buffer): [number, number | Buffer][] {
  const out: [number, number | Buffer][] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const field = Math.floor(tag / 8)
    if (tag % 8 === 0) out.push([field, varint()])
    else if (tag % 8 === 1) out.push([field, bytes.readDoubleLE((at += 8) - 8)])
    else {
      const length = varint()
      out.push([field, bytes.subarray(at, (at += length))])
    }
  }
  return out
}

function decoded(request: Buffer) {
  const nested = (value: number | Buffer) => fields(value as Buffer)
  const text = (value: number | Buffer) => (value as Buffer).toString('utf8')
  const series = fields(request)
    .filter(([field]) => field === 1)
    .map(([, bytes]) => {
      const parts = nested(bytes)
      const labels = parts.filter(([field]) => field === 1).map(([, label]) => nested(label))
      const sample = nested(parts.find(([field]) => field === 2)![1])
      return [
        Object.fromEntries(labels.map(([name, value]) => [text(name![1]), text(value![1])])),
        ...sample.map(([, value]) => value),
      ]
    })
  const metadata = fields(request)
    .filter(([field]) => field === 3)
    .map(([, bytes]) => nested(bytes).map(([, value]) => (typeof value === 'number' ? value : text(value))))
  return { series, metadata }
}

it('makes a series of every line and keeps the metadata', () => {
  const text = '# HELP x_total ü\n# TYPE x_total counter\nx_total{job="q",b="2"} 5 1234\nup 1\n'
  expect(decoded(writeRequest(text, { job: 'promtool' }, 99))).toEqual({
    series: [
      [{ __name__: 'x_total', b: '2', exported_job: 'q', job: 'promtool' }, 5, 1234],
      [{ __name__: 'up', job: 'promtool' }, 1, 99],
    ],
    metadata: [[1, 'x_total', 'ü']],
  })
})

it('posts what a receiver can read, and tells what it answered', async () => {
  const asked: { url: string; headers: Record<string, unknown>; body: Buffer }[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      asked.push({ url: request.url!, headers: request.headers, body: Buffer.concat(chunks) })
      response.writeHead(request.url === '/api/v1/write' ? 204 : 400).end('no')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const push = async (...args: string[]) => {
    let text = ''
    const add = (part: string) => void (text += part)
    const io = { out: add, err: add, stdin: async () => 'a 1\n', now: () => 5 }
    return [await runPromtool(['push', 'metrics', ...args], io), text]
  }
  try {
    const done = [0, 'Parsing standard input\n  SUCCESS: metrics pushed to remote write.\n']
    expect(await push(url)).toEqual(done)
    expect(await push(`${url}/api/v1/write`, '--label=x=y')).toEqual(done)
    expect(await push(url, '--remote-write.path=/w')).toEqual([
      1,
      'Parsing standard input\n  FAILED: server returned HTTP status 400 Bad Request: no\n',
    ])
    expect((await push(url, '--protobuf_message=x'))[0]).toBe(1)
    expect(asked.map((request) => request.url)).toEqual(['/api/v1/write', '/api/v1/write', '/w'])
    expect(asked[0]!.headers).toMatchObject({
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'x-prometheus-remote-write-version': '0.1.0',
    })
    expect(asked[0]!.body).toEqual(snappy(writeRequest('a 1\n', { job: 'promtool' }, 5)))
  } finally {
    server.close()
  }
})

it('compresses without loss', () => {
  const bytes = Buffer.from('abcabcabc'.repeat(5000))
  const packed = snappy(bytes)
  expect(packed.length).toBeLessThan(bytes.length / 5)
  const arena = createArena(1024 * 1024)
  const source = arena.alloc(packed.length)
  const target = arena.alloc(bytes.length)
  new Uint8Array(arena.memory.buffer, source, packed.length).set(packed)
  expect(arena.kernels.snappyDecode(source, packed.length, target, bytes.length)).toBe(bytes.length)
  expect(Buffer.from(new Uint8Array(arena.memory.buffer, target, bytes.length))).toEqual(bytes)
})
