export type { Finding, RuleName, Severity } from './finding.ts'
export { knowledgeOf, NO_KNOWLEDGE, type Knowledge, type KnowledgeData } from './knowledge.ts'
export { lintQuery } from './lint-query.ts'
export { gatherKnowledge, type KnowledgeSources } from './gather.ts'
