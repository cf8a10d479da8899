import { createSocket, type Socket } from 'node:dgram'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from '../logger.ts'
import type { DnsSdConfig } from '../config/index.ts'
import { createDnsDiscovery } from './dns-discovery.ts'
import { candidates, createDnsLookup, parseResolvConf } from './dns-lookup.ts'
import type { Discoverer, TargetGroup } from './index.ts'

const TYPES: Record<string, number> = { A: 1, NS: 2, MX: 15, AAAA: 28, SRV: 33 }
/** Records by `type name`; a number is the code of an error (2 = SERVFAIL, 3 = NXDOMAIN). */
let zone: Record<string, Buffer[] | number> = {}
let socket: Socket
let server = ''
let discovery: Discoverer | undefined
let updates: (readonly TargetGroup[])[] = []
let lookups: boolean[] = []

beforeEach(async () => {
  zone = {}
  updates = []
  lookups = []
  socket = createSocket('udp4')
  socket.on('message', (question, from) => socket.send(answerTo(question), from.port, from.address))
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  server = `127.0.0.1:${socket.address().port}`
})

afterEach(() => {
  discovery?.stop()
  socket.close()
})

function answerTo(question: Buffer): Buffer {
  let offset = 12
  const parts: string[] = []
  while (question[offset] !== 0) {
    parts.push(question.toString('latin1', offset + 1, offset + 1 + question[offset]!))
    offset += question[offset]! + 1
  }
  const type = question.readUInt16BE(offset + 1)
  const kind = Object.keys(TYPES).find((name) => TYPES[name] === type) ?? '?'
  const found = zone[`${kind} ${parts.join('.')}`] ?? 3
  const records = typeof found === 'number' ? [] : found
  const head = Buffer.from(question.subarray(0, 12))
  head.writeUInt16BE(0x8180 | (typeof found === 'number' ? found : 0), 2)
  head.writeUInt16BE(records.length, 6)
  head.writeUInt32BE(0, 8)
  const answers = records.map((data) => {
    const record = Buffer.alloc(12)
    record.writeUInt16BE(0xc00c, 0)
    record.writeUInt16BE(type, 2)
    record.writeUInt16BE(1, 4)
    record.writeUInt32BE(0, 6)
    record.writeUInt16BE(data.length, 10)
    return Buffer.concat([record, data])
  })
  return Buffer.concat([head, question.subarray(12, offset + 5), ...answers])
}

const name = (text: string) =>
  Buffer.concat([
    ...text.split('.').map((part) => Buffer.from([part.length, ...Buffer.from(part)])),
    Buffer.of(0),
  ])
const srv = (port: number, host: string) =>
  Buffer.concat([Buffer.from([0, 1, 0, 2, port >> 8, port & 255]), name(host)])

function start(config: Partial<DnsSdConfig>) {
  discovery = createDnsDiscovery(
    { names: ['x.test'], refreshIntervalMs: 100, type: 'SRV', port: 0, ...config },
    {
      pool: 'job',
      logger: createLogger({ write: () => undefined }),
      events: { onDnsLookup: (failed) => lookups.push(failed) },
      userAgent: '',
      onGroups: (groups) => updates.push(groups),
    },
    createDnsLookup([server], { domains: ['cluster.local'], ndots: 1 }),
  )
  void discovery.start()
}

const labels = (parts: Record<string, string>) => ({
  __meta_dns_name: 'x.test',
  __meta_dns_srv_record_target: '',
  __meta_dns_srv_record_port: '',
  __meta_dns_mx_record_target: '',
  __meta_dns_ns_record_target: '',
  ...parts,
})

describe('dns_sd', () => {
  const cases: [DnsSdConfig['type'], Buffer, Record<string, string>][] = [
    [
      'SRV',
      srv(9100, 'web.test'),
      {
        __address__: 'web.test:9100',
        __meta_dns_srv_record_target: 'web.test.',
        __meta_dns_srv_record_port: '9100',
      },
    ],
    ['A', Buffer.of(10, 0, 0, 1), { __address__: '10.0.0.1:80' }],
    ['AAAA', Buffer.from('20010db8000000000000000000000001', 'hex'), { __address__: '[2001:db8::1]:80' }],
    [
      'MX',
      Buffer.concat([Buffer.of(0, 5), name('mail.test')]),
      { __address__: 'mail.test:80', __meta_dns_mx_record_target: 'mail.test.' },
    ],
    ['NS', name('ns.test'), { __address__: 'ns.test:80', __meta_dns_ns_record_target: 'ns.test.' }],
  ]
  it.each(cases)('makes targets of %s records', async (type, record, expected) => {
    zone[`${type} x.test`] = [record]
    start({ type, port: 80 })
    await vi.waitFor(() => expect(updates).toHaveLength(1), 3000)
    expect(updates[0]).toEqual([{ source: 'x.test', labels: {}, targets: [labels(expected)] }])
  })

  it('goes through the search path', async () => {
    zone['SRV x.test.cluster.local'] = [srv(1, 'a.test')]
    start({})
    await vi.waitFor(() => expect(updates[0]?.[0]?.targets).toHaveLength(1), 3000)
  })

  it('keeps the targets of a name whose server fails, and lets them go when the name is gone', async () => {
    zone['SRV x.test'] = [srv(1, 'a.test')]
    start({})
    await vi.waitFor(() => expect(updates).toHaveLength(1), 3000)
    zone['SRV x.test'] = zone['SRV x.test.cluster.local'] = 2
    await vi.waitFor(() => expect(lookups).toContain(true), 4000)
    expect(updates).toHaveLength(1)
    zone = {}
    await vi.waitFor(() => expect(updates.at(-1)![0]!.targets).toEqual([]), 4000)
  }, 10_000)
})

describe('the search path', () => {
  it('is read from resolv.conf', () => {
    expect(parseResolvConf('nameserver 1.2.3.4\nsearch a.b. c.d\noptions ndots:5 timeout:1\n')).toEqual({
      domains: ['a.b', 'c.d'],
      ndots: 5,
    })
  })

  it('comes before names with few dots and behind those with many', () => {
    const path = { domains: ['s'], ndots: 2 }
    expect(candidates('a.b', path)).toEqual(['a.b.s', 'a.b'])
    expect(candidates('a.b.c', path)).toEqual(['a.b.c', 'a.b.c.s'])
    expect(candidates('a.', path)).toEqual(['a'])
  })
})
