export { Notifier, alertmanagerUrls, type NotifierConfig, type NotifierOptions } from './notifier.ts'
export {
  createAlertmanagerClient,
  type AlertmanagerClient,
  type AlertmanagerPost,
} from './alertmanager-http.ts'
