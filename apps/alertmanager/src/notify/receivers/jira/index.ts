// Jira: a group is an issue, found again by its label. It is created, updated, resolved and opened again.
import { httpConfig } from '../../../config/http-config.ts'
import {
  anything,
  duration,
  flag,
  optional,
  optionalFlag,
  section,
  shown,
  strings,
  text,
  url,
  type Field,
  type ValueOf,
} from '../../../config/schema.ts'
import { checkStatus, parseJson, type HttpClient } from '../../http/index.ts'
import { NotifyError } from '../../integration.ts'
import { goJson } from '../../message.ts'
import type { Renderer } from '../../templates/index.ts'
import { joinPath, receiverKind, sorted, truncate, type Notification } from '../kit.ts'

const SUMMARY_MAX = 255
const DESCRIPTION_MAX = 32_767

interface IssueText {
  readonly template: string
  readonly enable_update: boolean | undefined
}

/** A template, alone or with whether updates touch it. */
function issueText(fallback: string): Field<IssueText> {
  const full = section('config.plain', { template: text(fallback), enable_update: optionalFlag() })
  return {
    read: (cursor) =>
      cursor.isMapping ? full.read(cursor) : { template: cursor.string(fallback), enable_update: undefined },
    print: (value) => full.print(value),
  }
}

/** Fields of the issue that are set as written. */
const customFields: Field<Readonly<Record<string, unknown>>> = {
  read: (cursor) =>
    Object.fromEntries(cursor.entries().map(([name, value]) => [name, anything().read(value)])),
  print: (value) => (Object.keys(value).length === 0 ? undefined : value),
}

const jiraConfig = section(
  'config.plain',
  {
    send_resolved: shown(flag(true), false),
    http_config: optional(httpConfig),
    api_url: url(),
    api_type: text('auto'),
    project: text(),
    summary: issueText('{{ template "jira.default.summary" . }}'),
    description: issueText('{{ template "jira.default.description" . }}'),
    labels: strings(),
    priority: text('{{ template "jira.default.priority" . }}'),
    issue_type: text(),
    reopen_transition: text(),
    resolve_transition: text(),
    wont_fix_resolution: text(),
    reopen_duration: duration(),
    fields: customFields,
  },
  (config, at) => {
    if (config.project === '') at.fail('missing project in jira_config')
    if (config.issue_type === '') at.fail('missing issue_type in jira_config')
    if (!['auto', 'cloud', 'datacenter'].includes(config.api_type))
      at.fail('unknown api_type on jira_config, must be auto, cloud or datacenter')
  },
)
type JiraConfig = ValueOf<typeof jiraConfig>

interface FoundIssue {
  readonly key: string
  /** `done` for closed issues; undefined when the answer does not say. */
  readonly category: string | undefined
}

export const jira = receiverKind<JiraConfig>({
  kind: 'jira',
  section: jiraConfig,
  complete(config, global, at) {
    const address = config.api_url || global.jira_api_url
    if (address === '') at.fail('no global Jira Cloud URL set')
    return { ...config, api_url: address }
  },
  create:
    (config, { http }) =>
    async (notification) => {
      const { isFiring, signal } = notification
      const call = caller(http, signal)
      const found = await findIssue(config, notification, call)
      // What is over needs no issue.
      if (!found && !isFiring) return
      const fields = await issueFields(config, notification)
      if (found && config.description.enable_update === false) delete fields.description
      if (found && config.summary.enable_update === false) delete fields.summary
      const path = found ? `issue/${encodeURIComponent(found.key)}` : 'issue'
      await call(found ? 'PUT' : 'POST', joinPath(config.api_url, path), { fields: sorted(fields) })
      if (found) await moveIssue(config, found, isFiring, call)
    },
})

type Call = (method: 'GET' | 'POST' | 'PUT', url: string, payload?: object) => Promise<unknown>

function caller(http: HttpClient, signal: AbortSignal): Call {
  const headers = { 'Content-Type': 'application/json', 'Accept-Language': 'en' }
  return async (method, address, payload) => {
    const body = payload && goJson(payload)
    const request = { method, url: address, headers, ...(body !== undefined && { body }) }
    const answer = await http.request(request, signal)
    checkStatus(answer, { retryCodes: [429] })
    return parseJson(answer.body)
  }
}

const labelOf = (groupHash: string) => `ALERT{${groupHash}}`

