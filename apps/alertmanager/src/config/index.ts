export type { GlobalConfig } from './global.ts'
export { DEFAULT_CONFIG_TEXT, loadConfig } from './load.ts'
export {
  MatcherError,
  matcherText,
  matchersText,
  parseMatcher,
  parseMatchers,
  regexFault,
  type MatcherMode,
} from './matcher-text.ts'
export { inTimeInterval, type TimeInterval } from './time-interval.ts'
export { ConfigError } from './yaml-cursor.ts'
export type { AlertmanagerConfig, InhibitRuleConfig, ReceiverConfig, RouteConfig } from './types.ts'
