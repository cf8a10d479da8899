export {
  NotificationLog,
  notificationReason,
  type LogEntry,
  type NotificationLogOptions,
  type NotificationReason,
} from './notification-log.ts'
