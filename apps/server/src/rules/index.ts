export {
  RulesManager,
  type LoadedRules,
  type RulesConfig,
  type RulesManagerOptions,
} from './rules-manager.ts'
export {
  checkRuleFile,
  loadRuleFile,
  parseRuleFile,
  type AlertingRuleConfig,
  type RecordingRuleConfig,
  type RuleConfig,
  type RuleFileCheck,
  type RuleFileOptions,
  type RuleGroupConfig,
} from './rule-file.ts'
