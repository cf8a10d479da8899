export { Inbox, type InboxNotification, type InboxOptions } from './inbox.ts'
export { NotifyError, type FailureReason, type Integration, type Receiver } from './integration.ts'
export { sendOverNetwork, type IncomingAnswer, type OutgoingRequest, type SendRequest } from './http/index.ts'
export {
  buildMessage,
  goJson,
  goTime,
  sortedPairs,
  type NotificationMessage,
  type NotifiedAlert,
} from './message.ts'
export { renderRouteLabels, type RouteLabelParts } from './route-labels.ts'
export { Pipeline, type PipelineParts } from './pipeline.ts'
export {
  sendMailOverNetwork,
  templateData,
  type NotifyTools,
  type OutgoingMail,
  type SendMail,
} from './receivers/index.ts'
export { NotificationTemplates } from './templates/index.ts'
