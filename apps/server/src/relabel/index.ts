export { compileRelabel, relabel, relabelMap, type CompiledRelabel, type RelabelOptions } from './relabel.ts'
export { expand, matchWhole, parseTemplate, type Match, type Template } from './expand.ts'
