export {
  SilenceError,
  SilenceStore,
  silenceState,
  type Silence,
  type SilenceDraft,
  type SilenceState,
  type SilenceStoreOptions,
} from './silence-store.ts'
