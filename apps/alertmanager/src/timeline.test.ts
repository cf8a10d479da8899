import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Labels, Matcher, type Clock } from '@watchfire/datamodel'
import { createAlert } from './alerts/index.ts'
import { Alertmanager } from './alertmanager.ts'
import { loadConfig } from './config/index.ts'
import type { NotificationMessage } from './notify/index.ts'

const START = Date.parse('2026-01-05T12:00:00Z')
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

class SimulatedClock implements Clock {
  time = START
  #timers: { at: number; run: () => void }[] = []
  now = () => this.time
  monotonic = () => this.time
  setTimeout(run: () => void, delayMs: number) {
    const timer = { at: this.time + delayMs, run }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }
  /** Runs what is due up to `seconds` after the start, letting promises settle after each timer. */
  async to(seconds: number): Promise<void> {
    const end = START + seconds * 1000
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
      if (!next) break
      this.#timers = this.#timers.filter((timer) => timer !== next)
      this.time = Math.max(this.time, next.at)
      next.run()
    }
    this.time = end
  }
}

/** An Alertmanager in simulated time whose webhooks are recorded as `seconds path status: alerts (reason)`. */
function timeline(config: string, options: { dataDir?: string; clock?: SimulatedClock } = {}) {
  const clock = options.clock ?? new SimulatedClock()
  const sent: string[] = []
  const messages: NotificationMessage[] = []
  const answers: number[] = []
  const manager = new Alertmanager({
    config: loadConfig(config, 'test.yml'),
    clock,
    externalUrl: 'http://am.example',
    version: 'test',
    logger: quiet,
    random: () => 0.5,
    send: async (request) => {
      const message = JSON.parse(request.body!) as NotificationMessage
      messages.push(message)
      const alerts = message.alerts.map((a) => `${a.status === 'firing' ? '+' : '-'}${a.labels.model ?? ''}`)
      const at = (clock.time - START) / 1000
      sent.push(`${at} ${new URL(request.url).pathname} ${alerts.join(' ')} (${message.notification_reason})`)
      return { status: answers.shift() ?? 200, body: '' }
    },
    ...(options.dataDir !== undefined && { dataDir: options.dataDir }),
  })
  const fire = (labels: Record<string, string>, times: { startsAt?: number; endsAt?: number } = {}) => {
    const now = clock.now()
    manager.alerts.put(
      createAlert({
        labels: Labels.from({ alertname: 'Errors', ...labels }),
        annotations: { summary: 's' },
        startsAt: times.startsAt ?? START,
        endsAt: times.endsAt ?? now + manager.config.resolveTimeoutMs,
        updatedAt: now,
        generatorUrl: '',
        timeout: times.endsAt === undefined,
      }),
      now,
    )
  }
  const resolve = (labels: Record<string, string>) => fire(labels, { endsAt: clock.now() })
  return { clock, manager, sent, messages, answers, fire, resolve }
}

const webhook = (name: string, more = '') =>
  `{name: ${name}, webhook_configs: [{url: "http://hook.example/${name}"${more}}]}`
const simple = (timers: string, more = '') =>
  `route: {receiver: w, group_by: [alertname], ${timers}}\nreceivers: [${webhook('w', more)}]\n`

