export { ScrapeManager } from './manager.ts'
export { ScrapePool } from './pool.ts'
export { ScrapeLoop, type LoopState } from './loop.ts'
export { ScrapeCache } from './cache.ts'
export { Summary, createCounters, type ScrapeCounters } from './metrics.ts'
export { ScrapeError } from './errors.ts'
export { buildTargets, type Target } from './target.ts'
export {
  DEFAULT_SCRAPE_OPTIONS,
  jobSettings,
  type JobSettings,
  type Log,
  type LogLevel,
  type LoopContext,
  type ScrapeOptions,
} from './settings.ts'
export type { OwnAddress } from './global-url.ts'
export { TextScanner } from './text-scanner.ts'
