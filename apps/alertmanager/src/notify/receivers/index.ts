// All kinds of receivers, in the order in which the integrations of a receiver are told.
import { discord } from './discord/index.ts'
import { email } from './email/index.ts'
import { inbox } from './inbox/index.ts'
import { incidentio } from './incidentio/index.ts'
import { jira } from './jira/index.ts'
import type { ReceiverKind } from './kit.ts'
import { mattermost } from './mattermost/index.ts'
import { msteams } from './msteams/index.ts'
import { msteamsv2 } from './msteamsv2/index.ts'
import { opsgenie } from './opsgenie/index.ts'
import { pagerduty } from './pagerduty/index.ts'
import { pushover } from './pushover/index.ts'
import { rocketchat } from './rocketchat/index.ts'
import { slack } from './slack/index.ts'
import { sns } from './sns/index.ts'
import { telegram } from './telegram/index.ts'
import { victorops } from './victorops/index.ts'
import { webex } from './webex/index.ts'
import { webhook } from './webhook/index.ts'
import { wechat } from './wechat/index.ts'

export const RECEIVER_KINDS: readonly ReceiverKind[] = [
  webhook,
  email,
  pagerduty,
  opsgenie,
  wechat,
  slack,
  victorops,
  pushover,
  sns,
  telegram,
  discord,
  webex,
  msteams,
  msteamsv2,
  jira,
  incidentio,
  rocketchat,
  mattermost,
  inbox,
]

export { templateData, type ConfiguredIntegration, type NotifyTools } from './kit.ts'
export { sendMailOverNetwork, type OutgoingMail, type SendMail } from './email/smtp.ts'