async function findIssue(
  config: JiraConfig,
  { render, groupHash, message }: Notification,
  call: Call,
): Promise<FoundIssue | undefined> {
  const reopenMinutes = Math.trunc(config.reopen_duration / 60_000)
  const isFiring = message.alerts.some(({ status }) => status === 'firing')
  const opensAgain = isFiring && config.reopen_transition !== '' && reopenMinutes > 0
  const quoted = JSON.stringify
  const conditions = [
    config.wont_fix_resolution === ''
      ? ''
      : `(resolution is EMPTY or resolution != ${quoted(config.wont_fix_resolution)}) and `,
    opensAgain
      ? `(resolutiondate is EMPTY OR resolutiondate >= -${reopenMinutes}m) and `
      : 'statusCategory != Done and ',
    `project=${quoted(await render.text(config.project))} and labels=${quoted(labelOf(groupHash))}`,
  ]
  const jql = `${conditions.join('')} order by status ASC,resolutiondate DESC`
  const search = { fields: ['status'], jql, maxResults: 2 }
  const answer = (await call('POST', searchAddress(config), search)) as
    { issues?: unknown } | null | undefined
  if (typeof answer !== 'object' || answer === null)
    throw new NotifyError('failed to look up existing issues: the answer is not JSON', false, 'other')
  const first = (Array.isArray(answer.issues) ? answer.issues[0] : undefined) as
    { key?: unknown; fields?: { status?: { statusCategory?: { key?: unknown } } } } | undefined
  if (typeof first?.key !== 'string' || first.key === '') return undefined
  const category = first.fields?.status?.statusCategory?.key
  return { key: first.key, category: typeof category === 'string' ? category : undefined }
}

/** The cloud has a search of its own. */
function searchAddress(config: JiraConfig): string {
  const isCloud =
    config.api_type === 'cloud' ||
    (config.api_type === 'auto' && new URL(config.api_url).host.endsWith('atlassian.net'))
  if (!isCloud) return joinPath(config.api_url, 'search')
  return joinPath(config.api_url, 'search/jql').replace('/rest/api/2/', '/rest/api/3/')
}

async function issueFields(
  config: JiraConfig,
  { render, groupHash }: Notification,
): Promise<Record<string, unknown>> {
  const fields: Record<string, unknown> = {
    project: { key: await render.text(config.project) },
    issuetype: { name: await render.text(config.issue_type) },
    summary: truncate(await render.text(config.summary.template), SUMMARY_MAX),
  }
  const labels = [labelOf(groupHash)]
  for (const label of config.labels) labels.push(await render.text(label))
  fields.labels = labels.sort()
  const description = await describe(config, render)
  if (description !== undefined) fields.description = description
  const priority = await render.text(config.priority)
  if (priority !== '') fields.priority = { name: priority }
  for (const [name, value] of Object.entries(config.fields)) fields[name] = await render.deep(value)
  return fields
}

/** Text for the API v2, a document (JSON) for v3. */
async function describe(config: JiraConfig, render: Renderer): Promise<unknown> {
  const description = truncate(await render.text(config.description.template), DESCRIPTION_MAX)
  if (!/\/3\/*$/.test(new URL(config.api_url).pathname)) return description === '' ? undefined : description
  if (description.trim() === '') return undefined
  const document = parseJson(description)
  if (document === undefined)
    throw new NotifyError('description template: invalid JSON for API v3', false, 'other')
  return document
}

async function moveIssue(
  config: JiraConfig,
  issue: FoundIssue,
  isFiring: boolean,
  call: Call,
): Promise<void> {
  if (issue.category === undefined || (issue.category === 'done') !== isFiring) return
  const wanted = isFiring ? config.reopen_transition : config.resolve_transition
  if (wanted === '') return
  const address = joinPath(config.api_url, `issue/${encodeURIComponent(issue.key)}/transitions`)
  const answer = (await call('GET', address)) as { transitions?: unknown } | null | undefined
  const all = (Array.isArray(answer?.transitions) ? answer.transitions : []) as {
    id?: unknown
    name?: unknown
  }[]
  const id = all.find((transition) => transition.name === wanted)?.id
  if (typeof id !== 'string')
    throw new NotifyError(`can't find transition ${wanted} for issue ${issue.key}`, false, 'other')
  await call('POST', address, { transition: { id } })
}
