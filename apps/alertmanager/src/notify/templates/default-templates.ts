// The templates every receiver uses unless its configuration says otherwise, under Alertmanager's names and with its
// output. Most are one of three things: the subject line, the link to the alerts, or the list of alerts with a heading.

const define = (name: string, body: string) => `{{ define "${name}" }}${body}{{ end }}`
const call = (name: string, dot = '.') => `{{ template "${name}" ${dot} }}`

const SUBJECT =
  '[{{ toUpper .Status }}{{ if eq .Status "firing" }}:{{ len .Alerts.Firing }}{{ end }}]' +
  ' {{ join " " .GroupLabels.SortedPairs.Values }}' +
  ' {{ if gt (len .CommonLabels) (len .GroupLabels) }}' +
  '({{ join " " (.CommonLabels.Remove .GroupLabels.Names).Values }}){{ end }}'
const LINK = '{{ .ExternalURL }}/#/alerts?receiver={{ .Receiver | urlquery }}'
const COLOR = '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}'
const SUMMARY = '{{ join " " .CommonAnnotations.SortedPairs.Values }}'

/** `indent` goes before each pair, `gap` between the parts of an alert. */
function alertList(indent: string, gap: string): string {
  const pairs = (map: string) =>
    `{{ range .${map}.SortedPairs }}${indent}- {{ .Name }} = {{ .Value }}\n{{ end }}`
  return (
    `{{ range . }}${gap}Labels:\n${pairs('Labels')}${gap}Annotations:\n${pairs('Annotations')}` +
    `${gap}Source: {{ .GeneratorURL }}\n{{ end }}${gap}`
  )
}

/** Firing, then resolved alerts, each under a heading. */
function sections(list: string, mark: string, between: string): string {
  return ['Firing', 'Resolved']
    .map((state) => {
      const alerts = `.Alerts.${state}`
      return `{{ if ${alerts} }}${between}${mark}Alerts ${state}:\n${call(list, alerts)}${between}{{ end }}`
    })
    .join('\n')
}

const COMPACT = sections('__text_alert_list', '', '')
const SPACED = sections('__text_alert_list', '', '\n')
const MARKDOWN = `\n${sections('__text_alert_list_markdown', '# ', '\n')}\n`

/** The most severe of the firing alerts decides, without any the most severe of the resolved. */
const JIRA_PRIORITY = (() => {
  const scan = (alerts: string) =>
    `{{ range ${alerts} }}{{ $severity := index .Labels "severity" }}` +
    `{{ if eq $severity "critical" }}{{ $priority = "High" }}` +
    `{{ else if and (eq $severity "warning") (ne $priority "High") }}{{ $priority = "Medium" }}` +
    `{{ else if and (eq $severity "info") (eq $priority "") }}{{ $priority = "Low" }}{{ end }}{{ end }}`
  const resolved = `{{ if eq $priority "" }}${scan('.Alerts.Resolved')}{{ end }}`
  return `{{ $priority := "" }}${scan('.Alerts.Firing')}${resolved}{{ $priority }}`
})()

const SUBJECT_NAMES = [
  'slack.default.title',
  'pagerduty.default.description',
  'opsgenie.default.message',
  'victorops.default.entity_display_name',
  'pushover.default.title',
  'sns.default.subject',
  'discord.default.title',
  'msteams.default.summary',
  'msteams.default.title',
  'msteamsv2.default.title',
  'jira.default.summary',
  'rocketchat.default.title',
  'mattermost.default.title',
  'email.default.subject',
]
const LINK_NAMES = [
  'slack.default.titlelink',
  'pagerduty.default.clientURL',
  'opsgenie.default.source',
  'pushover.default.url',
  'rocketchat.default.titlelink',
  'mattermost.default.titlelink',
]
const PRODUCT_NAMES = [
  'slack.default.username',
  'pagerduty.default.client',
  'victorops.default.monitoring_tool',
  'rocketchat.default.alias',
  'mattermost.default.username',
]
const EMPTY_NAMES = [
  '__description',
  'slack.default.callbackid',
  'slack.default.pretext',
  'slack.default.iconemoji',
  'slack.default.iconurl',
  'slack.default.text',
  'slack.default.footer',
  'wechat.default.to_user',
  'wechat.default.to_party',
  'wechat.default.to_tag',
  'wechat.default.agent_id',
  'discord.default.content',
  'rocketchat.default.emoji',
  'rocketchat.default.iconurl',
  'rocketchat.default.text',
]
const MARKDOWN_NAMES = [
  'msteams.default.text',
  'msteamsv2.default.text',
  'jira.default.description',
  'mattermost.default.text',
]
const fallbackOf = (receiver: string) =>
  `${call(`${receiver}.default.title`)} | ${call(`${receiver}.default.titlelink`)}`

/** All of them as one template text. */
export const DEFAULT_TEMPLATES: string = [
  define('__alertmanager', 'Alertmanager'),
  define('__alertmanagerURL', LINK),
  define('__subject', SUBJECT),
  define('__text_alert_list', alertList(' ', '')),
  define('__text_alert_list_markdown', alertList('  ', '\n')),
  ...SUBJECT_NAMES.map((name) => define(name, call('__subject'))),
  ...LINK_NAMES.map((name) => define(name, call('__alertmanagerURL'))),
  ...PRODUCT_NAMES.map((name) => define(name, call('__alertmanager'))),
  ...EMPTY_NAMES.map((name) => define(name, '')),
  ...MARKDOWN_NAMES.map((name) => define(name, MARKDOWN)),
  ...['slack', 'mattermost'].map((name) => define(`${name}.default.fallback`, fallbackOf(name))),
  ...['slack', 'mattermost'].map((name) => define(`${name}.default.color`, COLOR)),
  define('pagerduty.default.instances', call('__text_alert_list')),
  ...['opsgenie.default.description', 'victorops.default.state_message'].map((name) =>
    define(name, `${SUMMARY}\n${COMPACT}`),
  ),
  define(
    'wechat.default.message',
    `${call('__subject')}\n${SUMMARY}\n${COMPACT}\nAlertmanagerUrl:\n${call('__alertmanagerURL')}`,
  ),
  ...['pushover', 'sns', 'webex'].map((name) => define(`${name}.default.message`, `${SUMMARY}\n${SPACED}\n`)),
  ...['telegram', 'discord'].map((name) => define(`${name}.default.message`, `\n${SPACED}\n`)),
  define('jira.default.priority', JIRA_PRIORITY),
].join('')
