export { parseAlertmanagerFlags, type AlertmanagerFlags } from './flags.ts'
