export { FunctionError, TemplateError } from './errors.ts'
export type { ExecLimits, ExecOptions, Functions } from './exec.ts'
export {
  AlertTemplate,
  prometheusFunctions,
  templateSample,
  type AlertTemplateData,
  type PrometheusContext,
  type TemplateSample,
} from './prometheus.ts'
export {
  alertmanagerFunctions,
  keyValues,
  notificationValue,
  type NotificationData,
  type TemplateAlert,
} from './alertmanager.ts'
export { TemplateSet } from './template-set.ts'
export { HtmlEscaper, type OutputEscaper } from './html-escape.ts'
export {
  GoMap,
  GoSlice,
  GoStruct,
  SafeHtml,
  SafeUrl,
  stringMap,
  formatValue,
  formatFloat,
  type Value,
} from './values.ts'
export { GoTime } from './time.ts'
export { GoDuration } from './duration.ts'
