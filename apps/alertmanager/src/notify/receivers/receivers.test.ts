import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../config/index.ts'
import {
  Inbox,
  NotificationTemplates,
  NotifyError,
  sendOverNetwork,
  type IncomingAnswer,
  type NotificationMessage,
  type OutgoingMail,
  type OutgoingRequest,
  type SendRequest,
} from '../index.ts'

const NOW = Date.parse('2026-03-01T10:00:00Z')
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

const message = (change: Partial<NotificationMessage> = {}): NotificationMessage => ({
  receiver: 'team',
  status: 'firing',
  alerts: [
    {
      status: 'firing',
      labels: { alertname: 'Drift', model: 'm<1>', severity: 'warning' },
      annotations: { summary: 'a & b' },
      startsAt: '2026-03-01T09:59:00Z',
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://prom/graph?g0.expr=up',
      fingerprint: '0123456789abcdef',
    },
  ],
  notification_reason: 'first notification',
  groupLabels: { alertname: 'Drift' },
  commonLabels: { alertname: 'Drift', model: 'm<1>', severity: 'warning' },
  commonAnnotations: { summary: 'a & b' },
  routeLabels: { team: 'ml' },
  externalURL: 'http://am.example',
  version: '4',
  groupKey: '{}:{alertname="Drift"}',
  truncatedAlerts: 0,
  ...change,
})
const resolved = message({
  status: 'resolved',
  alerts: [{ ...message().alerts[0]!, status: 'resolved', endsAt: '2026-03-01T09:59:30Z' }],
})

/** Sends one message to the only integration of a receiver; `answers` are used up in order. */
async function tell(
  section: string,
  options: {
    answers?: (IncomingAnswer | Error)[]
    message?: NotificationMessage
    global?: string
    send?: SendRequest
  } = {},
) {
  const config = loadConfig(
    `global: {${options.global ?? ''}}\nroute: {receiver: team}\nreceivers: [{name: team, ${section}}]\n`,
    'am.yml',
  )
  const requests: OutgoingRequest[] = []
  const mails: OutgoingMail[] = []
  const answers = [...(options.answers ?? [])]
  const integration = config.receivers[0]!.integrations[0]!.create(0, {
    templates: new NotificationTemplates(() => NOW),
    send:
      options.send ??
      (async (request) => {
        requests.push(request)
        const answer = answers.shift() ?? { status: 200, body: 'ok' }
        if (answer instanceof Error) throw answer
        return answer
      }),
    sendMail: async (mail) => void mails.push(mail),
    inbox: new Inbox({ now: () => NOW }),
    userAgent: 'Alertmanager/test',
    clock: { now: () => NOW, monotonic: () => NOW, setTimeout: () => ({ cancel() {} }) },
    logger: quiet,
  })
  let failure: NotifyError | undefined
  try {
    await integration.send(options.message ?? message(), new AbortController().signal)
  } catch (error) {
    expect(error).toBeInstanceOf(NotifyError)
    failure = error as NotifyError
  }
  const [first] = requests
  const body =
    first?.body === undefined
      ? undefined
      : (JSON.parse(first.body.startsWith('{') ? first.body : '{}') as object)
  return { requests, mails, failure, first, body, printed: config.printed, integration }
}

const json = (value: unknown): IncomingAnswer => ({
  status: 200,
  body: JSON.stringify(value),
  contentType: 'application/json',
})

