// Models in memory: loading, swapping, predicting.
export { ModelStore, StoreBusyError, type ModelStoreOptions, type StoredVersion } from './model-store.ts'
export { InferenceError, ModelLoadError, ModelSession, type SessionOptions } from './session.ts'
