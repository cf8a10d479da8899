import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Inbox, type NotificationMessage } from './index.ts'

const message = (groupKey: string): NotificationMessage => ({
  receiver: 'r',
  status: 'firing',
  alerts: [],
  notification_reason: 'first notification',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  routeLabels: {},
  externalURL: '',
  version: '4',
  groupKey,
  truncatedAlerts: 0,
})
let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'watchfire-inbox-'))))
afterEach(() => rmSync(dir, { recursive: true }))
const open = (notificationsMax = 3) =>
  new Inbox({ file: join(dir, 'inbox.jsonl'), now: () => 1_767_225_600_000, notificationsMax })
const keys = (inbox: Inbox) => inbox.list().map(({ id, groupKey }) => `${id}${groupKey}`)

describe('inbox', () => {
  it('keeps the newest notifications over restarts, and its file does not grow without end', () => {
    let inbox = open()
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']) inbox.add(message(key))
    expect(keys(inbox)).toEqual(['9i', '8h', '7g'])
    inbox = open()
    inbox.add(message('j'))
    expect(keys(inbox)).toEqual(['10j', '9i', '8h'])
    const lines = readFileSync(join(dir, 'inbox.jsonl'), 'utf8').trim().split('\n')
    expect(lines.length).toBeLessThanOrEqual(7)
  })

  it('loses only the line that a crash tore', () => {
    const file = join(dir, 'inbox.jsonl')
    const first = open()
    first.add(message('a'))
    first.add(message('b'))
    const whole = readFileSync(file, 'utf8')
    for (let cut = whole.indexOf('\n') + 1; cut < whole.length; cut += 7) {
      writeFileSync(file, whole.slice(0, cut))
      const inbox = open()
      inbox.add(message('c'))
      expect(keys(open()).map((key) => key.slice(1))).toEqual(['c', 'a'])
    }
    appendFileSync(file, 'garbage\n{"id":1}\n')
    expect(keys(open())).toHaveLength(2)
  })
})
