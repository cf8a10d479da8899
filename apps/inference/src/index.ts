// The inference service: ONNX models behind HTTP, and sample traffic for it.
export { SHIPPED_MODELS_DIR, createInferenceApp, type InferenceApp, type InferenceAppOptions } from './app.ts'
export {
  DEFAULT_HOST,
  DEFAULT_PORT,
  startInference,
  type InferenceOptions,
  type RunningInference,
} from './start.ts'
export { startTraffic, type RunningTraffic, type TrafficOptions } from './traffic/index.ts'
export { runInference, runTraffic } from './cli.ts'
export {
  RegistryError,
  UnknownModelError,
  createFolderRegistry,
  type ModelRegistry,
  type ModelVersion,
} from './registry/index.ts'