describe('receivers send', () => {
  it('webhook: a templated address and a payload of one’s own', async () => {
    const { first, body } = await tell(
      `webhook_configs: [{url: "http://hook/{{ .GroupLabels.alertname }}", payload: {n: "{{ len .Alerts }}", list: ["{{ .Status }}", 2], text: "v: {{ .Status }}"}}]`,
    )
    expect(first).toMatchObject({ method: 'POST', url: 'http://hook/Drift' })
    expect(body).toEqual({ list: ['firing', 2], n: 1, text: { v: 'firing' } })
  })

  it('slack: an attachment with fields and actions, by app token', async () => {
    const { first, body } = await tell(
      `slack_configs: [{channel: "#ml", fields: [{title: Model, value: "{{ .CommonLabels.model }}"}], actions: [{type: button, text: Open, url: "http://x", name: dropped}]}]`,
      { global: 'slack_app_token: xoxb', answers: [json({ ok: true })] },
    )
    expect(first).toMatchObject({
      url: 'https://slack.com/api/chat.postMessage',
      headers: { Authorization: 'Bearer xoxb', 'User-Agent': 'Alertmanager/test' },
    })
    expect(body).toEqual({
      channel: '#ml',
      username: 'Alertmanager',
      attachments: [
        {
          title: '[FIRING:1] Drift (m<1> warning)',
          title_link: 'http://am.example/#/alerts?receiver=team',
          text: '',
          fallback: '[FIRING:1] Drift (m<1> warning) | http://am.example/#/alerts?receiver=team',
          callback_id: '',
          fields: [{ title: 'Model', value: 'm<1>', short: false }],
          actions: [{ type: 'button', text: 'Open', url: 'http://x' }],
          footer: '',
          color: 'danger',
          mrkdwn_in: ['fallback', 'pretext', 'text'],
        },
      ],
    })
  })

  it('slack: later messages change the first one where that is wanted', async () => {
    const told = await tell(
      'slack_configs: [{api_url: "https://slack.com/api/chat.postMessage", channel: c, update_message: true}]',
      { answers: [json({ ok: true, ts: '1.2', channel: 'C1' }), json({ ok: true })] },
    )
    await told.integration.send(message(), new AbortController().signal)
    expect(told.requests[1]!.url).toBe('https://slack.com/api/chat.update')
    expect(JSON.parse(told.requests[1]!.body!)).toMatchObject({ ts: '1.2', channel: 'C1' })
  })

  it('pagerduty: v2 events that resolve, and v1 with a service key', async () => {
    const v2 = await tell(
      'pagerduty_configs: [{routing_key: rk, severity: "{{ .CommonLabels.severity }}", links: [{href: "http://l", text: t}, {text: empty}], details: {num_firing: many}}]',
      { message: resolved },
    )
    expect(v2.first!.url).toBe('https://events.pagerduty.com/v2/enqueue')
    expect(v2.body).toMatchObject({
      routing_key: 'rk',
      event_action: 'resolve',
      payload: {
        summary: '[RESOLVED] Drift (m<1> warning)',
        source: 'Alertmanager',
        severity: 'warning',
        custom_details: {
          firing: [],
          num_firing: 'many',
          num_resolved: 1,
          resolved: [{ status: 'resolved' }],
        },
      },
      client: 'Alertmanager',
      links: [{ href: 'http://l', text: 't' }],
    })
    expect((v2.body as { dedup_key: string }).dedup_key).toMatch(/^[0-9a-f]{64}$/)
    const v1 = await tell('pagerduty_configs: [{service_key: sk}]', { answers: [{ status: 403, body: '' }] })
    expect(v1.first!.url).toContain('/generic/2010-04-15/create_event.json')
    expect(v1.body).toMatchObject({
      service_key: 'sk',
      event_type: 'trigger',
      event_action: '',
      payload: null,
    })
    expect(v1.failure).toMatchObject({ retry: true, reason: 'authError' })
  })

  it('opsgenie: creates with teams, updates, and closes by alias', async () => {
    const section =
      'opsgenie_configs: [{api_key: k, update_alerts: true, tags: "a,,b", responders: [{type: teams, name: "x,y"}], details: {z: "1"}}]'
    const created = await tell(section)
    expect(
      created.requests.map(
        ({ method, url }) => `${method} ${new URL(url).pathname.replace(/[0-9a-f]{64}/, 'ID')}`,
      ),
    ).toEqual(['POST /v2/alerts', 'PUT /v2/alerts/ID/message', 'PUT /v2/alerts/ID/description'])
    expect(created.first!.headers.Authorization).toBe('GenieKey k')
    expect(created.body).toMatchObject({
      details: { alertname: 'Drift', z: '1' },
      responders: [
        { name: 'x', type: 'team' },
        { name: 'y', type: 'team' },
      ],
      tags: ['a', 'b'],
    })
    const closed = await tell(section, { message: resolved })
    expect(closed.first!.url).toMatch(/\/v2\/alerts\/[0-9a-f]{64}\/close\?identifierType=alias$/)
    expect(closed.body).toEqual({ source: 'http://am.example/#/alerts?receiver=team' })
  })

  it('telegram: HTML with what alerts say escaped, and a plain word where it is too long', async () => {
    const section = (text: string) =>
      `telegram_configs: [{bot_token: "1:a", chat_id: -100123456789012, message: '${text}', message_thread_id: 7}]`
    const ok = json({ ok: true })
    const short = await tell(section('<b>{{ .CommonLabels.model }}</b>'), { answers: [ok] })
    expect(short.first!.url).toBe('https://api.telegram.org/bot1:a/sendMessage')
    expect(short.body).toEqual({
      chat_id: '-100123456789012',
      disable_web_page_preview: 'true',
      message_thread_id: '7',
      parse_mode: 'HTML',
      text: '<b>m&lt;1&gt;</b>',
    })
    const long = await tell(section('x'.repeat(4097)), { answers: [ok] })
    expect(long.body).toMatchObject({ text: expect.stringContaining('message length exceeds') as string })
    const flood = await tell(section('x'), {
      answers: [{ status: 429, body: '{"ok":false,"error_code":429,"description":"slow"}' }],
    })
    expect(flood.failure).toMatchObject({ retry: true, reason: 'rateLimited' })
  })

  it('pushover: parameters of the address, never an empty message', async () => {
    const { first } = await tell(
      'pushover_configs: [{user_key: u, token: t, message: " ", html: true, retry: 2m, ttl: 1h}]',
    )
    const { searchParams } = new URL(first!.url)
    expect(Object.fromEntries(searchParams)).toMatchObject({
      user: 'u',
      token: 't',
      message: '(no details)',
      html: '1',
      priority: '2',
      retry: '120',
      expire: '3600',
      ttl: '3600',
    })
  })

  it('sns: a signed form, cut for phones', async () => {
    const { first } = await tell(
      `sns_configs: [{sigv4: {region: eu-west-1, access_key: AK, secret_key: SK}, phone_number: "+1", message: "${'é'.repeat(801)}", subject: "", attributes: {k: v}}]`,
    )
    expect(first!.url).toBe('https://sns.eu-west-1.amazonaws.com/')
    expect(first!.headers).toMatchObject({
      'X-Amz-Date': '20260301T100000Z',
      Authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AK\/20260301\/eu-west-1\/sns\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
      ) as string,
    })
    const form = new URLSearchParams(first!.body)
    expect(form.get('Message')).toBe('é'.repeat(800))
    expect(form.get('MessageAttributes.entry.2.Name')).toBe('truncated')
    const fifo = await tell(
      'sns_configs: [{sigv4: {region: eu-west-1, access_key: AK, secret_key: SK}, topic_arn: "arn:x.fifo"}]',
      { answers: [{ status: 400, body: '<Error><Message>no such topic</Message></Error>' }] },
    )
    expect(new URLSearchParams(fifo.first!.body).get('MessageGroupId')).toMatch(/^[0-9a-f]{64}$/)
    expect(fifo.failure).toMatchObject({ retry: false, message: 'unexpected status code 400: no such topic' })
  })

  it('jira: finds, updates and resolves an issue; makes none for what is over', async () => {
    const section =
      'jira_configs: [{api_url: "https://x.atlassian.net/rest/api/2", project: P, issue_type: Bug, resolve_transition: Done, summary: {template: s, enable_update: false}, fields: {customfield_1: "[1, 2]"}}]'
    const found = { issues: [{ key: 'P-1', fields: { status: { statusCategory: { key: 'new' } } } }] }
    const told = await tell(section, {
      message: resolved,
      answers: [json(found), json({}), json({ transitions: [{ id: '31', name: 'Done' }] }), json({})],
    })
    expect(told.requests.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual([
      'POST /rest/api/3/search/jql',
      'PUT /rest/api/2/issue/P-1',
      'GET /rest/api/2/issue/P-1/transitions',
      'POST /rest/api/2/issue/P-1/transitions',
    ])
    const { fields } = JSON.parse(told.requests[1]!.body!) as { fields: Record<string, unknown> }
    expect(fields).toMatchObject({
      customfield_1: [1, 2],
      issuetype: { name: 'Bug' },
      priority: { name: 'Medium' },
    })
    expect(fields).not.toHaveProperty('summary')
    expect(told.requests[3]!.body).toBe('{"transition":{"id":"31"}}\n')
    const over = await tell(section, { message: resolved, answers: [json({ issues: [] })] })
    expect(over.requests).toHaveLength(1)
  })

  it('mattermost, rocketchat, webex, victorops, incident.io and the Teams', async () => {
    const matter = await tell(
      'mattermost_configs: [{webhook_url: "http://m", text: t, attachments: [{title: a}], priority: {priority: urgent, requested_ack: true}}]',
    )
    expect(matter.body).toMatchObject({
      text: 't',
      attachments: [{ title: 'a' }],
      priority: { priority: 'urgent', requested_ack: true },
    })
    const rocket = await tell('rocketchat_configs: [{token: t, token_id: i, channel: c}]', {
      answers: [json({ success: false, error: 'nobody' })],
    })
    expect(rocket.first!.headers).toMatchObject({ 'X-Auth-Token': 't', 'X-User-Id': 'i' })
    expect(rocket.failure).toMatchObject({ retry: false, reason: 'clientError' })
    const webex = await tell(
      `webex_configs: [{room_id: r, message: "${'ä'.repeat(4000)}", http_config: {authorization: {credentials: tok}}}]`,
    )
    expect(Buffer.byteLength((webex.body as { markdown: string }).markdown)).toBeLessThanOrEqual(7439)
    const victor = await tell(
      'victorops_configs: [{api_key: K, routing_key: rt, custom_fields: {c: "{{ .Status }}"}}]',
      {
        message: resolved,
      },
    )
    expect(victor.first!.url).toMatch(/alert\/K\/rt$/)
    expect(victor.body).toMatchObject({ message_type: 'RECOVERY', c: 'resolved' })
    const incident = await tell('incidentio_configs: [{url: "http://i", alert_source_token: tk}]', {
      answers: [{ status: 429, body: '{"message":"slow down"}' }],
    })
    expect(incident.body).toMatchObject({ version: '1', groupKey: '{}:{alertname="Drift"}' })
    expect(incident.failure).toMatchObject({ retry: true, message: 'unexpected status code 429: slow down' })
    const teams = await tell('msteams_configs: [{webhook_url: "http://t"}]', { message: resolved })
    expect(teams.body).toMatchObject({ type: 'MessageCard', themeColor: '2DC72D' })
    const discord = await tell(`discord_configs: [{webhook_url: "http://d", title: "${'x'.repeat(300)}"}]`)
    expect((discord.body as { embeds: { title: string }[] }).embeds[0]!.title).toHaveLength(256)
  })

  it('wechat: asks for a new token after the old one has ended', async () => {
    const token = json({ access_token: 'T' })
    const told = await tell('wechat_configs: [{api_secret: s, corp_id: c}]', {
      answers: [token, json({ errcode: 42001, errmsg: 'expired' })],
    })
    expect(told.failure).toMatchObject({ retry: true })
    await told.integration.send(message(), new AbortController().signal).catch(() => {})
    expect(told.requests.map(({ url }) => new URL(url).pathname.split('/').at(-1))).toEqual([
      'gettoken',
      'send',
      'gettoken',
    ])
  })

  it('email: text and HTML, and nothing in a label can add headers', async () => {
    const { mails } = await tell(
      'email_configs: [{to: "Ops <ops@x.org>, b@x.org", from: am@x.org, smarthost: "mail:465", text: "{{ .CommonLabels.model }}", headers: {subject: "{{ .CommonAnnotations.summary }}"}, auth_username: u, auth_password: p}]',
      { message: message({ commonAnnotations: { summary: 'a\r\nBcc: evil@x.org' } }) },
    )
    const mail = mails[0]!
    expect(mail).toMatchObject({
      host: 'mail',
      port: 465,
      implicitTls: true,
      requireTls: false,
      hello: 'localhost',
      from: 'am@x.org',
      to: ['ops@x.org', 'b@x.org'],
      auth: { user: 'u', password: 'p' },
    })
    expect(mail.raw).toContain('Subject: =?utf-8?q?a=0D=0ABcc:_evil@x.org?=\r\n')
    expect(mail.raw).not.toMatch(/^Bcc/m)
    expect(mail.raw).toContain('Content-Type: text/plain; charset=UTF-8\r\n\r\nm<1>\r\n')
    expect(mail.raw).toContain('m&lt;1&gt;')
    expect(mail.raw.split('\r\n').every((line) => line.length <= 1000)).toBe(true)
  })
})

