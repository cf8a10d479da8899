// Conformance of the Alertmanager: notations of matchers, routing, inhibition, time intervals, templates, API v2 and
// whole scenarios, which run on a simulated clock.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Labels, Matcher } from '@watchfire/datamodel'
import { parse, stringify } from 'yaml'
import { createAlert } from '../../apps/alertmanager/dist/alerts/index.js'
import { Alertmanager } from '../../apps/alertmanager/dist/alertmanager.js'
import { createApp } from '../../apps/alertmanager/dist/api/index.js'
import {
  inTimeInterval,
  loadConfig,
  matchersText,
  parseMatchers,
} from '../../apps/alertmanager/dist/config/index.js'
import { NotificationTemplates } from '../../apps/alertmanager/dist/notify/index.js'
import { buildRoute, matchRoutes } from '../../apps/alertmanager/dist/dispatch/index.js'
import { SimulatedClock } from './simulated-clock.mjs'
import { readJsonLines } from './lines.mjs'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** Runs the cases of a folder; one result a case. */
export async function run(folder) {
  const cases = (name) => {
    const file = join(folder, `${name}.jsonl`)
    return existsSync(file) ? readJsonLines(file) : []
  }
  const scenarios = join(folder, 'scenarios')
  return [
    ...cases('matchers').flatMap(matchers),
    ...cases('routing')
      .filter(({ receivers }) => receivers !== undefined)
      .map((testCase) => routing(testCase, folder)),
    ...cases('inhibition').map(inhibition),
    ...cases('time_intervals').map(timeInterval),
    ...(await sequentially(cases('templates'), (testCase) => template(testCase, folder))),
    ...(await api(cases('api_v2'), folder)),
    ...(await sequentially(
      existsSync(scenarios) ? readdirSync(scenarios).filter((name) => name.endsWith('.json')) : [],
      (name) => scenario(join(scenarios, name)),
    )),
  ]
}

async function sequentially(items, body) {
  const results = []
  for (const item of items) results.push(await body(item))
  return results
}

/** A result that compares `got()` with `want`. */
function compare(name, got, want) {
  let value
  try {
    value = got()
  } catch (error) {
    value = { error: error.message }
  }
  const passed = isDeepStrictEqual(value, want)
  return {
    name,
    passed,
    ...(!passed && { problem: `got ${JSON.stringify(value)}, want ${JSON.stringify(want)}` }),
  }
}

function matchers({ id, input, ...modes }) {
  return ['classic', 'utf8', 'fallback'].map((mode) =>
    compare(
      `${id}/${mode}`,
      () => {
        const parsed = parseMatchers(input, mode)
        return {
          matchers: parsed.map(({ name, type, value }) => [name, type, value]),
          string: matchersText(parsed),
        }
      },
      modes[mode],
    ),
  )
}

function routing({ id, config, labels, receivers }, folder) {
  return compare(
    id,
    () => {
      const document = parse(readFileSync(join(folder, config), 'utf8'))
      // The recording needed only names of receivers, not what they do.
      document.receivers = document.receivers.map(({ name }) => ({ name }))
      delete document.templates
      const { route } = loadConfig(stringify(document), config)
      return matchRoutes(buildRoute(route), Labels.from(labels)).map(({ receiver }) => receiver)
    },
    receivers,
  )
}

function createManager(config, clock, more = {}) {
  return new Alertmanager({
    config: loadConfig(config, 'config.yml'),
    clock,
    logger: quiet,
    version: '',
    externalUrl: 'http://am.example/am',
    random: () => 0.5,
    ...more,
  })
}

function alertOf(
  { labels, annotations = {}, generatorURL = '' },
  startsAt,
  endsAt,
  now,
  resolveMs = 300_000,
) {
  return createAlert({
    labels: Labels.from(labels),
    annotations,
    startsAt: startsAt ?? now,
    endsAt: endsAt ?? now + resolveMs,
    updatedAt: now,
    generatorUrl: generatorURL,
    timeout: endsAt === undefined,
  })
}