describe('timelines', () => {
  it('groups alerts, waits, and adds a late alert at the next interval', async () => {
    const t = timeline(simple('group_wait: 1s, group_interval: 2s, repeat_interval: 1h'))
    t.fire({ model: 'a' })
    await t.clock.to(0.5)
    t.fire({ model: 'b' })
    await t.clock.to(2.2)
    t.fire({ model: 'c' })
    await t.clock.to(20)
    expect(t.sent).toEqual(['1 /w +a +b (first notification)', '3 /w +a +b +c (new alerts added)'])
    expect(t.messages[1]).toMatchObject({
      receiver: 'w',
      status: 'firing',
      groupKey: '{}:{alertname="Errors"}',
      groupLabels: { alertname: 'Errors' },
      commonLabels: { alertname: 'Errors' },
      commonAnnotations: { summary: 's' },
      version: '4',
      truncatedAlerts: 0,
    })
    expect(t.messages[1]!.alerts[0]).toMatchObject({
      startsAt: '2026-01-05T12:00:00Z',
      endsAt: '0001-01-01T00:00:00Z',
    })
  })

  it('repeats only after repeat_interval', async () => {
    const t = timeline(simple('group_wait: 1s, group_interval: 1s, repeat_interval: 3s'))
    t.fire({ model: 'a' })
    await t.clock.to(8)
    expect(t.sent).toEqual([
      '1 /w +a (first notification)',
      '4 /w +a (repeat interval elapsed)',
      '7 /w +a (repeat interval elapsed)',
    ])
  })

  it('tells of alerts that resolve and fire again', async () => {
    const t = timeline(simple('group_wait: 1s, group_interval: 2s, repeat_interval: 1h'))
    t.fire({ model: 'a' })
    t.fire({ model: 'b' })
    await t.clock.to(2.2)
    t.resolve({ model: 'a' })
    await t.clock.to(6.2)
    t.resolve({ model: 'b' })
    await t.clock.to(9.2)
    t.fire({ model: 'a' }, { startsAt: START + 9000 })
    await t.clock.to(13)
    expect(t.sent).toEqual([
      '1 /w +a +b (first notification)',
      '3 /w -a +b (some alerts resolved)',
      '7 /w -b (all alerts resolved)',
      // Nothing was left of the group: the alert waits group_wait in a new one.
      '10.2 /w +a (first notification)',
    ])
  })

  it('says nothing of an alert that resolves during group_wait', async () => {
    const t = timeline(simple('group_wait: 2s, group_interval: 2s, repeat_interval: 1h'))
    t.fire({ model: 'a' })
    await t.clock.to(1)
    t.resolve({ model: 'a' })
    await t.clock.to(10)
    expect(t.sent).toEqual([])
  })

  it('notifies at once when the alert is older than group_wait', async () => {
    const t = timeline(simple('group_wait: 10s, group_interval: 2s, repeat_interval: 1h'))
    t.fire({ model: 'a' }, { startsAt: START - 60_000 })
    await t.clock.to(1)
    expect(t.sent).toEqual(['0 /w +a (first notification)'])
  })

  it('resolves an alert that is not reported any more after resolve_timeout', async () => {
    const t = timeline(
      `global: {resolve_timeout: 5s}\n${simple('group_wait: 1s, group_interval: 2s, repeat_interval: 1h')}`,
    )
    t.fire({ model: 'a' })
    await t.clock.to(12)
    expect(t.sent).toEqual(['1 /w +a (first notification)', '5 /w -a (all alerts resolved)'])
  })

  it('keeps resolved alerts to itself with send_resolved: false, but remembers them', async () => {
    const t = timeline(
      simple('group_wait: 1s, group_interval: 1s, repeat_interval: 1h', ', send_resolved: false'),
    )
    t.fire({ model: 'a' })
    await t.clock.to(2.5)
    t.resolve({ model: 'a' })
    await t.clock.to(4.5)
    t.fire({ model: 'a' }, { startsAt: START + 4500 })
    await t.clock.to(9)
    expect(t.sent).toEqual(['1 /w +a (first notification)', '5.5 /w +a (first notification)'])
  })

  it('walks the routing tree: first match, continue, inherited timers', async () => {
    const t = timeline(`
route:
  receiver: w
  group_by: [alertname]
  group_wait: 1s
  group_interval: 5s
  routes:
    - {receiver: audit, matchers: ['team="ml"'], continue: true}
    - {receiver: ml, match: {team: ml}, group_by: [model]}
    - {receiver: w2, match_re: {team: "web|db"}}
receivers: [${['w', 'audit', 'ml', 'w2'].map((name) => webhook(name)).join(', ')}]`)
    t.fire({ team: 'ml', model: 'a' })
    t.fire({ team: 'db', model: 'b' })
    t.fire({ model: 'c' })
    await t.clock.to(2)
    expect(t.sent.map((line) => line.replace(/ \(.*/, '')).sort()).toEqual([
      '1 /audit +a',
      '1 /ml +a',
      '1 /w +c',
      '1 /w2 +b',
    ])
    expect(t.messages.find(({ receiver }) => receiver === 'ml')!.groupKey).toBe('{}/{team="ml"}:{model="a"}')
  })

  it('inhibits targets while a source with equal labels fires', async () => {
    const t = timeline(`
route: {receiver: w, group_by: [alertname], group_wait: 1s, group_interval: 1s}
inhibit_rules:
  - {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [cluster]}
receivers: [${webhook('w')}]`)
    t.fire({ alertname: 'Down', severity: 'critical', cluster: 'eu', model: 'source' })
    t.fire({ alertname: 'Slow', severity: 'warning', cluster: 'eu', model: 'target' })
    t.fire({ alertname: 'Slow', severity: 'warning', cluster: 'us', model: 'other' })
    await t.clock.to(3.5)
    t.resolve({ alertname: 'Down', severity: 'critical', cluster: 'eu', model: 'source' })
    await t.clock.to(6)
    expect(t.sent).toEqual([
      '1 /w +source (first notification)',
      '1 /w +other (first notification)',
      '4 /w -source (all alerts resolved)',
      '4 /w +target +other (new alerts added)',
    ])
  })

  it('is silent while a silence is active, also one made during group_wait', async () => {
    const t = timeline(simple('group_wait: 2s, group_interval: 1s, repeat_interval: 1h'))
    t.fire({ model: 'a' })
    await t.clock.to(1)
    const draft = {
      id: '',
      matchers: [new Matcher('=~', 'model', 'a|b')],
      startsAt: t.clock.now(),
      endsAt: t.clock.now() + 3_600_000,
      createdBy: 'me',
      comment: 'maintenance',
      annotations: {},
    }
    const id = t.manager.silences.set(draft, t.clock.now())
    await t.clock.to(4.5)
    expect(t.sent).toEqual([])
    expect(t.manager.statusOf(t.manager.alerts.all()[0]!)).toMatchObject({
      state: 'suppressed',
      silencedBy: [id],
    })
    t.manager.silences.expire(id, t.clock.now())
    await t.clock.to(6)
    expect(t.sent).toEqual(['5 /w +a (first notification)'])
  })

  it('mutes by time intervals', async () => {
    const t = timeline(`
route:
  receiver: w
  group_wait: 1s
  group_interval: 1s
  routes:
    - {receiver: w, matchers: [model="muted"], mute_time_intervals: [weekdays]}
    - {receiver: w, matchers: [model="inactive"], active_time_intervals: [weekends]}
time_intervals:
  - {name: weekdays, time_intervals: [{weekdays: ['monday:friday']}]}
  - {name: weekends, time_intervals: [{weekdays: [saturday, sunday]}]}
receivers: [${webhook('w')}]`)
    for (const model of ['muted', 'inactive', 'heard']) t.fire({ model })
    await t.clock.to(3)
    expect(t.sent).toEqual(['1 /w +heard (first notification)'])
    const groups = t.manager.dispatcher.groups().map(({ group }) => group.mutedBy)
    expect(groups).toContainEqual(['weekdays'])
    expect(groups).toContainEqual(['weekends'])
  })

  it('retries server errors with growing pauses, and gives up on client errors', async () => {
    const t = timeline(simple('group_wait: 1s, group_interval: 10s, repeat_interval: 1h'))
    t.answers.push(500, 503, 200)
    t.fire({ model: 'a' })
    await t.clock.to(5)
    expect(t.sent.map((line) => line.split(' ')[0])).toEqual(['1', '1.5', '2.25'])
    t.answers.push(400)
    t.fire({ model: 'b' })
    await t.clock.to(30)
    // The refused message is tried again with the next flush: the receiver does not know the alert.
    expect(t.sent.slice(3)).toEqual(['11 /w +a +b (new alerts added)', '21 /w +a +b (new alerts added)'])
    const text = t.manager.metrics.registry.metrics()
    expect(text).toContain(
      'alertmanager_notifications_failed_total{integration="webhook",reason="clientError"} 1',
    )
    expect(text).toContain('alertmanager_notification_requests_total{integration="webhook"} 5')
  })

  it('truncates to max_alerts', async () => {
    const t = timeline(simple('group_wait: 1s, group_interval: 10s', ', max_alerts: 1'))
    t.fire({ model: 'a' })
    t.fire({ model: 'b' })
    await t.clock.to(2)
    expect(t.messages[0]).toMatchObject({ truncatedAlerts: 1, commonLabels: { model: 'a' } })
  })

  it('does not notify again after a reload or a restart, and keeps silences and the inbox', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'watchfire-am-'))
    try {
      const config = `
route: {receiver: w, group_by: [alertname], group_wait: 1s, group_interval: 2s, repeat_interval: 1h}
receivers: [{name: w, webhook_configs: [{url: "http://hook.example/w"}], inbox_configs: [{}]}]`
      const first = timeline(config, { dataDir })
      first.fire({ model: 'a' })
      await first.clock.to(2)
      first.manager.reload(loadConfig(config, 'test.yml'))
      await first.clock.to(5)
      const silence = first.manager.silences.set(
        {
          id: '',
          matchers: [new Matcher('=', 'model', 'z'), new Matcher('!~', 'x', 'é+')],
          startsAt: START,
          endsAt: START + 999_999,
          createdBy: 'me',
          comment: 'c',
          annotations: {},
        },
        first.clock.now(),
      )
      await first.clock.to(6)
      first.manager.stop()
      expect(first.sent).toEqual(['1 /w +a (first notification)'])

      const second = timeline(config, { dataDir, clock: first.clock })
      second.fire({ model: 'a' })
      await second.clock.to(12)
      expect(second.sent).toEqual([])
      expect(second.manager.inbox.list()).toMatchObject([
        { id: '1', receiver: 'w', status: 'firing', receivedAt: '2026-01-05T12:00:01.000Z' },
      ])
      expect(second.manager.silences.get(silence)).toMatchObject({ createdBy: 'me', endsAt: START + 999_999 })
      expect(second.manager.silences.get(silence)!.matchers.map(String)).toEqual(['model="z"', 'x!~"é+"'])
      second.manager.stop()
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  })
})
