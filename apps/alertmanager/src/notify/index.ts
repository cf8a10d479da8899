export { Inbox, createInboxIntegration, type InboxNotification, type InboxOptions } from './inbox.ts'
export { NotifyError, type FailureReason, type Integration, type Receiver } from './integration.ts'
export {
  buildMessage,
  goJson,
  goTime,
  sortedPairs,
  type NotificationMessage,
  type NotifiedAlert,
} from './message.ts'
export { Pipeline, type PipelineParts } from './pipeline.ts'
export {
  createWebhook,
  postOverNetwork,
  type HttpPost,
  type PostFunction,
  type WebhookOptions,
} from './webhook.ts'
