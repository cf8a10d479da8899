export {
  RulesManager,
  type LoadedRules,
  type RulesConfig,
  type RulesManagerOptions,
} from './rules-manager.ts'
export {
  loadRuleFile,
  parseRuleFile,
  type AlertingRuleConfig,
  type RecordingRuleConfig,
  type RuleConfig,
  type RuleGroupConfig,
} from './rule-file.ts'
