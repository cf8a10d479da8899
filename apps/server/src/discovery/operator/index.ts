export { OperatorRunner, type OperatorRunnerOptions } from './runner.ts'
