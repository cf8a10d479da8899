export { parseUpOptions, UsageError, type UpOptions } from './up/options.ts'
export { writeServerConfig } from './up/config.ts'