function inhibition({ id, inhibit_rules: rules, alerts, expect }) {
  const clock = new SimulatedClock(Date.parse('2026-06-01T00:00:00Z'))
  const config = `route: {receiver: r}\nreceivers: [{name: r}]\ninhibit_rules:\n${rules.replace(/^/gm, '  ')}\n`
  let problem = ''
  try {
    const manager = createManager(config, clock)
    for (const alert of alerts)
      manager.alerts.put(
        alertOf(alert, Date.parse(alert.startsAt), Date.parse(alert.endsAt), clock.now()),
        clock.now(),
      )
    for (const want of expect) {
      const found = manager.alerts.all().find(({ labels }) => labels.equals(Labels.from(want.labels)))
      const inhibited = manager.statusOf(found).inhibitedBy.length > 0
      if (inhibited !== want.inhibited)
        problem += `${JSON.stringify(want.labels)}: inhibited is ${inhibited} `
    }
    manager.stop()
  } catch (error) {
    problem = error.message
  }
  return { name: id, passed: problem === '', ...(problem !== '' && { problem }) }
}

/** Lines of the configuration before the interval. */
const INTERVAL_LINES = 5

function timeInterval({ id, yaml, canonical, error, contains }) {
  const text = (yaml ?? canonical).replace(/^\s*---\s*$/m, '')
  const config =
    'route: {receiver: r}\nreceivers: [{name: r}]\n' +
    stringify({ time_intervals: [{ name: 'i', time_intervals: 'HERE' }] }).replace(
      ' HERE',
      `\n${text.replace(/^/gm, '      ')}`,
    )
  return compare(
    id,
    () => {
      try {
        const intervals = loadConfig(config, 'c').timeIntervals.get('i')
        // Without a location the recording took the wall clock of the time itself.
        const at = (time) =>
          intervals.some((interval) =>
            inTimeInterval(
              interval,
              Date.parse(interval.location === '' ? time.replace(/[+-]\d\d:\d\d$/, 'Z') : time),
            ),
          )
        return contains ? Object.fromEntries(Object.keys(contains).map((time) => [time, at(time)])) : {}
      } catch (failure) {
        // Lines of the recording count from the interval's own first line.
        return { error: failure.text.replace(/line (\d+)/, (_, line) => `line ${line - INTERVAL_LINES}`) }
      }
    },
    error === undefined || error === null ? (contains ?? {}) : { error },
  )
}

async function template({ id, template: text, output, error }, folder) {
  const data = JSON.parse(readFileSync(join(folder, 'templates.data.json'), 'utf8'))
  const ms = (time) => (time.startsWith('0001') ? 0 : Date.parse(time))
  const dot = {
    ...data,
    routeLabels: {},
    reason: '',
    externalUrl: data.externalURL,
    alerts: data.alerts.map((alert) => ({
      ...alert,
      startsAt: ms(alert.startsAt),
      endsAt: ms(alert.endsAt),
      generatorUrl: alert.generatorURL,
    })),
  }
  const templates = new NotificationTemplates(Date.now, [
    { name: 'file', text: '{{ define "custom.t" }}custom {{ .Status }}{{ end }}' },
  ])
  let got
  try {
    got = { output: await templates.renderer(dot).text(text), error: null }
  } catch (failure) {
    got = { output: null, error: `amtool: error: ${failure.message}` }
  }
  return compare(id, () => got, { output: output ?? null, error: error ?? null })
}

/** Takes what differs from run to run out of an answer. */
function still(value, ids) {
  if (Array.isArray(value)) return value.map((item) => still(item, ids))
  if (typeof value === 'string') return ids.get(value) ?? value
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(
    ([key]) =>
      !['updatedAt', 'uptime', 'versionInfo', 'cluster', 'original', 'startsAt', 'endsAt'].includes(key),
  )
  return Object.fromEntries(entries.map(([key, item]) => [key, still(item, ids)]))
}

