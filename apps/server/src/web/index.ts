export { createWebApp } from './app.ts'
export { createEngineMetrics, createLifeMetrics, type LifeMetrics } from './metrics.ts'
export type { BuildInfo, ServerView, WebOptions } from './options.ts'
export type {
  AlertJson,
  AlertState,
  AlertingRuleJson,
  AlertmanagersView,
  RecordingRuleJson,
  RuleGroupJson,
  RuleHealth,
  RuleJson,
  RulesView,
} from './contract.ts'
