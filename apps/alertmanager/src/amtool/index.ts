export { runAmtool, type AmtoolOptions } from './run.ts'