describe('receivers keep', () => {
  it('secrets out of the effective configuration, which can be read again', async () => {
    const sections = [
      'slack_configs: [{api_url: "http://s/HIDDEN", channel: c}]',
      'pagerduty_configs: [{routing_key: HIDDEN}]',
      'opsgenie_configs: [{api_key: HIDDEN}]',
      'telegram_configs: [{bot_token: HIDDEN, chat_id: 1}]',
      'pushover_configs: [{user_key: HIDDEN, token: HIDDEN}]',
      'discord_configs: [{webhook_url: "http://d/HIDDEN"}]',
      'wechat_configs: [{api_secret: HIDDEN, corp_id: c}]',
      'email_configs: [{to: a@x, from: b@x, smarthost: "m:25", auth_password: HIDDEN, auth_secret: HIDDEN}]',
      'sns_configs: [{topic_arn: a, sigv4: {access_key: k, secret_key: HIDDEN}}]',
      'webhook_configs: [{url: "http://w/HIDDEN", http_config: {oauth2: {client_id: i, client_secret: HIDDEN, token_url: "http://t"}, proxy_url: "http://u:HIDDEN@p"}}]',
    ]
    for (const section of sections) {
      const { printed } = await tell(section)
      expect(printed).not.toContain('HIDDEN')
      expect(loadConfig(printed, 'again').printed).toBe(printed)
    }
  })

  it('addresses out of failures', async () => {
    const { failure } = await tell('discord_configs: [{webhook_url: "http://d/HIDDEN"}]', {
      answers: [new TypeError('fetch failed', { cause: new Error('refused http://d/HIDDEN') })],
    })
    expect(failure).toMatchObject({ retry: true, message: 'post failed: refused <redacted>' })
  })

  it('to the host they were given', async () => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`)
      if (request.url === '/away')
        response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end()
      else if (request.url === '/here') response.writeHead(308, { location: '/there' }).end()
      else response.writeHead(200).end('x'.repeat(3 * 1024 * 1024))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const section = (path: string) => `webhook_configs: [{url: "${base}${path}"}]`
      const away = await tell(section('/away'), { send: sendOverNetwork })
      expect(away.failure?.message).toContain('redirects to another host')
      expect((await tell(section('/here'), { send: sendOverNetwork })).failure).toBeUndefined()
      expect(seen).toEqual(['POST /away', 'POST /here', 'POST /there'])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('a mistake in a template from being tried again', async () => {
    const { failure, requests } = await tell(
      'discord_configs: [{webhook_url: "http://d", title: "{{ .Nope }}"}]',
    )
    expect(failure).toMatchObject({ retry: false, reason: 'other' })
    expect(failure!.message).toContain("can't evaluate field Nope")
    expect(requests).toHaveLength(0)
  })

  it('templates of files, all or nothing', () => {
    const dir = mkdtempSync(join(tmpdir(), 'watchfire-tmpl-'))
    try {
      writeFileSync(join(dir, 'a.tmpl'), '{{ define "x" }}X{{ end }}')
      const config = `route: {receiver: r}\nreceivers: [{name: r}]\ntemplates: ['*.tmpl', 'none/*.tmpl']\n`
      expect(loadConfig(config, join(dir, 'am.yml')).templateFiles.map(({ name }) => name)).toEqual([
        'a.tmpl',
      ])
      writeFileSync(join(dir, 'b.tmpl'), '{{ if }}')
      expect(() => loadConfig(config, join(dir, 'am.yml'))).toThrow(ConfigError)
      expect(() => loadConfig(config, join(dir, 'am.yml'))).toThrow(
        'template: b.tmpl:1: missing value for if',
      )
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