async function api(cases, folder) {
  if (cases.length === 0) return []
  const clock = new SimulatedClock(Date.parse('2026-11-23T16:18:43Z'))
  const text = readFileSync(join(folder, 'api_v2.config.yml'), 'utf8')
  const manager = createManager(text, clock)
  let broken = false
  const app = await createApp(manager, {
    version: '',
    reload: async () => {
      if (!broken) return
      try {
        loadConfig(text.replace('receiver: default', 'receiver: missing'), 'config.yml')
      } catch (error) {
        throw new Error(error.text, { cause: error })
      }
    },
  })
  /** Ids of silences in the recording → ours. */
  const ids = new Map()
  const results = []
  for (const testCase of cases) {
    const { id, method, path, params = [], requestBody, requestHeaders = {}, status } = testCase
    broken = status === 500
    await clock.advance(20)
    const translate = (value) => [...ids].reduce((out, [theirs, own]) => out.replaceAll(theirs, own), value)
    const query = params.length > 0 ? `?${new URLSearchParams(params)}` : ''
    const answer = await app.inject({
      method,
      url: translate(path) + query,
      headers: requestHeaders,
      ...(requestBody !== undefined && { payload: translate(requestBody) }),
    })
    if (status === 0) continue
    const isJson = /json/.test(String(answer.headers['content-type']))
    const got = isJson && answer.body !== '' ? JSON.parse(answer.body) : answer.body
    if (got?.silenceID && testCase.body?.silenceID) ids.set(testCase.body.silenceID, got.silenceID)
    const own = new Map([...ids].map(([theirs, mine]) => [mine, theirs]))
    const want = testCase.body === undefined ? (testCase.bodyText ?? '') : testCase.body
    results.push(
      compare(`${id} ${method} ${path}`, () => ({ status: answer.statusCode, body: still(got, own) }), {
        status,
        body: still(want, new Map()),
      }),
    )
  }
  await app.close()
  manager.stop()
  return results
}

/** Time texts as seconds since the start, rounded, so that they compare. */
function relative(value, start) {
  if (Array.isArray(value)) return value.map((item) => relative(item, start))
  if (typeof value === 'string') {
    const recorded = /^@T([+-][\d.]+)@$/.exec(value)
    if (recorded) return `T${Math.round(Number(recorded[1])) + 0}`
    if (/^20\d\d-\d\d-\d\dT[\d:.]+Z$/.test(value))
      return `T${Math.round((Date.parse(value) - start) / 1000) + 0}`
    return value
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, relative(item, start)]))
}

