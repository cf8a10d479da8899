export { TestProcess, freePort, until, type ProcessOptions } from './process.ts'
export { FakeTarget, type Answer } from './fake-target.ts'
