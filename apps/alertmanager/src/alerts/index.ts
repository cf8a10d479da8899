export {
  compareAlerts,
  compareLabelSets,
  createAlert,
  isResolved,
  labelSetText,
  mergeAlerts,
  type AlertRecord,
  type StringMap,
} from './alert.ts'
export { AlertStore, type AlertStoreOptions } from './alert-store.ts'
export { fingerprint } from './fingerprint.ts'