/** Bodies are JSON; forms stay texts, and no body is an empty one. */
function readBody(body = '') {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** What the services say when they take a message. */
function answerOf(path) {
  const json = (value) => ({ body: JSON.stringify(value), contentType: 'application/json' })
  if (path.endsWith('/sendMessage')) return json({ ok: true, result: {} })
  if (path.includes('/gettoken')) return json({ access_token: 'tok', errcode: 0 })
  if (path.includes('/message/send')) return json({ errcode: 0 })
  if (path.endsWith('/chat.postMessage')) return json({ success: true })
  if (path.endsWith('/search')) return json({ issues: [] })
  if (path.includes('/jira/')) return json({})
  return { body: 'ok' }
}

/** A mail without what differs from run to run. */
function stillMail(data) {
  const boundary = /boundary=(\w+)/.exec(data)?.[1] ?? ''
  const [head, ...body] = data.replaceAll(boundary, 'BOUNDARY').split('\r\n\r\n')
  const headers = head.split('\r\n').filter((line) => !/^(Message-Id|Date):/.test(line))
  return { headers: headers.sort(), body: body.join('\r\n\r\n') }
}

async function scenario(file) {
  const { id, config, timeline, duration, notifications, mails = [] } = JSON.parse(readFileSync(file, 'utf8'))
  const start = Date.parse('2026-01-05T12:00:00Z')
  const clock = new SimulatedClock(start)
  const answers = new Map()
  for (const { path, answered } of notifications)
    answers.set(path, [...(answers.get(path) ?? []), answered ?? 200])
  const sent = []
  const mailed = []
  try {
    const text = config.replaceAll('@HTTP@', '80').replaceAll('@SMTP@', '25')
    const manager = createManager(text, clock, {
      send: async ({ method, url, headers, body }) => {
        const { pathname, search } = new URL(url)
        const path = pathname + search
        sent.push({ t: (clock.now() - start) / 1000, method, path, headers, body: readBody(body) })
        return { status: answers.get(path)?.shift() ?? 200, ...answerOf(path) }
      },
      sendMail: async ({ from, to, raw }) => {
        mailed.push({ t: (clock.now() - start) / 1000, to: [from, ...to], mail: stillMail(raw) })
      },
    })
    for (const { t, action, data } of timeline) {
      // Where an action and a timer fall on one moment, the recorded action came first.
      await clock.advance(Math.max(0, start + t * 1000 - 1 - clock.now()))
      const at = (offset) => (offset === undefined || offset === null ? undefined : start + offset * 1000)
      if (action === 'alerts')
        for (const alert of data)
          manager.alerts.put(
            alertOf(
              alert,
              at(alert.startsAtOffset),
              at(alert.endsAtOffset),
              clock.now(),
              manager.config.resolveTimeoutMs,
            ),
            clock.now(),
          )
      else
        manager.silences.set(
          {
            id: '',
            matchers: data.matchers.map(
              (m) =>
                new Matcher(
                  `${m.isEqual === false ? '!' : '='}${m.isRegex ? '~' : m.isEqual === false ? '=' : ''}`,
                  m.name,
                  m.value,
                ),
            ),
            startsAt: at(data.startsAtOffset) ?? clock.now(),
            endsAt: at(data.endsAtOffset) ?? clock.now() + 3_600_000,
            createdBy: data.createdBy ?? '',
            comment: data.comment ?? '',
            annotations: {},
          },
          clock.now(),
        )
    }
    // The recording ended before what falls on its last moment.
    await clock.advance(start + duration * 1000 - clock.now() - 1)
    manager.stop()
  } catch (error) {
    return { name: id, passed: false, problem: error.message }
  }
  const problems = []
  const theirMails = mails.map(({ envelope, data }) => ({
    to: envelope.map((line) => /<(.*)>/.exec(line)[1]),
    mail: stillMail(data),
  }))
  const ownMails = mailed.map(({ to, mail }) => ({ to, mail }))
  if (!isDeepStrictEqual(ownMails, theirMails))
    problems.push(`mails: got ${JSON.stringify(ownMails)}, want ${JSON.stringify(theirMails)}`)
  const paths = new Set([...sent, ...notifications].map(({ path }) => path))
  for (const path of paths) {
    const order = (list) =>
      list
        .filter((item) => item.path === path)
        .map(({ t, body }) => ({ t, body: relative(body, start) }))
        .sort((a, b) => Math.round(a.t) - Math.round(b.t) || (a.body?.groupKey < b.body?.groupKey ? -1 : 1))
    const [own, theirs] = [order(sent), order(notifications)]
    if (own.length !== theirs.length)
      problems.push(
        `${path}: ${own.length} notifications at ${own.map(({ t }) => t)}, want ${theirs.map(({ t }) => t)}`,
      )
    for (let i = 0; i < Math.min(own.length, theirs.length); i++) {
      if (Math.abs(own[i].t - theirs[i].t) > 0.7)
        problems.push(`${path}: at ${own[i].t}, want ${theirs[i].t}`)
      if (!isDeepStrictEqual(own[i].body, theirs[i].body))
        problems.push(`${path}: got ${JSON.stringify(own[i].body)}, want ${JSON.stringify(theirs[i].body)}`)
    }
  }
  return {
    name: id,
    passed: problems.length === 0,
    ...(problems.length > 0 && { problem: problems.join('; ') }),
  }
}
